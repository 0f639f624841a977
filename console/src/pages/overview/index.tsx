import { useQuery } from "@tanstack/react-query";
import { Alert, Progress } from "antd";
import { lazy, Suspense, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link, Navigate } from "react-router";

import { api, type Schemas, taken } from "../../api/client";
import { usePools } from "../../api/pools";
import { can, useUser } from "../../api/session";
import { EngineBadge, ProviderBadge } from "../../components/badges";
import { Page } from "../../components/page";
import { Panel } from "../../components/panel";
import { Failure, Loaded, Nothing, Waiting } from "../../components/states";
import { localeOf, NONE, useFormat } from "../../format";
import { FirstToken, quantile } from "./latency";
import { Quotas } from "./quotas";

const Chart = lazy(() => import("../../components/chart"));

const REFRESH_MS = 5_000;
const DAYS = 7;
const HOURS = 24;
const HOUR = 3600;
const RECENT = 200;

/** How the server is doing, kept up to date while it is looked at. */
export function Overview() {
  const { role } = useUser();
  return can.read(role) ? <Dashboard /> : <Navigate to="/playground" replace />;
}

function Dashboard() {
  const { t } = useTranslation();
  return (
    <Page title={t("nav.overview")} about={t("overview.about")} actions={<Live />}>
      <Health />
      <Figures />
      <Quotas />
      <div className="columns">
        <Traffic />
        <Errors />
      </div>
      <div className="columns">
        <Engines />
        <Providers />
        <Latency />
        <TopModels />
      </div>
    </Page>
  );
}

function Live() {
  const { t } = useTranslation();
  const format = useFormat();
  const { data } = useStatus();
  return data && <span className="soft live">{t("overview.live", { time: format.time(data.now) })}</span>;
}

function useStatus() {
  return useQuery({ queryKey: ["status"], queryFn: () => taken(api.GET("/admin/v1/status")), refetchInterval: REFRESH_MS });
}

function Health() {
  const { t } = useTranslation();
  const status = useStatus();
  if (status.error) return <Failure error={status.error} retry={() => void status.refetch()} />;
  const { obstacle, problems } = status.data ?? { obstacle: null, problems: [] };
  return (
    <>
      {obstacle && <Alert className="notice" type="warning" showIcon title={t("overview.notReady")} description={obstacle.message} style={{ marginBottom: 14 }} />}
      {problems.map((problem) => (
        <Alert key={problem} type="error" showIcon title={problem} style={{ marginBottom: 14 }} />
      ))}
    </>
  );
}

function useRecent() {
  return useQuery({
    queryKey: ["requests", "latest"],
    queryFn: () => taken(api.GET("/admin/v1/usage/recent", { params: { query: { limit: RECENT } } })),
    refetchInterval: REFRESH_MS,
  });
}

function useHours() {
  return useQuery({
    queryKey: ["usage", "hours"],
    queryFn: () => taken(api.GET("/admin/v1/usage/summary", { params: { query: { group_by: "hour", since: Math.floor(Date.now() / 1000) - DAYS * HOURS * HOUR } } })),
    refetchInterval: REFRESH_MS,
  });
}

