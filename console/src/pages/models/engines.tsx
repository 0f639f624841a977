import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Progress } from "antd";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { EngineBadge } from "../../components/badges";
import { Panel } from "../../components/panel";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { NONE, useFormat } from "../../format";

const REFRESH_MS = 2_000;
const UNDER_WAY = new Set(["pulling", "starting", "stopping"]);

/** The models that this machine runs: loaded, unloaded, and looked at while they come. */
export function Engines({ manages }: { manages: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const engines = useQuery({ queryKey: ["engines"], queryFn: () => taken(api.GET("/admin/v1/engines")), refetchInterval: REFRESH_MS });
  const act = useMutation({
    mutationFn: ({ name, load }: { name: string; load: boolean }) => {
      const params = { params: { path: { name } } };
      return taken<unknown>(load ? api.POST("/admin/v1/engines/{name}/load", params) : api.POST("/admin/v1/engines/{name}/unload", params));
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["engines"] }),
  });
  return (
    <Panel title={t("models.local")}>
      <Problem error={act.error} style={{ marginBottom: 10 }} />
      <Loaded query={engines}>
        {({ data }) =>
          data.length === 0 ? (
            <Nothing text={t("engines.none")} />
          ) : (
            <ul className="engines">
              {data.map((engine) => (
                <Engine key={engine.model} engine={engine} manages={manages} busy={act.isPending && act.variables.name === engine.model} act={(load) => act.mutate({ name: engine.model, load })} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Engine({ engine, manages, busy, act }: { engine: Schemas["EngineView"]; manages: boolean; busy: boolean; act: (load: boolean) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const loaded = engine.state === "ready";
  const { load } = engine;
  return (
    <li className="engine">
      <div className="engine-head">
        <strong className="mono">{engine.model}</strong>
        <EngineBadge engine={engine} />
      </div>
      {UNDER_WAY.has(engine.state) && <Progress percent={Math.round((engine.progress ?? 0) * 100)} status="active" aria-label={t("models.progressOf", { name: engine.model })} />}
      <dl>
        <dt>{t("models.memoryTitle")}</dt>
        <dd>{format.bytes(engine.memory)}</dd>
        <dt>{t("models.slots")}</dt>
        <dd>{load ? t("models.busy", { running: load.running, slots: load.slots, waiting: load.waiting }) : NONE}</dd>
        <dt>{t("models.lastUsedTitle")}</dt>
        <dd>{format.instant(engine.last_used)}</dd>
      </dl>
      {manages && (
        <Button size="small" loading={busy} disabled={UNDER_WAY.has(engine.state)} aria-label={t(loaded ? "models.unloadNamed" : "models.loadNamed", { name: engine.model })} onClick={() => act(!loaded)}>
          {t(loaded ? "models.unload" : "models.load")}
        </Button>
      )}
    </li>
  );
}
