import { PlusOutlined } from "@ant-design/icons";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Form, Input, Modal, Popconfirm, Select, Switch, Table, Tabs } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../api/client";
import { can, useUser } from "../api/session";
import { More } from "../components/more";
import { Page } from "../components/page";
import { Loaded, Nothing, useMessage } from "../components/states";
import { useFormat } from "../format";

const ROLES = ["owner", "admin", "auditor", "member"] as const;

/** Who may come in, and who did what. */
export function Team() {
  const { t } = useTranslation();
  const { role } = useUser();
  const [inviting, setInviting] = useState(false);
  const manages = can.manage(role);
  return (
    <Page
      title={t("nav.team")}
      about={t("team.about")}
      actions={
        manages && (
          <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setInviting(true)}>
            {t("team.add")}
          </Button>
        )
      }
    >
      <Tabs
        items={[
          { key: "users", label: t("team.users"), children: <Users manages={manages} /> },
          { key: "audit", label: t("team.audit"), children: <Audit /> },
        ]}
      />
      <Adder open={inviting} close={() => setInviting(false)} />
    </Page>
  );
}

function Users({ manages }: { manages: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const message = useMessage();
  const queries = useQueryClient();
  const me = useUser();
  const users = useInfiniteQuery({
    queryKey: ["users"],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/users", { params: { query: pageParam ? { after: pageParam } : {} } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  const onSettled = () => queries.invalidateQueries({ queryKey: ["users"] });
  const change = useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Partial<Schemas["ChangedUser"]>) => taken(api.PATCH("/admin/v1/users/{user_id}", { params: { path: { user_id: id } }, body: body as Schemas["ChangedUser"] })),
    onSettled,
  });
  const remove = useMutation({ mutationFn: (id: string) => taken(api.DELETE("/admin/v1/users/{user_id}", { params: { path: { user_id: id } } })), onSettled });
  const error = change.error ?? remove.error;
  return (
    <>
      {error && <Alert type="error" showIcon title={message(error)} style={{ marginBottom: 12 }} />}
      <Loaded query={users}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.data);
          if (rows.length === 0) return <Nothing text={t("team.none")} />;
          return (
            <Table<Schemas["UserView"]>
              size="middle"
              rowKey="id"
              dataSource={rows}
              pagination={false}
              scroll={{ x: 800 }}
              columns={[
                {
                  title: t("entrance.name"),
                  render: (_, user) => (
                    <>
                      <strong>{user.name}</strong>
                      <div className="soft">{user.email}</div>
                    </>
                  ),
                },
                {
                  title: t("team.role"),
                  render: (_, user) => (
                    <Select
                      aria-label={t("team.roleOf", { name: user.name })}
                      style={{ width: 140 }}
                      value={user.role}
                      disabled={!manages || user.id === me.id}
                      onChange={(role) => change.mutate({ id: user.id, role })}
                      options={ROLES.map((role) => ({ value: role, label: t(`roles.${role}`) }))}
                    />
                  ),
                },
                { title: t("team.lastLogin"), render: (_, user) => format.instant(user.last_login_at) },
                {
                  title: t("keys.enabled"),
                  render: (_, user) => (
                    <Switch checked={user.disabled_at === null} disabled={!manages || user.id === me.id} aria-label={t("keys.enabledNamed", { name: user.name })} onChange={(enabled) => change.mutate({ id: user.id, disabled: !enabled })} />
                  ),
                },
                {
                  title: t("actions.title"),
                  render: (_, user) =>
                    manages &&
                    user.id !== me.id && (
                      <Popconfirm title={t("keys.deleteSure", { name: user.name })} okText={t("actions.delete")} cancelText={t("actions.cancel")} onConfirm={() => remove.mutate(user.id)}>
                        <Button size="small" danger type="text" aria-label={t("actions.deleteNamed", { name: user.name })}>
                          {t("actions.delete")}
                        </Button>
                      </Popconfirm>
                    ),
                },
              ]}
            />
          );
        }}
      </Loaded>
      <More pages={users} />
    </>
  );
}

function Audit() {
  const { t } = useTranslation();
  const format = useFormat();
  const audit = useInfiniteQuery({
    queryKey: ["audit"],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/audit", { params: { query: pageParam ? { before: pageParam } : {} } })),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
  });
  return (
    <>
    <Loaded query={audit}>
      {({ pages }) => (
        <Table<Schemas["AuditView"]>
          size="small"
          rowKey="sequence"
          dataSource={pages.flatMap((page) => page.data)}
          pagination={false}
          scroll={{ x: 800 }}
          columns={[
            { title: t("requests.time"), render: (_, act) => format.instant(act.time) },
            { title: t("team.who"), render: (_, act) => act.actor_name || act.actor },
            { title: t("team.what"), render: (_, act) => <span className="mono">{act.action}</span> },
            { title: t("team.target"), render: (_, act) => <span className="mono">{act.target}</span> },
            { title: t("team.from"), dataIndex: "address" },
          ]}
        />
      )}
    </Loaded>
    <More pages={audit} />
    </>
  );
}

function Adder({ open, close }: { open: boolean; close: () => void }) {
  const { t } = useTranslation();
  const message = useMessage();
  const queries = useQueryClient();
  const [form] = Form.useForm<Schemas["NewUser"]>();
  const add = useMutation({
    mutationFn: (wish: Schemas["NewUser"]) => taken(api.POST("/admin/v1/users", { body: wish })),
    onSuccess: () => {
      form.resetFields();
      close();
      return queries.invalidateQueries({ queryKey: ["users"] });
    },
  });
  return (
    <Modal open={open} onCancel={close} title={t("team.add")} okText={t("team.add")} cancelText={t("actions.cancel")} onOk={() => form.submit()} confirmLoading={add.isPending} destroyOnHidden>
      <Form<Schemas["NewUser"]> form={form} layout="vertical" initialValues={{ role: "member" }} onFinish={add.mutate} requiredMark={false}>
        <Form.Item name="name" label={t("entrance.name")} rules={[{ required: true }]}>
          <Input autoComplete="off" />
        </Form.Item>
        <Form.Item name="email" label={t("entrance.email")} rules={[{ required: true, type: "email" }]}>
          <Input type="email" autoComplete="off" />
        </Form.Item>
        <Form.Item name="role" label={t("team.role")}>
          <Select options={ROLES.map((role) => ({ value: role, label: t(`roles.${role}`) }))} />
        </Form.Item>
        <Form.Item name="password" label={t("entrance.password")} extra={t("team.passwordAbout")} rules={[{ min: 8 }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        {add.error && <Alert type="error" showIcon title={message(add.error)} />}
      </Form>
    </Modal>
  );
}