function Figures() {
  const { t } = useTranslation();
  const format = useFormat();
  const hours = useHours();
  const recent = useRecent();
  const day = (hours.data?.data ?? []).filter((sum) => Date.parse(sum.group) / 1000 > (hours.data?.until ?? 0) - HOURS * HOUR);
  const total = (field: "requests" | "errors" | "prompt_tokens" | "completion_tokens") => day.reduce((sum, row) => sum + row[field], 0);
  const waits = waitsOf(recent.data?.data).sort((a, b) => a - b);
  const requests = total("requests");
  const tiles = [
    { name: t("overview.requests"), value: format.integer(requests), note: t("overview.last24h") },
    {
      name: t("overview.tokens"),
      value: format.compact(total("prompt_tokens") + total("completion_tokens")),
      note: t("overview.inAndOut", { in: format.compact(total("prompt_tokens")), out: format.compact(total("completion_tokens")) }),
    },
    { name: t("overview.spend"), value: spend(day), note: t("overview.last24h") },
    {
      name: t("overview.firstToken"),
      value: format.milliseconds(quantile(waits, 0.5)),
      note: t("overview.p95", { value: format.milliseconds(quantile(waits, 0.95)) }),
    },
    { name: t("overview.errorRate"), value: requests === 0 ? NONE : format.percent(total("errors") / requests), note: t("overview.failed", { count: total("errors") }) },
  ];
  return (
    <dl className="tiles" style={{ marginTop: 0 }}>
      {tiles.map((tile) => (
        <div className="tile" key={tile.name}>
          <dt>{tile.name}</dt>
          <dd>
            {tile.value}
            <small>{tile.note}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Traffic() {
  const { t, i18n } = useTranslation();
  const hours = useHours();
  const shown = useMemo(() => {
    const byHour = new Map<number, Schemas["UsageSum"][]>();
    for (const sum of hours.data?.data ?? []) {
      const hour = Date.parse(sum.group) / 1000;
      byHour.set(hour, [...(byHour.get(hour) ?? []), sum]);
    }
    const last = Math.floor((hours.data?.until ?? 0) / HOUR) * HOUR;
    const instants = Array.from({ length: HOURS }, (_, step) => last - (HOURS - 1 - step) * HOUR);
    const sum = (instant: number, field: "requests" | "errors") => (byHour.get(instant) ?? []).reduce((total, row) => total + row[field], 0);
    const clock = new Intl.DateTimeFormat(localeOf(i18n.language), { hour: "2-digit", minute: "2-digit" });
    return {
      steps: instants.map((instant) => clock.format(instant * 1000)),
      served: instants.map((instant) => sum(instant, "requests") - sum(instant, "errors")),
      failed: instants.map((instant) => sum(instant, "errors")),
    };
  }, [hours.data, i18n.language]);
  const series = useMemo(
    () => [
      { name: t("overview.served"), values: shown.served },
      { name: t("overview.failedOnes"), values: shown.failed },
    ],
    [t, shown],
  );
  return (
    <Panel title={t("overview.traffic")}>
      <Loaded query={hours}>
        {() => (
          <Suspense fallback={<Waiting />}>
            <Chart label={t("overview.traffic")} steps={shown.steps} series={series} />
          </Suspense>
        )}
      </Loaded>
    </Panel>
  );
}

function Errors() {
  const { t } = useTranslation();
  const format = useFormat();
  const recent = useRecent();
  return (
    <Panel title={t("overview.errors")} extra={<Link to="/requests?status=5xx">{t("overview.all")}</Link>}>
      <Loaded query={recent}>
        {({ data }) => {
          const kinds = counted(data.flatMap((row) => (row.error === null ? [] : [row.error])));
          if (data.length === 0) return <Nothing text={t("overview.noTraffic")} />;
          if (kinds.length === 0) return <Nothing text={t("overview.noErrors", { count: data.length })} />;
          return (
            <ul className="rows">
              {kinds.map(([kind, count]) => (
                <li key={kind}>
                  <Link to={{ pathname: "/requests", search: new URLSearchParams({ error: kind }).toString() }} className="mono">
                    {kind}
                  </Link>
                  <span>
                    {format.integer(count)} <span className="soft">{format.percent(count / data.length)}</span>
                  </span>
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function Latency() {
  return <Loaded query={useRecent()}>{({ data }) => <FirstToken waits={waitsOf(data)} />}</Loaded>;
}

/** Milliseconds to the first token, of the requests that had one. */
function waitsOf(rows: Schemas["RequestUsage"][] = []): number[] {
  return rows.flatMap((row) => (row.first_token_ms === null ? [] : [row.first_token_ms]));
}

function Engines() {
  const { t } = useTranslation();
  const engines = useQuery({ queryKey: ["engines"], queryFn: () => taken(api.GET("/admin/v1/engines")), refetchInterval: REFRESH_MS });
  return (
    <Panel title={t("overview.engines")} extra={<Link to="/models">{t("overview.all")}</Link>}>
      <Loaded query={engines}>
        {({ data }) =>
          data.length === 0 ? (
            <Nothing text={t("engines.none")} />
          ) : (
            <ul className="rows">
              {data.map((engine) => (
                <li key={engine.model}>
                  <span className="mono">{engine.model}</span>
                  <EngineBadge engine={engine} />
                  {engine.progress !== null && engine.state !== "ready" && <Progress percent={Math.round(engine.progress * 100)} size="small" aria-label={engine.model} />}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Providers() {
  const { t } = useTranslation();
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => taken(api.GET("/admin/v1/providers")), refetchInterval: REFRESH_MS });
  const pools = usePools();
  return (
    <Panel title={t("nav.providers")} extra={<Link to="/providers">{t("overview.all")}</Link>}>
      <Loaded query={providers}>
        {({ data }) =>
          data.length === 0 ? (
            <Nothing text={t("upstreams.none")}>
              <Link to="/providers">{t("upstreams.add")}</Link>
            </Nothing>
          ) : (
            <ul className="rows">
              {data.map((provider) => (
                <li key={provider.name}>
                  <Link to={{ pathname: "/providers", search: new URLSearchParams({ provider: provider.name }).toString() }}>{provider.name}</Link>
                  <ProviderBadge provider={provider} pool={pools.get(provider.name)} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function TopModels() {
  const { t } = useTranslation();
  const format = useFormat();
  const sums = useQuery({
    queryKey: ["usage", "models"],
    queryFn: () => taken(api.GET("/admin/v1/usage/summary", { params: { query: { group_by: "model", since: Math.floor(Date.now() / 1000) - DAYS * HOURS * HOUR } } })),
  });
  return (
    <Panel title={t("overview.topModels", { days: DAYS })} extra={<Link to="/usage">{t("overview.all")}</Link>}>
      <Loaded query={sums}>
        {({ data }) =>
          data.length === 0 ? (
            <Nothing text={t("overview.noTraffic")}>
              <Link to="/playground">{t("overview.try")}</Link>
            </Nothing>
          ) : (
            <ul className="rows">
              {[...data].sort((a, b) => b.requests - a.requests).slice(0, 6).map((sum) => (
                <li key={`${sum.group} ${sum.currency}`}>
                  <span className="mono">{sum.name || sum.group}</span>
                  <span className="soft">{t("overview.requestsOf", { count: sum.requests, shown: format.integer(sum.requests) })}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

/** What was spent, by currency; the server's sums are exact decimals, and this one is for reading only. */
function spend(sums: Schemas["UsageSum"][]): string {
  const byCurrency = new Map<string, number>();
  for (const sum of sums) {
    const cost = Number(sum.cost);
    if (cost > 0) byCurrency.set(sum.currency, (byCurrency.get(sum.currency) ?? 0) + cost);
  }
  return byCurrency.size === 0 ? "0" : [...byCurrency].map(([currency, cost]) => `${cost.toPrecision(3)} ${currency}`).join(" + ");
}

function counted(words: string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
