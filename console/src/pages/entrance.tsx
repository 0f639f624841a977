import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Divider, Form, Input } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { api, type Schemas, taken } from "../api/client";
import { SESSION, SHORTEST_PASSWORD } from "../api/session";
import { Brand } from "../components/brand";
import { Preferences } from "../components/preferences";
import { Problem } from "../components/problem";

/** Leads to the provider of identities and back to a page. */
const LOG_IN_ELSEWHERE = "/admin/v1/oidc/start?back=";
/** The part of the address in which the server says why it does not let somebody in. */
const REFUSED = "refused";

/** The way in: the first owner with the set-up token, then everybody by password or by the provider of identities. */
export function Entrance({ setup }: { setup: Schemas["SetupState"] }) {
  const { t } = useTranslation();
  const title = setup.needed ? t("entrance.setUp") : t("entrance.logIn");
  const refusal = useRefusal();
  useEffect(() => {
    document.title = `${title} · Rixin`;
  }, [title]);
  return (
    <main className="entrance">
      <div className="entrance-card">
        <Brand />
        <h1>{title}</h1>
        {refusal !== null && <Alert type="error" showIcon title={t(`refusals.${refusal}` as "refusals.untrusted", t("refusals.untrusted"))} style={{ marginBottom: 16 }} />}
        {setup.needed ? <SetUp /> : <LogIn />}
        {setup.oidc !== null && (
          <>
            <Divider plain>{t("entrance.or")}</Divider>
            <Button block size="large" href={LOG_IN_ELSEWHERE + encodeURIComponent(window.location.pathname + window.location.search)}>
              {t("entrance.with", { provider: setup.oidc })}
            </Button>
          </>
        )}
        <div className="entrance-foot">
          <Preferences />
        </div>
      </div>
    </main>
  );
}

/** Why the provider's word did not let somebody in; the address tells it once. */
function useRefusal(): string | null {
  const [query, setQuery] = useSearchParams();
  const [refusal] = useState(query.get(REFUSED));
  useEffect(() => {
    if (refusal !== null) setQuery({}, { replace: true });
  }, [refusal, setQuery]);
  return refusal;
}

function SetUp() {
  const { t } = useTranslation();
  const enter = useEnter((wish: Schemas["SetupWish"]) => taken(api.POST("/admin/v1/setup", { body: wish })));
  return (
    <>
      <p className="soft">{t("entrance.setUpAbout")}</p>
      <Form layout="vertical" requiredMark={false} onFinish={enter.mutate} size="large">
        <Form.Item name="token" label={t("entrance.token")} rules={[{ required: true }]} extra={t("entrance.tokenWhere")}>
          <Input autoComplete="off" spellCheck={false} />
        </Form.Item>
        <Form.Item name="name" label={t("entrance.name")} rules={[{ required: true }]}>
          <Input autoComplete="name" />
        </Form.Item>
        <Email />
        <Form.Item name="password" label={t("entrance.password")} rules={[{ required: true, min: SHORTEST_PASSWORD }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Problem error={enter.error} style={{ marginBottom: 16 }} />
        <Button block type="primary" htmlType="submit" loading={enter.isPending}>
          {t("entrance.makeOwner")}
        </Button>
      </Form>
    </>
  );
}

function LogIn() {
  const { t } = useTranslation();
  const enter = useEnter((wish: Schemas["Credentials"]) => taken(api.POST("/admin/v1/login", { body: wish })));
  return (
    <Form layout="vertical" requiredMark={false} onFinish={enter.mutate} size="large">
      <Email />
      <Form.Item name="password" label={t("entrance.password")} rules={[{ required: true }]}>
        <Input.Password autoComplete="current-password" />
      </Form.Item>
      <Problem error={enter.error} style={{ marginBottom: 16 }} />
      <Button block type="primary" htmlType="submit" loading={enter.isPending}>
        {t("entrance.logIn")}
      </Button>
    </Form>
  );
}

function Email() {
  const { t } = useTranslation();
  return (
    <Form.Item name="email" label={t("entrance.email")} rules={[{ required: true, type: "email" }]}>
      <Input type="email" autoComplete="username" />
    </Form.Item>
  );
}

function useEnter<T>(enter: (wish: T) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: enter, onSuccess: () => queries.invalidateQueries({ queryKey: SESSION }) });
}
