import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Alert, Button, Descriptions, Drawer, Input, Select, Table, Tag } from "antd";
import type { UIEvent } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { api, type Schemas, taken } from "../api/client";
import { can, useUser } from "../api/session";
import { StatusBadge } from "../components/badges";
import { CodeBlock } from "../components/copy";
import { Page } from "../components/page";
import { Loaded, Nothing, useMessage } from "../components/states";
import { NONE, useFormat } from "../format";

const CALLS = 16; // that an explanation may cost
const PAGE = 100;
const NEAR_END = 400; // pixels
const FILTERS = ["model", "provider", "key", "error"] as const;
const STATUSES = ["2xx", "4xx", "5xx", "400", "401", "429", "502"];

/** The request log: newest first, page by page as one scrolls. */
export function Requests() {
  const { t } = useTranslation();
  const format = useFormat();
  const [query, setQuery] = useSearchParams();
  const wanted = Object.fromEntries([...FILTERS, "status"].flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));
  const shown = query.get("request");
  const change = (name: string, value: string | undefined) =>
    setQuery((before) => {
      if (value) before.set(name, value);
      else before.delete(name);
      return before;
    });
  const requests = useInfiniteQuery({
    queryKey: ["requests", wanted],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/requests", { params: { query: { ...wanted, limit: PAGE, ...(pageParam && { before: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  const more = (event: UIEvent<HTMLElement>) => {
    const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END && requests.hasNextPage && !requests.isFetching) void requests.fetchNextPage();
  };
  return (
    <Page title={t("nav.requests")} about={t("requests.about")} actions={<Button onClick={() => void requests.refetch()}>{t("actions.refresh")}</Button>}>
      <div className="filters">
        <Select allowClear aria-label={t("requests.status")} placeholder={t("requests.status")} style={{ width: 130 }} value={query.get("status")} onChange={(value) => change("status", value ?? undefined)} options={STATUSES.map((value) => ({ value, label: value }))} />
        {FILTERS.map((name) => (
          <Input.Search key={`${name} ${query.get(name)}`} allowClear style={{ width: 190 }} defaultValue={query.get(name) ?? ""} aria-label={t(`requests.${name}`)} placeholder={t(`requests.${name}`)} onSearch={(value) => change(name, value.trim())} />
        ))}
      </div>
      <Loaded query={requests}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.data);
          if (rows.length === 0) return <Nothing text={Object.keys(wanted).length > 0 ? t("requests.noneFound") : t("requests.none")} />;
          return (
            <Table<Schemas["RequestView"]>
              size="small"
              virtual
              rowKey="id"
              dataSource={rows}
              pagination={false}
              scroll={{ x: 1100, y: 600 }}
              onScroll={more}
              loading={requests.isFetchingNextPage}
              columns={[
                {
                  title: t("requests.time"),
                  width: 190,
                  render: (_, request) => (
                    <Button type="link" size="small" style={{ padding: 0 }} onClick={() => change("request", request.id)}>
                      {format.instant(request.time)}
                    </Button>
                  ),
                },
                { title: t("requests.status"), width: 190, render: (_, { status, error }) => <StatusBadge status={status} error={error} /> },
                { title: t("requests.model"), width: 220, ellipsis: true, render: (_, request) => <span className="mono">{request.model_asked}</span> },
                { title: t("requests.provider"), width: 120, ellipsis: true, dataIndex: "provider" },
                { title: t("requests.key"), width: 130, ellipsis: true, dataIndex: "key_name" },
                { title: t("requests.tokens"), width: 130, align: "right", render: (_, request) => `${format.integer(request.prompt_tokens)} → ${format.integer(request.completion_tokens)}` },
                { title: t("requests.firstToken"), width: 110, align: "right", render: (_, request) => format.milliseconds(request.first_token_ms) },
                { title: t("requests.total"), width: 100, align: "right", render: (_, request) => format.milliseconds(request.total_ms) },
              ]}
            />
          );
        }}
      </Loaded>
      <Drawer open={shown !== null} onClose={() => change("request", undefined)} size={760} title={t("requests.one")} destroyOnHidden>
        {shown !== null && <Detail id={shown} />}
      </Drawer>
    </Page>
  );
}

