import { PlusOutlined } from "@ant-design/icons";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Form, Input, Modal, Popconfirm, Select, Switch, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../api/client";
import { can, useUser } from "../api/session";
import { CodeBlock } from "../components/copy";
import { More } from "../components/more";
import { Page } from "../components/page";
import { Loaded, Nothing, useMessage } from "../components/states";
import { useFormat } from "../format";

type Key = Schemas["KeyView"];
type Shown = { name: string; value: string }[];

/** API keys and access keys. */
export function Keys() {
  const { t } = useTranslation();
  const { role } = useUser();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Shown | null>(null);
  const [search, setSearch] = useState("");
  const keys = useInfiniteQuery({
    queryKey: ["keys", search],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/keys", { params: { query: { ...(search && { search }), ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  const holds = can.hold(role);
  return (
    <Page
      title={t("nav.keys")}
      about={t("keys.about")}
      actions={
        <>
          <Input.Search allowClear placeholder={t("keys.search")} aria-label={t("keys.search")} onSearch={setSearch} style={{ width: 220 }} />
          {holds && (
            <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setMaking(true)}>
              {t("keys.create")}
            </Button>
          )}
        </>
      }
    >
      <Loaded query={keys}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.data);
          if (rows.length === 0) return <Nothing text={search ? t("keys.noneFound") : t("keys.none")} />;
          return (
            <>
              <KeyTable keys={rows} holds={holds} />
              <More pages={keys} />
            </>
          );
        }}
      </Loaded>
      <Maker open={making} close={() => setMaking(false)} show={setMade} />
      <Modal destroyOnHidden open={made !== null} onCancel={() => setMade(null)} title={t("keys.made")} footer={<Button onClick={() => setMade(null)}>{t("actions.done")}</Button>}>
        <Alert type="warning" showIcon title={t("keys.shownOnce")} style={{ marginBottom: 12 }} />
        {made?.map(({ name, value }) => (
          <div key={name}>
            <strong>{name}</strong>
            <CodeBlock text={value} label={name} />
          </div>
        ))}
      </Modal>
    </Page>
  );
}

