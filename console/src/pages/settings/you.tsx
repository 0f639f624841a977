import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Form, Input, Table, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { SHORTEST_PASSWORD, useEntrance } from "../../api/session";
import { Preferences } from "../../components/preferences";
import { Problem } from "../../components/problem";
import { Loaded } from "../../components/states";
import { useFormat } from "../../format";

type Login = Schemas["LoginView"];

const METHODS = { password: "methodPassword", oidc: "methodOidc", setup: "methodSetup" } as const;

/** What is one's own: how the console looks, the password, the logins. */
export function You() {
  const { t } = useTranslation();
  const auth = useEntrance().data?.setup.auth;
  return (
    <>
      <section className="panel">
        <h2>{t("settings.look")}</h2>
        <div className="filters" style={{ margin: "10px 0 0" }}>
          <Preferences />
        </div>
      </section>
      {auth === "off" ? (
        <Alert type="info" showIcon title={t("settings.noLogin")} />
      ) : (
        <>
          <Logins />
          <Password />
        </>
      )}
    </>
  );
}

function Logins() {
  const { t } = useTranslation();
  const format = useFormat();
  const queries = useQueryClient();
  const logins = useQuery({ queryKey: ["logins"], queryFn: () => taken(api.GET("/admin/v1/session/logins")) });
  const onSettled = () => queries.invalidateQueries({ queryKey: ["logins"] });
  const end = useMutation({ mutationFn: (id: string) => taken(api.DELETE("/admin/v1/session/logins/{login_id}", { params: { path: { login_id: id } } })), onSettled });
  const endOthers = useMutation({ mutationFn: () => taken(api.DELETE("/admin/v1/session/logins")), onSettled });
  const error = end.error ?? endOthers.error;
  return (
    <section className="panel">
      <div className="heading-row" style={{ marginBottom: 12 }}>
        <h2>{t("settings.logins")}</h2>
        {(logins.data?.data.length ?? 0) > 1 && (
          <Button loading={endOthers.isPending} onClick={() => endOthers.mutate()}>
            {t("settings.endOthers")}
          </Button>
        )}
      </div>
      <Problem error={error} style={{ marginBottom: 12 }} />
      <Loaded query={logins}>
        {({ data }) => (
          <Table<Login>
            size="small"
            rowKey="id"
            dataSource={data}
            pagination={false}
            scroll={{ x: 640 }}
            columns={[
              {
                title: t("settings.method"),
                render: (_, login: Login) => (
                  <>
                    {t(`settings.${METHODS[login.method]}`)} {login.current && <Tag color="blue">{t("settings.current")}</Tag>}
                  </>
                ),
              },
              { title: t("settings.since"), render: (_, login) => format.instant(login.created_at) },
              { title: t("settings.used"), render: (_, login) => format.instant(login.used_at) },
              { title: t("settings.ends"), render: (_, login) => format.instant(login.expires_at) },
              {
                title: t("actions.title"),
                width: 100,
                render: (_, login) =>
                  !login.current && (
                    <Button size="small" type="text" danger onClick={() => end.mutate(login.id)} aria-label={t("settings.endNamed", { time: format.instant(login.created_at) })}>
                      {t("settings.end")}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

type Wish = { old_password?: string; password: string };

function Password() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [form] = Form.useForm<Wish>();
  const change = useMutation({
    mutationFn: ({ old_password, password }: Wish) => taken(api.PUT("/admin/v1/session/password", { body: { old_password: old_password ?? "", password } })),
    onSuccess: () => {
      form.resetFields();
      return queries.invalidateQueries({ queryKey: ["logins"] });
    },
  });
  return (
    <section className="panel">
      <h2>{t("settings.password")}</h2>
      <p className="soft">{t("settings.passwordAbout")}</p>
      <Form<Wish> form={form} layout="vertical" requiredMark={false} style={{ maxWidth: 420 }} onFinish={change.mutate}>
        <Form.Item name="old_password" label={t("settings.oldPassword")} extra={t("settings.oldPasswordAbout")}>
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Form.Item name="password" label={t("settings.newPassword")} rules={[{ required: true, min: SHORTEST_PASSWORD }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Problem error={change.error} style={{ marginBottom: 12 }} />
        {change.isSuccess && <Alert type="success" showIcon title={t("settings.changed")} style={{ marginBottom: 12 }} />}
        <Button htmlType="submit" type="primary" loading={change.isPending}>
          {t("settings.change")}
        </Button>
      </Form>
    </section>
  );
}