function Detail({ id }: { id: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { role } = useUser();
  const request = useQuery({ queryKey: ["request", id], queryFn: () => taken(api.GET("/admin/v1/requests/{request_id}", { params: { path: { request_id: id } } })) });
  return (
    <Loaded query={request}>
      {(found) => (
        <>
          {(found.status >= 400 || found.error !== null) && can.manage(role) && <Explanation id={id} />}
          <Descriptions
            size="small"
            bordered
            column={1}
            items={[
              { key: "id", label: t("requests.id"), children: <span className="mono">{found.id}</span> },
              { key: "time", label: t("requests.time"), children: format.instant(found.time) },
              { key: "status", label: t("requests.status"), children: <StatusBadge status={found.status} error={found.error} /> },
              { key: "model", label: t("requests.model"), children: <span className="mono">{found.model_asked === found.model ? found.model : `${found.model_asked} → ${found.model}`}</span> },
              { key: "provider", label: t("requests.provider"), children: found.provider || NONE },
              { key: "key", label: t("requests.key"), children: found.key_name },
              { key: "dialect", label: t("requests.dialect"), children: `${found.dialect} · ${found.operation}` },
              { key: "tokens", label: t("requests.tokens"), children: t("requests.tokensOf", { prompt: format.integer(found.prompt_tokens), completion: format.integer(found.completion_tokens), cached: format.integer(found.cached_tokens), reasoning: format.integer(found.reasoning_tokens) }) },
              { key: "cost", label: t("requests.cost"), children: `${found.cost} ${found.currency}` },
              { key: "times", label: t("requests.times"), children: t("requests.timesOf", { queue: format.milliseconds(found.queue_ms), first: format.milliseconds(found.first_token_ms), total: format.milliseconds(found.total_ms) }) },
              { key: "changes", label: t("requests.changes"), children: found.changes ? found.changes.split(",").map((change) => <Tag key={change}>{change}</Tag>) : t("requests.unchanged") },
            ]}
          />
          <h3>{t("requests.attempts")}</h3>
          {found.attempts.length === 0 && <p className="soft">{t("requests.noAttempts")}</p>}
          {found.attempts.map((attempt) => (
            <Attempt key={`${attempt.began_ms} ${attempt.engine}`} attempt={attempt} total={found.total_ms} />
          ))}
          <h3>{t("requests.body")}</h3>
          {found.body === null ? <p className="soft">{t("requests.noBody")}</p> : <CodeBlock text={pretty(found.body)} label={t("requests.body")} />}
        </>
      )}
    </Loaded>
  );
}

function Attempt({ attempt, total }: { attempt: Schemas["AttemptView"]; total: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const end = attempt.ended_ms ?? total;
  const answered = attempt.answered_ms ?? end;
  const share = (ms: number) => `${(100 * ms) / Math.max(total, 1)}%`;
  return (
    <section style={{ marginBottom: 14 }} aria-label={attempt.engine}>
      <strong>{attempt.engine}</strong> <span className="mono soft">{attempt.model}</span> <StatusBadge status={attempt.status ?? (attempt.error === null ? 200 : 0)} error={attempt.error} />
      <div className="timeline" aria-hidden="true">
        <span className="waiting" style={{ left: share(attempt.began_ms), width: share(answered - attempt.began_ms) }} />
        <span style={{ left: share(answered), width: share(end - answered) }} />
      </div>
      <div className="soft">{t("requests.attemptTimes", { began: format.milliseconds(attempt.began_ms), answered: format.milliseconds(attempt.answered_ms), ended: format.milliseconds(attempt.ended_ms) })}</div>
      {attempt.sent && (
        <details>
          <summary>{t("requests.sent")}</summary>
          <CodeBlock text={pretty(attempt.sent)} label={t("requests.sent")} />
        </details>
      )}
      {attempt.answer && (
        <details open>
          <summary>{t("requests.answer")}</summary>
          <CodeBlock text={pretty(attempt.answer)} label={t("requests.answer")} />
        </details>
      )}
    </section>
  );
}

function Explanation({ id }: { id: string }) {
  const { t, i18n } = useTranslation();
  const message = useMessage();
  const explain = useMutation({
    mutationFn: (replay: boolean) => taken(api.POST("/admin/v1/requests/{request_id}/explain", { params: { path: { request_id: id } }, body: { replay, calls: CALLS } })),
  });
  const cause = explain.data;
  return (
    <div style={{ marginBottom: 16 }}>
      {!cause && (
        <Button type="primary" loading={explain.isPending} onClick={() => explain.mutate(false)}>
          {t("requests.explain")}
        </Button>
      )}
      {explain.error && <Alert type="error" showIcon title={message(explain.error)} style={{ marginTop: 10 }} />}
      {cause && (
        <Alert
          type="info"
          showIcon
          title={i18n.language === "zh" ? cause.zh : cause.en}
          description={
            <>
              {cause.culprits.length > 0 && (
                <p>
                  {t("requests.culprits")} {cause.culprits.map((culprit) => <Tag key={culprit}>{culprit}</Tag>)}
                </p>
              )}
              {cause.repairs.length > 0 && (
                <ul>
                  {cause.repairs.map((repair) => (
                    <li key={repair}>{repair}</li>
                  ))}
                </ul>
              )}
              {cause.message && <p className="mono">{cause.message}</p>}
              {cause.note && <p>{cause.note}</p>}
              {cause.how !== "replay" && (
                <Button size="small" loading={explain.isPending} onClick={() => explain.mutate(true)}>
                  {t("requests.replay")}
                </Button>
              )}
            </>
          }
        />
      )}
    </div>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // cut off, or not JSON
  }
}
