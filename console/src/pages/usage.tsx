import { DownloadOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Segmented, Select, Table } from "antd";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../api/client";
import { Page } from "../components/page";
import { Panel } from "../components/panel";
import { Loaded, Nothing, Waiting } from "../components/states";
import { useFormat } from "../format";

const Chart = lazy(() => import("../components/chart"));

const GROUPINGS = ["model", "key", "user", "team", "provider", "day"] as const;
type Grouping = (typeof GROUPINGS)[number];
const RANGES = [1, 7, 30, 90];
const DAY = 86_400;

/** What was used and what that cost. */
export function Usage() {
  const { t } = useTranslation();
  const format = useFormat();
  const [grouping, setGrouping] = useState<Grouping>("model");
  const [days, setDays] = useState(30);
  const [now] = useState(() => Math.floor(Date.now() / 1000));
  const since = now - days * DAY;
  const asked = { group_by: grouping, since };
  const sums = useQuery({ queryKey: ["usage", asked], queryFn: () => taken(api.GET("/admin/v1/usage/summary", { params: { query: asked } })) });
  return (
    <Page
      title={t("nav.usage")}
      about={t("usage.about")}
      actions={
        <>
          <Select aria-label={t("usage.range")} value={days} onChange={setDays} style={{ width: 150 }} options={RANGES.map((value) => ({ value, label: t("usage.lastDays", { count: value }) }))} />
          <Button icon={<DownloadOutlined aria-hidden />} href={csvAddress(asked)} download>
            {t("usage.csv")}
          </Button>
        </>
      }
    >
      <Daily since={since} />
      <Segmented<Grouping> aria-label={t("usage.by")} value={grouping} onChange={setGrouping} options={GROUPINGS.map((value) => ({ value, label: t(`usage.${value}`) }))} style={{ marginBottom: 14 }} />
      <Loaded query={sums}>
        {({ data }) =>
          data.length === 0 ? (
            <Nothing text={t("usage.none")} />
          ) : (
            <Table<Schemas["UsageSum"]>
              size="middle"
              rowKey={(sum) => `${sum.group} ${sum.currency}`}
              dataSource={data}
              pagination={{ pageSize: 50, hideOnSinglePage: true }}
              scroll={{ x: 900 }}
              columns={[
                { title: t(`usage.${grouping}`), render: (_, sum) => <span className="mono">{sum.name || sum.group || t("usage.nobody")}</span> },
                ...(["requests", "errors", "prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"] as const).map((field) => ({
                  title: t(`usage.${field}`),
                  align: "right" as const,
                  sorter: (a: Schemas["UsageSum"], b: Schemas["UsageSum"]) => a[field] - b[field],
                  render: (_: unknown, sum: Schemas["UsageSum"]) => format.integer(sum[field]),
                })),
                { title: t("usage.cost"), align: "right", sorter: (a, b) => Number(a.cost) - Number(b.cost), render: (_, sum) => `${sum.cost} ${sum.currency}` },
              ]}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

function csvAddress(asked: { group_by: Grouping; since: number }): string {
  return `/admin/v1/usage/summary.csv?${new URLSearchParams({ ...asked, since: String(asked.since) })}`;
}

function Daily({ since }: { since: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const sums = useQuery({ queryKey: ["usage", "days", since], queryFn: () => taken(api.GET("/admin/v1/usage/summary", { params: { query: { group_by: "day", since } } })) });
  const shown = useMemo(() => {
    const days = new Map<string, { prompt: number; completion: number }>();
    for (const sum of sums.data?.data ?? []) {
      const before = days.get(sum.group) ?? { prompt: 0, completion: 0 };
      days.set(sum.group, { prompt: before.prompt + sum.prompt_tokens, completion: before.completion + sum.completion_tokens });
    }
    return [...days].sort(([a], [b]) => a.localeCompare(b));
  }, [sums.data]);
  const series = useMemo(
    () => [
      { name: t("usage.prompt_tokens"), values: shown.map(([, sum]) => sum.prompt) },
      { name: t("usage.completion_tokens"), values: shown.map(([, sum]) => sum.completion) },
    ],
    [t, shown],
  );
  const days = shown.map(([day]) => format.day(Date.parse(day) / 1000)).join("\n");
  const steps = useMemo(() => days.split("\n"), [days]);
  if (shown.length === 0) return null;
  return (
    <Panel title={t("usage.daily")}>
      <Suspense fallback={<Waiting />}>
        <Chart label={t("usage.daily")} steps={steps} series={series} />
      </Suspense>
    </Panel>
  );
}
