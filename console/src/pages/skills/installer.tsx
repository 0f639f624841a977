import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Checkbox, Drawer, Form, Input, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { Problem } from "../../components/problem";
import { useFormat } from "../../format";
import { Outcome } from "./outcome";

type AgentName = Schemas["SkillsWish"]["agent"];
type Wish = { source?: string; ref?: string; path?: string };
type Found = Schemas["FoundSkill"];

const WOULD = { added: "wouldAdded", replaced: "wouldReplaced", unchanged: "wouldUnchanged", kept: "wouldKept" } as const;

/** Fetches skills, shows what they bring, and installs those that are chosen as they were shown. */
export function Installer({ agent, open, close }: { agent: AgentName; open: boolean; close: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [form] = Form.useForm<Wish>();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set()); // out
  const [force, setForce] = useState(false);
  const look = useMutation({
    mutationFn: (wish: Wish) => taken(api.POST("/admin/v1/skills/look", { body: sourceOf(agent, wish) })),
    onMutate: () => setLeft(new Set()),
  });
  const install = useMutation({
    mutationFn: (skills: Record<string, string>) => taken(api.POST("/admin/v1/skills/install", { body: { ...sourceOf(agent, look.variables ?? {}), skills, force } })),
    onSuccess: () => {
      look.reset();
      return queries.invalidateQueries({ queryKey: ["skills"] });
    },
  });
  const chosen = look.data?.data.filter(({ name }) => !left.has(name)) ?? [];
  const error = look.error ?? install.error;
  return (
    <Drawer open={open} onClose={close} size={720} title={t("skills.add")} destroyOnHidden>
      <Form<Wish>
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(wish) => {
          install.reset();
          look.mutate(wish);
        }}
      >
        <Form.Item name="source" label={t("skills.source")} extra={t("skills.sourceAbout")}>
          <Input autoComplete="off" spellCheck={false} placeholder={t("skills.sourceHint")} />
        </Form.Item>
        <div className="fields">
          <Form.Item name="ref" label={t("skills.ref")}>
            <Input autoComplete="off" spellCheck={false} />
          </Form.Item>
          <Form.Item name="path" label={t("skills.path")}>
            <Input autoComplete="off" spellCheck={false} />
          </Form.Item>
        </div>
        <Button htmlType="submit" type={look.data ? "default" : "primary"} loading={look.isPending}>
          {t("skills.look")}
        </Button>
      </Form>
      <div style={{ height: 16 }} />
      <Problem error={error} style={{ marginBottom: 12 }} />
      {install.data && (
        <>
          <Outcome changes={install.data} />
          <p className="soft">{t("skills.restart")}</p>
        </>
      )}
      {look.data && (
        <>
          <p className="soft">{t("skills.brings", { source: look.data.source, version: look.data.version ?? "" })}</p>
          {look.data.data.map((skill) => (
            <Skill
              key={skill.name}
              skill={skill}
              chosen={!left.has(skill.name)}
              choose={(wanted) =>
                setLeft((before) => {
                  const after = new Set(before);
                  if (wanted) after.delete(skill.name);
                  else after.add(skill.name);
                  return after;
                })
              }
            />
          ))}
          {look.data.data.some(({ action }) => action === "kept") && (
            <Checkbox checked={force} onChange={(event) => setForce(event.target.checked)} style={{ marginBottom: 12 }}>
              {t("skills.force")}
            </Checkbox>
          )}
          <div>
            <Button type="primary" disabled={chosen.length === 0} loading={install.isPending} onClick={() => install.mutate(Object.fromEntries(chosen.map(({ name, digest }) => [name, digest])))}>
              {t("skills.install", { count: chosen.length })}
            </Button>
          </div>
        </>
      )}
    </Drawer>
  );
}

function sourceOf(agent: AgentName, { source, ref, path }: Wish): Schemas["SkillsWish"] {
  return { agent, source: source?.trim() || null, ref: ref?.trim() || null, path: path?.trim() ?? "" };
}

function Skill({ skill, chosen, choose }: { skill: Found; chosen: boolean; choose: (wanted: boolean) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const size = skill.files.reduce((sum, file) => sum + file.size, 0);
  const would = WOULD[skill.action as keyof typeof WOULD];
  return (
    <article className="hit">
      <div className="hit-head">
        <Checkbox checked={chosen} onChange={(event) => choose(event.target.checked)} aria-label={t("skills.choose", { name: skill.name })}>
          <strong className="name">{skill.name}</strong>
        </Checkbox>
        {would && <Tag>{t(`skills.${would}`)}</Tag>}
        <span className="soft">{t("skills.filesOf", { count: skill.files.length, size: format.bytes(size) })}</span>
      </div>
      <p>{skill.description}</p>
      {skill.reason && <p className="wrong">{skill.reason}</p>}
      {skill.warnings.length > 0 && <Alert type="warning" showIcon title={t("skills.warnings")} description={skill.warnings.join("; ")} />}
      <details>
        <summary>{t("skills.text")}</summary>
        <pre className="block">{skill.text}</pre>
      </details>
      <details>
        <summary>{t("skills.files")}</summary>
        <ul className="rows">
          {skill.files.map((file) => (
            <li key={file.path}>
              <span className="mono">{file.path}</span>
              <span>
                {file.executable && <Tag>{t("skills.executable")}</Tag>} <span className="soft">{format.bytes(file.size)}</span>
              </span>
            </li>
          ))}
        </ul>
      </details>
    </article>
  );
}
