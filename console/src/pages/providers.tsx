import { PlusOutlined } from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Badge, Button, Descriptions, Drawer, Form, Input, Modal, Popconfirm, Select, Table, Tag } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../api/client";
import { can, useUser } from "../api/session";
import { Page } from "../components/page";
import { Loaded, Nothing, useMessage } from "../components/states";
import { NONE, useFormat } from "../format";
import { Doctor } from "./doctor";

const PAUSE_MS = 400; // of typing, after which an address is looked up

/** The upstreams that answer. */
export function Providers() {
  const { t } = useTranslation();
  const { role } = useUser();
  const [adding, setAdding] = useState(false);
  const [shown, setShown] = useState<string | null>(null);
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => taken(api.GET("/admin/v1/providers")) });
  const add = can.manage(role) && (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setAdding(true)}>
      {t("providers.add")}
    </Button>
  );
  return (
    <Page title={t("nav.providers")} about={t("providers.about")} actions={add}>
      <Loaded query={providers}>
        {({ data }) =>
          data.length === 0 ? (
            <Nothing text={t("providers.none")} />
          ) : (
            <Table<Schemas["ProviderInfo"]>
              size="middle"
              rowKey="name"
              dataSource={data}
              pagination={false}
              scroll={{ x: 900 }}
              columns={[
                {
                  title: t("providers.name"),
                  render: (_, provider) => (
                    <Button type="link" style={{ padding: 0 }} onClick={() => setShown(provider.name)}>
                      {provider.name}
                    </Button>
                  ),
                },
                { title: t("providers.address"), render: (_, provider) => <span className="mono">{provider.base_url}</span> },
                { title: t("providers.preset"), dataIndex: "preset_title" },
                { title: t("providers.source"), render: (_, provider) => <Tag>{t(`providers.${provider.source}` as "providers.stored", provider.source)}</Tag> },
                { title: t("providers.keys"), render: (_, provider) => (provider.api_keys.length === 0 ? NONE : provider.api_keys.map((end) => <Tag key={end}>…{end}</Tag>)) },
                { title: t("providers.state"), render: (_, provider) => <Badge status={provider.problem === null ? "success" : "error"} text={provider.problem ?? t("providers.served")} /> },
              ]}
            />
          )
        }
      </Loaded>
      <Adder open={adding} close={() => setAdding(false)} show={setShown} />
      <Drawer open={shown !== null} onClose={() => setShown(null)} size={760} title={shown ?? ""} destroyOnHidden>
        {shown !== null && <Detail name={shown} close={() => setShown(null)} />}
      </Drawer>
    </Page>
  );
}

function Detail({ name, close }: { name: string; close: () => void }) {
  const { t } = useTranslation();
  const { role } = useUser();
  const message = useMessage();
  const queries = useQueryClient();
  const provider = useQuery({ queryKey: ["providers", name], queryFn: () => taken(api.GET("/admin/v1/providers/{name}", { params: { path: { name } } })) });
  const remove = useMutation({
    mutationFn: () => taken(api.DELETE("/admin/v1/providers/{name}", { params: { path: { name } } })),
    onSuccess: () => {
      close();
      return queries.invalidateQueries({ queryKey: ["providers"], exact: true });
    },
  });
  return (
    <Loaded query={provider}>
      {(found) => (
        <>
          {found.problem && <Alert type="error" showIcon title={found.problem} style={{ marginBottom: 12 }} />}
          <Descriptions
            size="small"
            bordered
            column={1}
            items={[
              { key: "address", label: t("providers.address"), children: <span className="mono">{found.base_url}</span> },
              { key: "preset", label: t("providers.preset"), children: found.preset_title },
              { key: "dialect", label: t("providers.dialect"), children: found.dialect },
              { key: "keys", label: t("providers.keys"), children: found.api_keys.map((end) => `…${end}`).join(", ") || NONE },
              { key: "models", label: t("providers.models"), children: found.models.join(", ") || t("providers.asked") },
              { key: "aliases", label: t("providers.aliases"), children: Object.entries(found.aliases).map(([from, to]) => `${from} → ${to}`).join(", ") || NONE },
            ]}
          />
          <h3>{t("providers.rewrites")}</h3>
          <Rewrites groups={found.rewrites} />
          <Learned name={name} manages={can.manage(role)} />
          {can.manage(role) && <Doctor name={name} mayWrite={found.source === "stored"} />}
          {can.manage(role) && found.source === "stored" && (
            <div style={{ marginTop: 24 }}>
              {remove.error && <Alert type="error" showIcon title={message(remove.error)} style={{ marginBottom: 10 }} />}
              <Popconfirm title={t("providers.deleteSure", { name })} okText={t("actions.delete")} cancelText={t("actions.cancel")} okButtonProps={{ danger: true }} onConfirm={() => remove.mutate()}>
                <Button danger loading={remove.isPending}>
                  {t("actions.delete")}
                </Button>
              </Popconfirm>
            </div>
          )}
        </>
      )}
    </Loaded>
  );
}

function Rewrites({ groups }: { groups: Schemas["RewritesView"][] }) {
  const { t } = useTranslation();
  const telling = groups.filter((group) => group.facts.length > 0);
  if (telling.length === 0) return <p className="soft">{t("providers.noRewrites")}</p>;
  return telling.map((group) => (
    <section key={group.models.join()}>
      <strong className="mono">{group.models.join(", ") || t("providers.otherModels")}</strong>
      <ul>
        {group.facts.map((fact) => (
          <li key={fact.field}>
            {fact.meaning} <span className="soft">({fact.sources.join(", ")})</span>
          </li>
        ))}
      </ul>
    </section>
  ));
}

