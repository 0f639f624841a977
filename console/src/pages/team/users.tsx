import { PlusOutlined } from "@ant-design/icons";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Form, Input, Modal, Popconfirm, Select, Switch, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { SHORTEST_PASSWORD, useUser } from "../../api/session";
import { PlanChooser } from "../../components/choosers";
import { sayAtField } from "../../components/form-errors";
import { More } from "../../components/more";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { useFormat } from "../../format";

const ROLES = ["owner", "admin", "auditor", "member"] as const;

type User = Schemas["UserView"];

/** The users, and what each is. */
export function Users({ manages }: { manages: boolean }) {
  const { t } = useTranslation();
  const [search, setSearch] = useState("");
  const [adding, setAdding] = useState(false);
  const users = useInfiniteQuery({
    queryKey: ["users", "listed", search],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/users", { params: { query: { ...(search && { search }), ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  return (
    <>
      <div className="filters spread">
        <Input.Search allowClear placeholder={t("team.search")} aria-label={t("team.search")} onSearch={setSearch} style={{ width: 260 }} />
        {manages && (
          <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setAdding(true)}>
            {t("team.add")}
          </Button>
        )}
      </div>
      <Loaded query={users}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.data);
          return rows.length === 0 ? <Nothing text={search ? t("team.noneFound") : t("team.none")} /> : <UserTable users={rows} manages={manages} />;
        }}
      </Loaded>
      <More pages={users} />
      <Adder open={adding} close={() => setAdding(false)} />
    </>
  );
}

function UserTable({ users, manages }: { users: User[]; manages: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const queries = useQueryClient();
  const me = useUser();
  const [whose, setWhose] = useState<User | null>(null);
  const onSettled = () => queries.invalidateQueries({ queryKey: ["users"] });
  const change = useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Partial<Schemas["ChangedUser"]>) => taken(api.PATCH("/admin/v1/users/{user_id}", { params: { path: { user_id: id } }, body: body as Schemas["ChangedUser"] })),
    onSettled,
  });
  const remove = useMutation({ mutationFn: (id: string) => taken(api.DELETE("/admin/v1/users/{user_id}", { params: { path: { user_id: id } } })), onSettled });
  const error = change.error ?? remove.error;
  const fixed = (user: User) => !manages || user.id === me.id;
  return (
    <>
      <Problem error={error} style={{ marginBottom: 12 }} />
      <Table<User>
        size="middle"
        rowKey="id"
        dataSource={users}
        pagination={false}
        scroll={{ x: 960 }}
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
                style={{ width: 130 }}
                value={user.role}
                disabled={fixed(user)}
                onChange={(role) => change.mutate({ id: user.id, role })}
                options={ROLES.map((role) => ({ value: role, label: t(`roles.${role}`) }))}
              />
            ),
          },
          {
            title: t("keys.plan"),
            render: (_, user) => <PlanChooser label={t("team.planOf", { name: user.name })} style={{ width: 170 }} value={user.plan} disabled={!manages} onChange={(plan) => change.mutate({ id: user.id, plan })} />,
          },
          { title: t("team.lastLogin"), render: (_, user) => format.instant(user.last_login_at) },
          {
            title: t("keys.enabled"),
            render: (_, user) => <Switch checked={user.disabled_at === null} disabled={fixed(user)} aria-label={t("keys.enabledNamed", { name: user.name })} onChange={(enabled) => change.mutate({ id: user.id, disabled: !enabled })} />,
          },
          {
            title: t("actions.title"),
            render: (_, user) =>
              !fixed(user) && (
                <>
                  <Button size="small" type="text" aria-label={t("team.passwordOf", { name: user.name })} onClick={() => setWhose(user)}>
                    {t("entrance.password")}
                  </Button>
                  <Popconfirm title={t("team.deleteSure", { name: user.name })} okText={t("actions.delete")} cancelText={t("actions.cancel")} okButtonProps={{ danger: true }} onConfirm={() => remove.mutate(user.id)}>
                    <Button size="small" danger type="text" aria-label={t("actions.deleteNamed", { name: user.name })}>
                      {t("actions.delete")}
                    </Button>
                  </Popconfirm>
                </>
              ),
          },
        ]}
      />
      <PasswordGiver user={whose} close={() => setWhose(null)} />
    </>
  );
}

function PasswordGiver({ user, close }: { user: User | null; close: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Schemas["NewPassword"]>();
  const give = useMutation({
    mutationFn: (wish: Schemas["NewPassword"]) => taken(api.PUT("/admin/v1/users/{user_id}/password", { params: { path: { user_id: user?.id ?? "" } }, body: wish })),
    onSuccess: close,
  });
  return (
    <Modal open={user !== null} onCancel={close} title={t("team.passwordOf", { name: user?.name })} okText={t("team.setPassword")} cancelText={t("actions.cancel")} onOk={() => form.submit()} confirmLoading={give.isPending} destroyOnHidden>
      <p className="soft">{t("team.resetAbout")}</p>
      <Form<Schemas["NewPassword"]> form={form} layout="vertical" onFinish={give.mutate} requiredMark={false} clearOnDestroy>
        <Form.Item name="password" label={t("entrance.password")} rules={[{ required: true, min: SHORTEST_PASSWORD }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Problem error={give.error} />
      </Form>
    </Modal>
  );
}

function Adder({ open, close }: { open: boolean; close: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [form] = Form.useForm<Schemas["NewUser"]>();
  const add = useMutation({
    mutationFn: (wish: Schemas["NewUser"]) => taken(api.POST("/admin/v1/users", { body: wish })),
    onSuccess: () => {
      form.resetFields();
      close();
      return queries.invalidateQueries({ queryKey: ["users"] });
    },
    onError: (error) => sayAtField(form, error, { name: "name", email: "email", role: "role", plan: "plan", password: "password" }),
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
        <div className="pair">
          <Form.Item name="role" label={t("team.role")}>
            <Select options={ROLES.map((role) => ({ value: role, label: t(`roles.${role}`) }))} />
          </Form.Item>
          <Form.Item name="plan" label={t("keys.plan")}>
            <PlanChooser />
          </Form.Item>
        </div>
        <Form.Item name="password" label={t("entrance.password")} extra={t("team.passwordAbout")} rules={[{ min: SHORTEST_PASSWORD }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Problem error={add.error} />
      </Form>
    </Modal>
  );
}
