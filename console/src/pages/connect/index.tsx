import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Form, Input, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { CodeBlock } from "../../components/copy";
import { Here } from "../../components/here";
import { Page } from "../../components/page";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { useFormat } from "../../format";
import { connecting, once, restoring } from "./command";
import { Files } from "./files";

type Agent = Schemas["AgentView"];
type Model = Schemas["ModelView"];
export type Choice = { model: string; smallModel: string | null; key: string };

const ORIGIN = window.location.origin;

/** Agents, and how each is wired to this server. */
export function Connect() {
  const { t } = useTranslation();
  const agents = useQuery({ queryKey: ["agents"], queryFn: () => taken(api.GET("/admin/v1/agents")), staleTime: Infinity });
  const models = useQuery({ queryKey: ["models"], queryFn: () => taken(api.GET("/admin/v1/models")) });
  const [name, setName] = useState<string | null>(null);
  return (
    <Page title={t("nav.connect")} about={t("connect.about")}>
      <Loaded query={agents}>
        {({ data }) => {
          const chosen = data.find((agent) => agent.name === name) ?? data[0];
          return (
            <div className="split">
              <ul className="choices" aria-label={t("connect.agent")}>
                {data.map((agent) => (
                  <li key={agent.name}>
                    <button type="button" className="choice" aria-current={agent === chosen} onClick={() => setName(agent.name)}>
                      {agent.title}
                      <small className="mono">{agent.home}</small>
                    </button>
                  </li>
                ))}
              </ul>
              <Loaded query={models}>
                {(listed) => {
                  const chat = listed.data.filter(({ operations }) => operations.includes("generate"));
                  return chat.length === 0 || chosen === undefined ? <Nothing text={t("connect.noModels")} /> : <Wiring key={chosen.name} agent={chosen} models={chat} />;
                }}
              </Loaded>
            </div>
          );
        }}
      </Loaded>
    </Page>
  );
}

function Wiring({ agent, models }: { agent: Agent; models: Model[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const queries = useQueryClient();
  const { role } = useUser();
  const [choice, setChoice] = useState<Choice>({ model: models[0]?.name ?? "", smallModel: null, key: "" });
  const change = (changes: Partial<Choice>) => setChoice((before) => ({ ...before, ...changes }));
  const make = useMutation({
    mutationFn: () => taken(api.POST("/admin/v1/keys", { body: { name: agent.name, scopes: ["inference"], models: [], dialects: [], networks: [] } })),
    onSuccess: ({ key }) => {
      change({ key });
      return queries.invalidateQueries({ queryKey: ["keys"] });
    },
  });
  const context = models.find(({ name }) => name === choice.model)?.context_length ?? null;
  const wish = { agent: agent.name, origin: ORIGIN, ...choice };
  const options = models.map(({ name }) => ({ value: name, label: name }));
  return (
    <div>
      <section className="panel">
        <h2>{agent.title}</h2>
        <Form layout="vertical" requiredMark={false}>
          <div className="fields">
            <Form.Item label={t("connect.model")} htmlFor="connect-model">
              <Select id="connect-model" showSearch value={choice.model} onChange={(model) => change({ model })} options={options} />
            </Form.Item>
            <Form.Item label={t("connect.smallModel")} htmlFor="connect-small">
              <Select id="connect-small" showSearch allowClear placeholder={t("connect.sameModel")} value={choice.smallModel} onChange={(smallModel) => change({ smallModel: smallModel ?? null })} options={options} />
            </Form.Item>
          </div>
          <Form.Item label={t("connect.key")} htmlFor="connect-key" extra={t("connect.keyAbout")} style={{ marginBottom: 0 }}>
            <div className="filters" style={{ margin: 0 }}>
              <Input.Password id="connect-key" autoComplete="off" value={choice.key} onChange={(event) => change({ key: event.target.value.trim() })} style={{ flex: "1 1 240px" }} />
              {can.hold(role) && (
                <Button loading={make.isPending} onClick={() => make.mutate()}>
                  {t("connect.makeKey")}
                </Button>
              )}
            </div>
          </Form.Item>
        </Form>
        <Problem error={make.error} style={{ marginTop: 12 }} />
        {make.data && <Alert type="success" showIcon title={t("connect.keyMade", { name: agent.name })} style={{ marginTop: 12 }} />}
        {context !== null && context <= agent.first_turn_tokens && (
          <Alert type="warning" showIcon title={t("connect.tight", { agent: agent.title, tokens: format.integer(agent.first_turn_tokens), window: format.integer(context) })} style={{ marginTop: 12 }} />
        )}
        {context !== null && context < agent.least_window && <Alert type="warning" showIcon title={t("connect.refused", { agent: agent.title, least: format.integer(agent.least_window) })} style={{ marginTop: 12 }} />}
      </section>
      <section className="panel">
        <h2>{t("connect.byCommand")}</h2>
        <p className="soft">{t("connect.byCommandAbout")}</p>
        <CodeBlock text={connecting(wish)} label={t("connect.byCommand")} />
        {agent.runs_once && (
          <>
            <h3>{t("connect.once")}</h3>
            <CodeBlock text={once(wish)} label={t("connect.once")} />
          </>
        )}
        <h3>{t("connect.restoreCommand")}</h3>
        <CodeBlock text={restoring(agent.name)} label={t("connect.restoreCommand")} />
      </section>
      <section className="panel">
        <h2>{t("connect.here")}</h2>
        <Here>
          <Files agent={agent} choice={choice} />
        </Here>
      </section>
      <Sheets agent={agent} choice={choice} />
    </div>
  );
}

function Sheets({ agent, choice }: { agent: Agent; choice: Choice }) {
  const { t } = useTranslation();
  const { model, smallModel, key } = choice;
  const sheets = useQuery({
    queryKey: ["sheets", agent.name, model, smallModel],
    queryFn: () => taken(api.POST("/admin/v1/agents/{name}/sheets", { params: { path: { name: agent.name } }, body: { origin: ORIGIN, model, small_model: smallModel } })),
    enabled: model !== "",
  });
  return (
    <section className="panel">
      <h2>{t("connect.byHand")}</h2>
      <p className="soft">{t("connect.byHandAbout", { variable: agent.home_variable })}</p>
      <Loaded query={sheets}>
        {(shown) => (
          <>
            {[...shown.data].reverse().map(({ path, text }) => (
              <div key={path}>
                <h3 className="mono">{path}</h3>
                <CodeBlock text={key ? text.replaceAll(shown.key, key) : text} label={path} />
              </div>
            ))}
          </>
        )}
      </Loaded>
    </section>
  );
}
