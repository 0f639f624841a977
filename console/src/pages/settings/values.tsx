import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Input, Switch, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { Problem } from "../../components/problem";
import { Loaded } from "../../components/states";
import { NONE } from "../../format";

type Setting = Schemas["SettingView"];

/** What is set, and where it comes from. */
export function Values({ mayReload }: { mayReload: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [search, setSearch] = useState("");
  const [onlySet, setOnlySet] = useState(true);
  const settings = useQuery({ queryKey: ["settings"], queryFn: () => taken(api.GET("/admin/v1/settings")) });
  const reload = useMutation({ mutationFn: () => taken(api.POST("/admin/v1/settings/reload")), onSettled: () => queries.invalidateQueries() });
  const problem = reload.data?.problem;
  return (
    <Loaded query={settings}>
      {({ file, file_exists, data }) => {
        const rows = data.filter(({ name, source, pending }) => name.includes(search.trim().toLowerCase()) && (!onlySet || source !== "default" || pending));
        return (
          <>
            <div className="filters" style={{ alignItems: "center" }}>
              <Input.Search allowClear placeholder={t("settings.search")} aria-label={t("settings.search")} onChange={(event) => setSearch(event.target.value)} style={{ width: 240 }} />
              <span>
                <Switch size="small" checked={onlySet} onChange={setOnlySet} aria-label={t("settings.onlySet")} /> {t("settings.onlySet")}
              </span>
              {mayReload && file !== null && (
                <Button loading={reload.isPending} onClick={() => reload.mutate()}>
                  {t("settings.reload")}
                </Button>
              )}
            </div>
            <p className="soft name">{file === null ? t("settings.noFileAtAll") : t(file_exists ? "settings.configFile" : "settings.noFile", { file })}</p>
            <Problem error={reload.error} style={{ marginBottom: 12 }} />
            {reload.data && (
              <Alert type={problem ? "error" : "success"} showIcon title={problem ? t("settings.problem", { problem }) : t("settings.reloaded")} style={{ marginBottom: 12 }} />
            )}
            <Table<Setting>
              size="small"
              rowKey="name"
              dataSource={rows}
              pagination={false}
              scroll={{ x: 760 }}
              locale={{ emptyText: <span className="soft">{t("settings.noneFound")}</span> }}
              columns={[
                { title: t("settings.name"), width: 260, render: (_, { name }) => <strong className="mono">{name}</strong> },
                { title: t("settings.value"), render: (_, setting) => <Value setting={setting} /> },
                {
                  title: t("settings.from"),
                  width: 230,
                  render: (_, { source, origin, restart }: Setting) => (
                    <>
                      <Tag {...(source !== "default" && { color: "blue" })}>{t(`settings.${source}`)}</Tag>
                      {origin !== null && <div className="mono soft">{origin}</div>}
                      <div className="soft">{t(restart ? "settings.restart" : "settings.live")}</div>
                    </>
                  ),
                },
              ]}
            />
          </>
        );
      }}
    </Loaded>
  );
}

function Value({ setting }: { setting: Setting }) {
  const { t } = useTranslation();
  const { value, pending } = setting;
  const empty = value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
  return (
    <>
      {empty ? NONE : typeof value === "object" ? <pre className="block">{JSON.stringify(value, null, 2)}</pre> : <span className="mono">{String(value)}</span>}
      {pending && <Alert type="warning" showIcon title={t("settings.pending")} style={{ marginTop: 6 }} />}
    </>
  );
}
