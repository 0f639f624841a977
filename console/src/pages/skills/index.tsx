import { PlusOutlined } from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Badge, Button, Popconfirm, Table, Tabs } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { CodeBlock } from "../../components/copy";
import { Here } from "../../components/here";
import { Page } from "../../components/page";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { NONE } from "../../format";
import { Installer } from "./installer";
import { Outcome } from "./outcome";

type Agent = Schemas["SkillsAgent"];
type Skill = Schemas["InstalledSkill"];

const COMMANDS = {
  ours: "rixin skills install --agent claude",
  others: "rixin skills install https://github.com/OpenSenseNova/SenseNova-Skills --agent openclaw --dry-run",
  list: "rixin skills list\nrixin skills verify",
};

/** Skills of the agents on the server's machine; for those on others, the commands that do the same. */
export function Skills() {
  const { t } = useTranslation();
  return (
    <Page title={t("nav.skills")} about={t("skills.about")}>
      <section className="panel">
        <h2>{t("skills.here")}</h2>
        <Here>
          <Agents />
        </Here>
      </section>
      <section className="panel">
        <h2>{t("skills.byCommand")}</h2>
        {(["ours", "others", "list"] as const).map((name) => (
          <div key={name}>
            <h3>{t(`skills.${name}`)}</h3>
            <CodeBlock text={COMMANDS[name]} label={t(`skills.${name}`)} />
          </div>
        ))}
      </section>
    </Page>
  );
}

function Agents() {
  const { t } = useTranslation();
  const agents = useQuery({ queryKey: ["skills"], queryFn: () => taken(api.GET("/admin/v1/skills")) });
  return (
    <Loaded query={agents}>
      {({ data }) => (
        <Tabs
          aria-label={t("skills.agent")}
          items={data.map((agent) => ({ key: agent.name, label: `${agent.name}${agent.skills.length > 0 ? ` (${agent.skills.length})` : ""}`, children: <OfAgent agent={agent} /> }))}
        />
      )}
    </Loaded>
  );
}

function OfAgent({ agent }: { agent: Agent }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [adding, setAdding] = useState(false);
  const remove = useMutation({
    mutationFn: (name: string) => taken(api.POST("/admin/v1/skills/remove", { body: { agent: agent.name as Schemas["RemoveWish"]["agent"], names: [name], force: false } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["skills"] }),
  });
  return (
    <>
      <div className="heading-row" style={{ marginBottom: 12 }}>
        <span className="soft">
          {t("skills.folder")} <span className="mono">{agent.folder}</span>
        </span>
        <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setAdding(true)}>
          {t("skills.add")}
        </Button>
      </div>
      {!agent.present && <p className="soft">{t("skills.noFolder")}</p>}
      <Problem error={remove.error} style={{ marginBottom: 12 }} />
      {remove.data && <Outcome changes={remove.data} />}
      {agent.skills.length === 0 ? (
        <Nothing text={t("skills.none")} />
      ) : (
        <Table<Skill>
          size="small"
          rowKey="name"
          dataSource={agent.skills}
          pagination={false}
          scroll={{ x: 760 }}
          columns={[
            { title: t("skills.name"), render: (_, skill) => <strong className="name">{skill.name}</strong> },
            { title: t("skills.from"), render: (_, skill) => <span className="mono">{skill.source ?? NONE}</span> },
            { title: t("skills.version"), render: (_, skill) => <span className="mono">{skill.version?.slice(0, 12) ?? NONE}</span> },
            { title: t("skills.installed"), render: (_, skill) => skill.installed_at ?? NONE },
            { title: t("skills.state"), render: (_, skill) => <State skill={skill} /> },
            {
              title: t("actions.title"),
              render: (_, { name }) => (
                <Popconfirm title={t("skills.removeSure", { name })} okText={t("skills.remove")} cancelText={t("actions.cancel")} onConfirm={() => remove.mutateAsync(name).catch(() => undefined)}>
                  <Button size="small" type="text" danger aria-label={t("skills.removeNamed", { name })}>
                    {t("skills.remove")}
                  </Button>
                </Popconfirm>
              ),
            },
          ]}
        />
      )}
      <Installer agent={agent.name as Schemas["SkillsWish"]["agent"]} open={adding} close={() => setAdding(false)} />
    </>
  );
}

function State({ skill }: { skill: Skill }) {
  const { t } = useTranslation();
  if (skill.damaged) return <Badge status="error" text={t("skills.damaged")} />;
  const drift = (["changed", "missing", "extra"] as const).filter((kind) => skill[kind].length > 0);
  if (drift.length === 0) return <Badge status="success" text={t("skills.same")} />;
  return drift.map((kind) => (
    <div key={kind}>
      <Badge status="warning" text={t(`skills.${kind}`, { files: skill[kind].join(", ") })} />
    </div>
  ));
}
