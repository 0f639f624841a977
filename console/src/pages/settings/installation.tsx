import { useQuery } from "@tanstack/react-query";
import { Descriptions } from "antd";
import { useTranslation } from "react-i18next";

import { api, taken } from "../../api/client";
import { Loaded } from "../../components/states";
import { NONE, useFormat } from "../../format";

const COUNTERS = { process: "process", database: "countersDatabase" } as const;

/** What the server is made of, and where it keeps things. */
export function Installation() {
  const { t } = useTranslation();
  const format = useFormat();
  const made = useQuery({ queryKey: ["installation"], queryFn: () => taken(api.GET("/admin/v1/installation")) });
  const status = useQuery({ queryKey: ["status"], queryFn: () => taken(api.GET("/admin/v1/status")) });
  const mono = (text: string | null) => <span className="mono">{text ?? NONE}</span>;
  return (
    <Loaded query={made}>
      {(found) => (
        <>
          <section className="panel">
            <h2>{t("settings.server")}</h2>
            <Descriptions
              size="small"
              column={{ xs: 1, md: 2 }}
              items={[
                { key: "version", label: t("settings.version"), children: mono(found.version) },
                { key: "started", label: t("settings.started"), children: format.instant(status.data?.started_at) },
                { key: "python", label: t("settings.python"), children: mono(found.python) },
                { key: "workers", label: t("settings.workers"), children: status.data?.workers ?? NONE },
                { key: "system", label: t("settings.system"), children: mono(found.system) },
              ]}
            />
          </section>
          <section className="panel">
            <h2>{t("settings.paths")}</h2>
            <Descriptions
              size="small"
              column={1}
              items={[
                { key: "config", label: t("settings.config"), children: mono(found.config_file) },
                { key: "data", label: t("settings.data"), children: mono(found.data_dir) },
                { key: "models", label: t("settings.models"), children: mono(found.models_dir) },
                { key: "files", label: t("settings.files"), children: mono(found.files) },
              ]}
            />
          </section>
          <section className="panel">
            <h2>{t("settings.stores")}</h2>
            <Descriptions
              size="small"
              column={1}
              items={[
                {
                  key: "database",
                  label: t("settings.database"),
                  children: (
                    <>
                      {found.database} {mono(found.database_place)}
                    </>
                  ),
                },
                { key: "counters", label: t("settings.counters"), children: found.counters === "redis" ? mono(found.counters_place) : t(`settings.${COUNTERS[found.counters]}`) },
              ]}
            />
          </section>
          <section className="panel">
            <h2>{t("settings.parts")}</h2>
            <Descriptions size="small" column={{ xs: 1, sm: 2, md: 4 }} items={Object.entries(found.parts).map(([name, version]) => ({ key: name, label: name, children: mono(version) }))} />
          </section>
        </>
      )}
    </Loaded>
  );
}
