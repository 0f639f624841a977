import { useTranslation } from "react-i18next";

import type { Schemas } from "../../api/client";
import { useFormat } from "../../format";

type Bar = { name: string; kind: "queue" | "waiting" | "answering" | "failed"; from: number; to: number };

/** What a request's time went into, one bar below the other. */
export function Timeline({ request }: { request: Schemas["RequestDetailView"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const total = Math.max(request.total_ms, 1);
  const share = (value: number) => `${(Math.min(Math.max(value, 0), total) / total) * 100}%`;
  const bars = barsOf(request, { queue: t("requests.queue"), waiting: t("requests.waiting"), answering: t("requests.answering") });
  return (
    <div className="gantt" role="img" aria-label={t("requests.timesOf", { queue: format.milliseconds(request.queue_ms), first: format.milliseconds(request.first_token_ms), total: format.milliseconds(request.total_ms) })}>
      {bars.map((bar) => (
        <div className="gantt-row" key={`${bar.name} ${bar.kind} ${bar.from}`}>
          <span className="gantt-name">{bar.name}</span>
          <span className="gantt-track">
            <span className={["gantt-bar", bar.kind].join(" ")} style={{ left: share(bar.from), width: share(bar.to - bar.from) }} />
            {request.first_token_ms !== null && <span className="gantt-mark" style={{ left: share(request.first_token_ms) }} title={t("requests.firstToken")} />}
          </span>
          <span className="gantt-time">{format.milliseconds(bar.to - bar.from)}</span>
        </div>
      ))}
      <div className="gantt-row soft">
        <span className="gantt-name" />
        <span className="gantt-scale">
          <span>{format.milliseconds(0)}</span>
          {request.first_token_ms !== null && <span>{t("requests.firstAt", { time: format.milliseconds(request.first_token_ms) })}</span>}
          <span>{format.milliseconds(request.total_ms)}</span>
        </span>
        <span className="gantt-time" />
      </div>
    </div>
  );
}

function barsOf(request: Schemas["RequestDetailView"], names: { queue: string; waiting: string; answering: string }): Bar[] {
  const bars: Bar[] = [];
  if (request.queue_ms) bars.push({ name: names.queue, kind: "queue", from: 0, to: request.queue_ms });
  request.attempts.forEach((attempt, index) => {
    const end = attempt.ended_ms ?? request.total_ms;
    const answered = attempt.answered_ms ?? end;
    const failed = attempt.error !== null;
    const who = `${index + 1}. ${attempt.engine}`;
    bars.push({ name: `${who} · ${names.waiting}`, kind: failed && attempt.answered_ms === null ? "failed" : "waiting", from: attempt.began_ms, to: answered });
    if (end > answered) bars.push({ name: `${who} · ${names.answering}`, kind: failed ? "failed" : "answering", from: answered, to: end });
  });
  return bars;
}
