import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Button, Drawer, Input, Select, Table } from "antd";
import { type UIEvent, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, timed } from "../../api/client";
import { Page } from "../../components/page";
import { Loaded, Nothing } from "../../components/states";
import { StatusBadge } from "../../components/status";
import { useFormat } from "../../format";
import { PAGES } from "../../pages";
import { usePlace } from "../../place";
import { Detail } from "./detail";

const { opens: OPENS } = PAGES.requests;
const PAGE = 200;
const NEAR_END = 3_000; // pixels: the next page is on its way before one sees the end of this one
const AROUND = 330; // pixels of the window that are not the list
const LEAST = 320;
const FILTERS = ["model", "provider", "key", "error"] as const;
const STATUSES = ["2xx", "4xx", "5xx", "400", "401", "429", "502"];

/** The request log: newest first, page by page as one scrolls. */
export function Requests() {
  const { t } = useTranslation();
  const [query, change] = usePlace();
  const shown = query.get(OPENS);
  const wanted = Object.fromEntries([...FILTERS, "status", "until"].flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));
  const requests = useInfiniteQuery({
    queryKey: ["requests", wanted],
    queryFn: ({ pageParam }) => timed(api.GET("/admin/v1/requests", { params: { query: { ...wanted, limit: PAGE, ...(pageParam && { before: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: ({ answer }) => answer.next,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => requests.data?.pages.flatMap(({ answer }) => answer.data) ?? [], [requests.data]);
  const took = requests.data?.pages.at(-1)?.took ?? null;
  const more = (event: UIEvent<HTMLElement>) => {
    const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END && requests.hasNextPage && !requests.isFetching) void requests.fetchNextPage();
  };
  return (
    <Page title={t("nav.requests")} about={t("requests.about")} actions={<Button onClick={() => void requests.refetch()}>{t("actions.refresh")}</Button>}>
      <div className="filters">
        <Select allowClear aria-label={t("requests.status")} placeholder={t("requests.status")} style={{ width: 120 }} value={query.get("status")} onChange={(value) => change("status", value ?? undefined)} options={STATUSES.map((value) => ({ value, label: value }))} />
        {FILTERS.map((name) => (
          <Input.Search key={`${name} ${query.get(name)}`} allowClear style={{ width: 180 }} defaultValue={query.get(name) ?? ""} aria-label={t(`requests.${name}`)} placeholder={t(`requests.${name}`)} onSearch={(value) => change(name, value.trim())} />
        ))}
        <Input type="datetime-local" style={{ width: 210 }} aria-label={t("requests.until")} title={t("requests.until")} value={localInstant(query.get("until"))} onChange={(event) => change("until", event.target.value ? String(Math.floor(Date.parse(event.target.value) / 1000)) : undefined)} />
      </div>
      <Loaded query={requests}>
        {() => (rows.length === 0 ? <Nothing text={Object.keys(wanted).length > 0 ? t("requests.noneFound") : t("requests.none")} /> : <Log key={JSON.stringify(wanted)} rows={rows} more={more} busy={requests.isPlaceholderData} show={(id) => change(OPENS, id)} />)}
      </Loaded>
      <Told rows={rows.length} complete={!requests.hasNextPage} took={took} />
      <Drawer open={shown !== null} onClose={() => change(OPENS, undefined)} size={800} title={t("requests.one")} destroyOnHidden>
        {shown !== null && <Detail id={shown} />}
      </Drawer>
    </Page>
  );
}

/** How much is here, and how long the server took for the last page of it. */
function Told({ rows, complete, took }: { rows: number; complete: boolean; took: number | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <p className="soft told" aria-live="off">
      {t(complete ? "requests.rowsAll" : "requests.rows", { count: rows, shown: format.integer(rows) })}
      {took !== null && <span data-testid="server-time"> · {t("requests.server", { time: format.fine(took) })}</span>}
    </p>
  );
}

function Log({ rows, more, busy, show }: { rows: Schemas["RequestView"][]; more: (event: UIEvent<HTMLElement>) => void; busy: boolean; show: (id: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const height = useHeight();
  return (
    <Table<Schemas["RequestView"]>
      size="small"
      virtual
      rowKey={({ id, time }) => `${time} ${id}`}
      dataSource={rows}
      pagination={false}
      scroll={{ x: 1160, y: height }}
      onScroll={more}
      loading={busy}
      columns={[
        {
          title: t("requests.time"),
          width: 190,
          render: (_, request) => (
            <Button type="link" size="small" style={{ padding: 0 }} onClick={() => show(request.id)}>
              {format.moment(request.time)}
            </Button>
          ),
        },
        { title: t("requests.status"), width: 200, render: (_, { status, error }) => <StatusBadge status={status} error={error} /> },
        { title: t("requests.model"), width: 230, ellipsis: true, render: (_, request) => <span className="mono">{request.model_asked}</span> },
        { title: t("requests.provider"), width: 130, ellipsis: true, dataIndex: "provider" },
        { title: t("requests.key"), width: 130, ellipsis: true, dataIndex: "key_name" },
        { title: t("requests.tokens"), width: 140, align: "right", render: (_, request) => `${format.integer(request.prompt_tokens)} → ${format.integer(request.completion_tokens)}` },
        { title: t("requests.firstToken"), width: 110, align: "right", render: (_, request) => format.milliseconds(request.first_token_ms) },
        { title: t("requests.total"), width: 100, align: "right", render: (_, request) => format.milliseconds(request.total_ms) },
      ]}
    />
  );
}

/** Pixels that the list may take in the window. */
function useHeight(): number {
  const [height, setHeight] = useState(window.innerHeight);
  useEffect(() => {
    const resized = () => setHeight(window.innerHeight);
    window.addEventListener("resize", resized);
    return () => window.removeEventListener("resize", resized);
  }, []);
  return Math.max(LEAST, height - AROUND);
}

/** An instant in seconds as a field for dates and times has it. */
function localInstant(seconds: string | null): string {
  const instant = Number(seconds) * 1000;
  if (!instant) return "";
  return new Date(instant - new Date(instant).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