function Learned({ name, manages }: { name: string; manages: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const queries = useQueryClient();
  const learned = useQuery({ queryKey: ["learned", name], queryFn: () => taken(api.GET("/admin/v1/providers/{name}/learned", { params: { path: { name } } })) });
  const forget = useMutation({
    mutationFn: (query: { model: string; part: string }) => taken(api.DELETE("/admin/v1/providers/{name}/learned", { params: { path: { name }, query } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["learned", name] }),
  });
  return (
    <>
      <h3>{t("providers.learned")}</h3>
      <Loaded query={learned}>
        {({ data }) =>
          data.length === 0 ? (
            <p className="soft">{t("providers.noLearned")}</p>
          ) : (
            <ul className="rows">
              {data.map((rule) => (
                <li key={`${rule.model} ${rule.part}`}>
                  <span>
                    <strong className="mono">{rule.model}</strong> {rule.does.join(" ")}
                    <div className="soft">{t("providers.until", { time: format.instant(rule.expires_at) })}</div>
                  </span>
                  {manages && (
                    <Button size="small" onClick={() => forget.mutate({ model: rule.model, part: rule.part })}>
                      {t("providers.forget")}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </>
  );
}

type Wish = { base_url: string; name: string; api_key?: string; preset?: string; models?: string[] };

function Adder({ open, close, show }: { open: boolean; close: () => void; show: (name: string) => void }) {
  const { t } = useTranslation();
  const message = useMessage();
  const queries = useQueryClient();
  const [form] = Form.useForm<Wish>();
  const address = useSettled(Form.useWatch("base_url", form) ?? "");
  const presets = useQuery({ queryKey: ["presets"], queryFn: () => taken(api.GET("/admin/v1/presets")), enabled: open });
  const preview = useQuery({
    queryKey: ["preview", address],
    queryFn: () => taken(api.POST("/admin/v1/providers/preview", { body: { base_url: address } })),
    enabled: open && /^https?:\/\/\S/.test(address),
    retry: false,
  });
  const add = useMutation({
    mutationFn: ({ base_url, name, api_key, preset, models }: Wish) =>
      taken(api.POST("/admin/v1/providers", { body: { name, base_url, ...(api_key && { api_keys: api_key.split(/\s+/).filter(Boolean) }), ...(preset && { preset }), ...(models?.length && { models }) } })),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ["providers"] });
      void queries.invalidateQueries({ queryKey: ["models"] });
      form.resetFields();
      close();
      show(made.name);
    },
  });
  const found = preview.data;
  useEffect(() => {
    // A name that was written by hand is never overridden.
    if (found && !form.isFieldTouched("name")) form.setFieldValue("name", found.preset.name === "generic" ? new URL(found.base_url).hostname.replaceAll(".", "-") : found.preset.name);
  }, [found, form]);
  const choose = (name: string | undefined) => {
    const preset = presets.data?.data.find((one) => one.name === name);
    if (preset?.base_url && !form.isFieldTouched("base_url")) form.setFieldValue("base_url", preset.base_url);
  };
  return (
    <Modal open={open} onCancel={close} width={640} title={t("providers.add")} okText={t("providers.add")} cancelText={t("actions.cancel")} onOk={() => form.submit()} confirmLoading={add.isPending} destroyOnHidden>
      <Form<Wish> form={form} layout="vertical" onFinish={add.mutate} requiredMark={false}>
        <Form.Item name="base_url" label={t("providers.address")} rules={[{ required: true }]} extra={t("providers.addressAbout")}>
          <Input inputMode="url" autoComplete="off" spellCheck={false} />
        </Form.Item>
        {preview.error && <Alert type="warning" showIcon title={message(preview.error)} style={{ marginBottom: 16 }} />}
        {found && (
          <Alert
            type="info"
            showIcon
            style={{ marginBottom: 16 }}
            title={t("providers.found", { title: found.preset.title })}
            description={
              <>
                {found.preset.key_is_set && <p>{t("providers.keyIsSet", { variables: found.preset.key_variables.join(", ") })}</p>}
                <Rewrites groups={found.rewrites} />
              </>
            }
          />
        )}
        <Form.Item name="name" label={t("providers.name")} rules={[{ required: true }]}>
          <Input autoComplete="off" />
        </Form.Item>
        <Form.Item name="api_key" label={t("providers.key")} extra={t("providers.keyAbout")}>
          <Input.Password autoComplete="off" />
        </Form.Item>
        <Form.Item name="preset" label={t("providers.preset")} extra={t("providers.presetAbout")}>
          <Select allowClear showSearch optionFilterProp="label" onChange={choose} placeholder={t("providers.automatic")} options={presets.data?.data.map(({ name, title }) => ({ value: name, label: title })) ?? []} />
        </Form.Item>
        <Form.Item name="models" label={t("providers.models")}>
          <Select mode="tags" open={false} placeholder={t("providers.asked")} />
        </Form.Item>
        {add.error && <Alert type="error" showIcon title={message(add.error)} />}
      </Form>
    </Modal>
  );
}

/** A value once it has not changed for a while. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
