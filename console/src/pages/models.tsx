import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Card, Input, Progress, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../api/client";
import { can, useUser } from "../api/session";
import { EngineBadge } from "../components/badges";
import { Page } from "../components/page";
import { Loaded, Nothing, useMessage } from "../components/states";
import { NONE, useFormat } from "../format";

const REFRESH_MS = 2_000;

/** Every name that can be asked for, and the models that this machine runs. */
export function Models() {
  const { t } = useTranslation();
  const { role } = useUser();
  const format = useFormat();
  const [search, setSearch] = useState("");
  const models = useQuery({ queryKey: ["models"], queryFn: () => taken(api.GET("/admin/v1/models")) });
  return (
    <Page title={t("nav.models")} about={t("models.about")} actions={<Input allowClear placeholder={t("models.search")} aria-label={t("models.search")} value={search} onChange={(event) => setSearch(event.target.value)} style={{ width: 240 }} />}>
      {can.read(role) && <Engines manages={can.manage(role)} />}
      <Loaded query={models}>
        {({ data }) => (
          <Table<Schemas["ModelView"]>
            size="middle"
            rowKey="name"
            dataSource={data.filter(({ name, provider, target }) => `${name} ${provider} ${target}`.toLowerCase().includes(search.toLowerCase()))}
            pagination={{ pageSize: 50, hideOnSinglePage: true }}
            scroll={{ x: 900 }}
            columns={[
              {
                title: t("models.name"),
                sorter: (a, b) => a.name.localeCompare(b.name),
                render: (_, model) => (
                  <>
                    <strong className="mono">{model.name}</strong>
                    {model.target !== model.name && <div className="soft">{t("models.aliasOf", { target: model.target })}</div>}
                    {model.description && <div className="soft">{model.description}</div>}
                  </>
                ),
              },
              { title: t("models.provider"), dataIndex: "provider", sorter: (a, b) => a.provider.localeCompare(b.provider) },
              { title: t("models.operations"), render: (_, { operations }) => operations.map((operation) => <Tag key={operation}>{t(`operations.${operation}` as "operations.generate", operation)}</Tag>) },
              { title: t("models.takes"), render: (_, model) => `${model.input_modalities.join(", ")} → ${model.output_modalities.join(", ")}` },
              { title: t("models.context"), render: (_, model) => (model.context_length === null ? NONE : format.integer(model.context_length)), sorter: (a, b) => (a.context_length ?? 0) - (b.context_length ?? 0) },
              { title: t("models.output"), render: (_, model) => (model.max_output_length === null ? NONE : format.integer(model.max_output_length)) },
              { title: t("models.features"), render: (_, model) => model.features.map((feature) => <Tag key={feature}>{feature}</Tag>) },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}

function Engines({ manages }: { manages: boolean }) {
  const { t } = useTranslation();
  const message = useMessage();
  const format = useFormat();
  const queries = useQueryClient();
  const engines = useQuery({ queryKey: ["engines"], queryFn: () => taken(api.GET("/admin/v1/engines")), refetchInterval: REFRESH_MS });
  const act = useMutation({
    mutationFn: ({ name, load }: { name: string; load: boolean }) => {
      const params = { params: { path: { name } } };
      return taken<unknown>(load ? api.POST("/admin/v1/engines/{name}/load", params) : api.POST("/admin/v1/engines/{name}/unload", params));
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["engines"] }),
  });
  return (
    <Card title={t("models.local")} size="small" style={{ marginBottom: 14 }}>
      {act.error && <Alert type="error" showIcon title={message(act.error)} style={{ marginBottom: 10 }} />}
      <Loaded query={engines}>
        {({ data }) =>
          data.length === 0 ? (
            <Nothing text={t("overview.noEngines")} />
          ) : (
            <ul className="rows">
              {data.map((engine) => {
                const loaded = engine.state === "ready";
                return (
                  <li key={engine.model}>
                    <strong className="mono" style={{ minWidth: 160 }}>
                      {engine.model}
                    </strong>
                    <EngineBadge engine={engine} />
                    <span className="soft">{t("models.memory", { size: format.bytes(engine.memory) })}</span>
                    <span className="soft">{engine.load ? t("models.busy", { running: engine.load.running, slots: engine.load.slots, waiting: engine.load.waiting }) : t("models.lastUsed", { time: format.instant(engine.last_used) })}</span>
                    {manages && (
                      <Button size="small" loading={act.isPending && act.variables.name === engine.model} aria-label={t(loaded ? "models.unloadNamed" : "models.loadNamed", { name: engine.model })} onClick={() => act.mutate({ name: engine.model, load: !loaded })}>
                        {t(loaded ? "models.unload" : "models.load")}
                      </Button>
                    )}
                    {engine.progress !== null && !loaded && <Progress percent={Math.round(engine.progress * 100)} aria-label={engine.model} />}
                  </li>
                );
              })}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
