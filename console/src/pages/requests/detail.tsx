import { useQuery } from "@tanstack/react-query";
import { Descriptions, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { CodeBlock } from "../../components/copy";
import { Loaded } from "../../components/states";
import { StatusBadge } from "../../components/status";
import { NONE, useFormat } from "../../format";
import { Explanation } from "./explanation";
import { Timeline } from "./timeline";

/** All that is known of one request. */
export function Detail({ id }: { id: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { role } = useUser();
  const request = useQuery({ queryKey: ["request", id], queryFn: () => taken(api.GET("/admin/v1/requests/{request_id}", { params: { path: { request_id: id } } })) });
  return (
    <Loaded query={request}>
      {(found) => (
        <>
          {(found.status >= 400 || found.error !== null) && can.manage(role) && <Explanation id={id} />}
          <h3>{t("requests.timeline")}</h3>
          <Timeline request={found} />
          <Descriptions
            size="small"
            bordered
            column={1}
            style={{ marginTop: 14 }}
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
              { key: "changes", label: t("requests.changes"), children: found.changes ? found.changes.split(",").map((change, index) => <Tag key={`${index} ${change}`}>{change}</Tag>) : t("requests.unchanged") },
            ]}
          />
          <h3>{t("requests.attempts")}</h3>
          {found.attempts.length === 0 && <p className="soft">{t("requests.noAttempts")}</p>}
          {found.attempts.map((attempt, index) => (
            <Attempt key={`${attempt.began_ms} ${attempt.engine}`} place={index + 1} attempt={attempt} />
          ))}
          <h3>{t("requests.body")}</h3>
          {found.body === null ? <p className="soft">{t("requests.noBody")}</p> : <CodeBlock text={pretty(found.body)} label={t("requests.body")} />}
        </>
      )}
    </Loaded>
  );
}

function Attempt({ place, attempt }: { place: number; attempt: Schemas["AttemptView"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <section className="way">
      <div className="engine-head">
        <span>
          <Tag color="blue">{place}</Tag>{" "}
          <strong>{attempt.engine}</strong> <span className="mono soft">{attempt.model}</span>
        </span>
        {attempt.status === null ? <span className="mono">{attempt.error ?? NONE}</span> : <StatusBadge status={attempt.status} error={attempt.error} />}
      </div>
      <div className="soft">{t("requests.attemptTimes", { began: format.milliseconds(attempt.began_ms), answered: format.milliseconds(attempt.answered_ms), ended: format.milliseconds(attempt.ended_ms) })}</div>
      {attempt.upstream_id && <div className="soft mono">{attempt.upstream_id}</div>}
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

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // cut off, or not JSON
  }
}
