import { useQuery } from "@tanstack/react-query";
import { Button, Drawer, Input, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { Page } from "../../components/page";
import { Loaded } from "../../components/states";
import { NONE, useFormat } from "../../format";
import { PAGES } from "../../pages";
import { usePlace } from "../../place";
import { Detail } from "./detail";
import { Engines } from "./engines";
import { Names } from "./names";
import { usePrice } from "./price";

/** Every name that can be asked for, and the models that this machine runs. */
export function Models() {
  const { t } = useTranslation();
  const { role } = useUser();
  const [search, setSearch] = useState("");
  const [query, change] = usePlace();
  const models = useQuery({ queryKey: ["models"], queryFn: () => taken(api.GET("/admin/v1/models")) });
  const shown = query.get(PAGES.models.opens);
  const show = (name?: string) => change(PAGES.models.opens, name);
  return (
    <Page title={t("nav.models")} about={t("models.about")} actions={<Input allowClear placeholder={t("models.search")} aria-label={t("models.search")} value={search} onChange={(event) => setSearch(event.target.value)} style={{ width: 240 }} />}>
      {can.read(role) && <Engines manages={can.manage(role)} />}
      <Loaded query={models}>
        {({ data }) => (
          <>
            <Catalog models={data.filter(({ name, provider, target }) => `${name} ${provider} ${target}`.toLowerCase().includes(search.toLowerCase()))} show={show} />
            <Drawer open={shown !== null} onClose={() => show()} size={720} title={<span className="mono">{shown}</span>} destroyOnHidden>
              {data.filter(({ name }) => name === shown).map((model) => (
                <Detail key={model.name} model={model} />
              ))}
            </Drawer>
          </>
        )}
      </Loaded>
      {can.read(role) && <Names />}
    </Page>
  );
}

function Catalog({ models, show }: { models: Schemas["ModelView"][]; show: (name: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const price = usePrice();
  const tokens = (value: number | null) => (value === null ? NONE : format.integer(value));
  return (
    <Table<Schemas["ModelView"]>
      size="middle"
      rowKey="name"
      dataSource={models}
      pagination={{ pageSize: 50, hideOnSinglePage: true }}
      scroll={{ x: 980 }}
      columns={[
        {
          title: t("models.name"), width: 250,
          sorter: (a, b) => a.name.localeCompare(b.name),
          render: (_, model) => (
            <>
              <Button type="link" className="mono" style={{ padding: 0, height: "auto", whiteSpace: "normal", textAlign: "start" }} onClick={() => show(model.name)}>
                {model.name}
              </Button>
              {model.target !== model.name && <div className="soft">{t("models.aliasOf", { target: model.target })}</div>}
              {model.description && <div className="soft">{model.description}</div>}
            </>
          ),
        },
        { title: t("models.provider"), width: 130, sorter: (a, b) => a.provider.localeCompare(b.provider), render: (_, model) => <Providers model={model} /> },
        { title: t("models.operations"), width: 100, render: (_, { operations }) => operations.map((operation) => <Tag key={operation}>{t(`operations.${operation}` as "operations.generate", operation)}</Tag>) },
        { title: t("models.takes"), width: 150, render: (_, model) => `${model.input_modalities.join(", ")} → ${model.output_modalities.join(", ")}` },
        { title: t("models.context"), width: 110, align: "right", render: (_, model) => tokens(model.context_length), sorter: (a, b) => (a.context_length ?? 0) - (b.context_length ?? 0) },
        { title: t("models.output"), width: 110, align: "right", render: (_, model) => tokens(model.max_output_length) },
        { title: t("models.price"), width: 170, align: "right", render: (_, { pricing }) => price(pricing) },
      ]}
    />
  );
}

function Providers({ model }: { model: Schemas["ModelView"] }) {
  const names = [...new Set(model.candidates.map(({ provider }) => provider))];
  return names.length === 0 ? model.provider : names.map((name) => <Tag key={name}>{name}</Tag>);
}
