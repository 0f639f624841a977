import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Modal, Popconfirm, Switch, Table, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { useTeams, useUsers } from "../../api/people";
import { can, useUser } from "../../api/session";
import { useMessage } from "../../components/states";
import { NONE, useFormat } from "../../format";
import { DIALECTS } from "./dialects";

type Key = Schemas["KeyView"];

/** Keys, and what each may do. */
export function KeyTable({ keys, holds }: { keys: Key[]; holds: boolean }) {
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
        scroll={{ x: 1000 }}
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
          { title: t("keys.belongs"), render: (_, key) => <Owner of={key} /> },
          { title: t("keys.may"), render: (_, key) => <May of={key} /> },
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

/** Whose a key is, and for which team it counts. */
function Owner({ of: { user_id, team_id } }: { of: Key }) {
  const me = useUser();
  const users = useUsers("", can.read(me.role));
  const teams = useTeams();
  if (user_id === null && team_id === null) return <span className="soft">{NONE}</span>;
  const user = user_id === me.user ? me.name : (users.data?.data.find(({ id }) => id === user_id)?.name ?? user_id);
  const team = teams.data?.data.find(({ id }) => id === team_id)?.name ?? team_id;
  return (
    <>
      {user}
      {team !== null && <div className="soft">{team}</div>}
    </>
  );
}

/** What a key may do, and what it is kept to. */
function May({ of: { scopes, models, dialects, networks } }: { of: Key }) {
  const { t } = useTranslation();
  const kept = [
    { title: t("keys.models"), names: models },
    { title: t("keys.dialects"), names: dialects.map((name) => (name in DIALECTS ? t(`dialects.${DIALECTS[name as keyof typeof DIALECTS]}`) : name)) },
    { title: t("keys.networks"), names: networks },
  ].filter(({ names }) => names.length > 0);
  return (
    <>
      {scopes.map((scope) => (
        <Tag key={scope}>{scope}</Tag>
      ))}
      {kept.map(({ title, names }) => (
        <div key={title} className="small">
          <span className="soft">{title}</span> <span className="mono">{names.join(", ")}</span>
        </div>
      ))}
    </>
  );
}