function KeyTable({ keys, holds }: { keys: Key[]; holds: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const queries = useQueryClient();
  const message = useMessage();
  const [modal, place] = Modal.useModal();
  const done = { onSuccess: () => queries.invalidateQueries({ queryKey: ["keys"] }), onError: (error: unknown) => void modal.error({ title: message(error) }) };
  const change = useMutation({
    mutationFn: ({ id, disabled }: { id: string; disabled: boolean }) => taken(api.PATCH("/admin/v1/keys/{key_id}", { params: { path: { key_id: id } }, body: { disabled } })),
    ...done,
  });
  const remove = useMutation({ mutationFn: (id: string) => taken(api.DELETE("/admin/v1/keys/{key_id}", { params: { path: { key_id: id } } })), ...done });
  return (
    <>
      {place}
      <Table<Key>
        size="middle"
        rowKey="id"
        dataSource={keys}
        pagination={false}
        scroll={{ x: 900 }}
        columns={[
          {
            title: t("keys.name"),
            render: (_, key) => (
              <>
                <strong>{key.name}</strong> {key.kind === "access" && <Tag>{t("keys.access")}</Tag>}
                <div className="mono soft">{key.prefix}…</div>
              </>
            ),
          },
          { title: t("keys.scopes"), render: (_, key) => key.scopes.map((scope) => <Tag key={scope}>{scope}</Tag>) },
          { title: t("keys.models"), render: (_, key) => (key.models.length === 0 ? t("keys.allModels") : <span className="mono">{key.models.join(", ")}</span>) },
          { title: t("keys.plan"), render: (_, key) => key.plan ?? t("keys.unlimited") },
          { title: t("keys.lastUsed"), render: (_, key) => format.instant(key.last_used_at) },
          { title: t("keys.expires"), render: (_, key) => (key.expires_at === null ? t("keys.never") : format.instant(key.expires_at)) },
          {
            title: t("keys.enabled"),
            render: (_, key) => (
              <Switch
                checked={key.disabled_at === null}
                disabled={!holds}
                loading={change.isPending && change.variables.id === key.id}
                aria-label={t("keys.enabledNamed", { name: key.name })}
                onChange={(enabled) => change.mutate({ id: key.id, disabled: !enabled })}
              />
            ),
          },
          {
            title: t("actions.title"),
            render: (_, key) =>
              holds && (
                <Popconfirm title={t("keys.deleteSure", { name: key.name })} okText={t("actions.delete")} cancelText={t("actions.cancel")} okButtonProps={{ danger: true }} onConfirm={() => remove.mutateAsync(key.id).catch(() => undefined)}>
                  <Button size="small" danger type="text" aria-label={t("actions.deleteNamed", { name: key.name })}>
                    {t("actions.delete")}
                  </Button>
                </Popconfirm>
              ),
          },
        ]}
      />
    </>
  );
}

type Wish = { name: string; kind: "api" | "access"; scopes: Schemas["NewKey"]["scopes"]; models?: string[]; plan?: string; days?: number | null };

const LIFETIMES = [7, 30, 90, 365];
const DAY = 86_400;

function Maker({ open, close, show }: { open: boolean; close: () => void; show: (made: Shown) => void }) {
  const { t } = useTranslation();
  const user = useUser();
  const queries = useQueryClient();
  const message = useMessage();
  const [form] = Form.useForm<Wish>();
  const models = useQuery({ queryKey: ["models"], queryFn: () => taken(api.GET("/admin/v1/models")), enabled: open });
  const plans = useQuery({ queryKey: ["plans"], queryFn: () => taken(api.GET("/admin/v1/plans")), enabled: open });
  const make = useMutation({
    mutationFn: async ({ kind, days, models: only, plan, name, scopes }: Wish): Promise<Shown> => {
      const body: Schemas["NewKey"] = { name, scopes, models: only ?? [], plan: plan ?? null, expires_at: days ? Math.floor(Date.now() / 1000) + days * DAY : null, dialects: [], networks: [] };
      if (kind === "api") return [{ name: t("keys.key"), value: (await taken(api.POST("/admin/v1/keys", { body }))).key }];
      const pair = await taken(api.POST("/admin/v1/access-keys", { body }));
      return [
        { name: t("keys.accessId"), value: pair.access_key_id },
        { name: t("keys.secret"), value: pair.secret_access_key },
      ];
    },
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ["keys"] });
      form.resetFields();
      close();
      show(made);
    },
  });
  const scopes = (["inference", "admin", "metrics"] as const).filter((scope) => user.scopes.includes(scope));
  return (
    <Modal open={open} onCancel={close} title={t("keys.create")} okText={t("keys.create")} cancelText={t("actions.cancel")} onOk={() => form.submit()} confirmLoading={make.isPending} destroyOnHidden>
      <Form<Wish> form={form} layout="vertical" initialValues={{ kind: "api", scopes: ["inference"] }} onFinish={make.mutate} requiredMark={false}>
        <Form.Item name="name" label={t("keys.name")} rules={[{ required: true }]}>
          <Input autoComplete="off" />
        </Form.Item>
        <Form.Item name="kind" label={t("keys.kind")} extra={t("keys.kindAbout")}>
          <Select options={[{ value: "api", label: t("keys.api") }, { value: "access", label: t("keys.access") }]} />
        </Form.Item>
        <Form.Item name="scopes" label={t("keys.scopes")} rules={[{ required: true }]}>
          <Select mode="multiple" options={scopes.map((scope) => ({ value: scope, label: t(`scopes.${scope}`) }))} />
        </Form.Item>
        <Form.Item name="models" label={t("keys.models")}>
          <Select mode="tags" placeholder={t("keys.allModels")} options={models.data?.data.map(({ name }) => ({ value: name, label: name })) ?? []} />
        </Form.Item>
        <Form.Item name="plan" label={t("keys.plan")}>
          <Select allowClear placeholder={t("keys.unlimited")} options={plans.data?.data.map(({ name, limits }) => ({ value: name, label: name, title: limits.map(({ text }) => text).join(", ") })) ?? []} />
        </Form.Item>
        <Form.Item name="days" label={t("keys.expires")}>
          <Select allowClear placeholder={t("keys.never")} options={LIFETIMES.map((days) => ({ value: days, label: t("keys.days", { count: days }) }))} />
        </Form.Item>
        {make.error && <Alert type="error" showIcon title={message(make.error)} />}
      </Form>
    </Modal>
  );
}
