import { useMutation } from "@tanstack/react-query";
import { Alert, Button, Popconfirm } from "antd";
import { useTranslation } from "react-i18next";

import { api, ApiError, type Schemas, taken } from "../../api/client";
import { Diffs } from "../../components/diff";
import { Problem } from "../../components/problem";
import { useMessage } from "../../components/states";
import type { Choice } from ".";

/** The files of an agent on the server's machine: what would change, writing it, and giving back what was there. */
export function Files({ agent, choice }: { agent: Schemas["AgentView"]; choice: Choice }) {
  const { t } = useTranslation();
  const message = useMessage();
  const params = { path: { name: agent.name } };
  const wish = { model: choice.model, small_model: choice.smallModel, key: choice.key };
  const look = useMutation({ mutationFn: () => taken(api.POST("/admin/v1/agents/{name}/diff", { params, body: wish })) });
  const write = useMutation({
    mutationFn: (digest: string) => taken(api.POST("/admin/v1/agents/{name}/connect", { params, body: { ...wish, digest } })),
    onSuccess: () => look.mutate(),
  });
  const restore = useMutation({
    mutationFn: (force: boolean) => taken(api.POST("/admin/v1/agents/{name}/restore", { params, body: { force } })),
    onSuccess: () => {
      write.reset();
      look.reset();
    },
  });
  const edited = restore.error instanceof ApiError && restore.error.kind === "conflict";
  const error = look.error ?? write.error;
  const shown = look.data;
  return (
    <>
      <p className="soft">{t("connect.hereAbout", { agent: agent.title, home: shown?.home ?? agent.home })}</p>
      <Problem error={error} style={{ marginBottom: 12 }} />
      {write.data && <Alert type="success" showIcon title={t("connect.wrote", { paths: write.data.paths.join(", ") })} style={{ marginBottom: 12 }} />}
      {restore.data && <Alert type="success" showIcon title={t("connect.restored", { paths: restore.data.paths.join(", ") })} style={{ marginBottom: 12 }} />}
      {restore.error && (
        <Alert
          type="error"
          showIcon
          title={edited ? undefined : message(restore.error)}
          description={edited && <pre className="block">{message(restore.error)}</pre>}
          action={
            edited && (
              <Button danger size="small" onClick={() => restore.mutate(true)}>
                {t("connect.loseEdits")}
              </Button>
            )
          }
          style={{ marginBottom: 12 }}
        />
      )}
      {shown && !shown.installed && <Alert type="info" showIcon title={t("connect.notInstalled", { agent: agent.title })} style={{ marginBottom: 12 }} />}
      {shown && (shown.diff === "" ? <p>{t("connect.unchanged")}</p> : <Diffs text={shown.diff} label={t("connect.difference")} />)}
      <div className="filters" style={{ margin: "12px 0 0" }}>
        <Button disabled={!choice.key} title={choice.key ? undefined : t("connect.needKey")} loading={look.isPending} onClick={() => look.mutate()}>
          {t("connect.show")}
        </Button>
        {shown && shown.diff !== "" && (
          <Button type="primary" loading={write.isPending} onClick={() => write.mutate(shown.digest)}>
            {t("connect.write")}
          </Button>
        )}
        <Popconfirm title={t("connect.restoreSure", { agent: agent.title })} okText={t("connect.restore")} cancelText={t("actions.cancel")} onConfirm={() => restore.mutateAsync(false).catch(() => undefined)}>
          <Button loading={restore.isPending}>{t("connect.restore")}</Button>
        </Popconfirm>
      </div>
      {!choice.key && <p className="soft">{t("connect.needKey")}</p>}
    </>
  );
}
