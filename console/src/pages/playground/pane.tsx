import { XMarkdown } from "@ant-design/x-markdown";
import { Progress, Select, Spin } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../api/client";
import { Copy } from "../../components/copy";
import { Nothing } from "../../components/states";
import { useFormat } from "../../format";
import type { Turn } from "./turn";

const NEAR_END = 80; // pixels

type Props = {
  models: Schemas["ModelView"][];
  model: string;
  choose: (model: string) => void;
  turns: Turn[];
  running: boolean;
};

/** A conversation with one model. */
export function Pane({ models, model, choose, turns, running }: Props) {
  const { t } = useTranslation();
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = body.current;
    if (element && element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END + element.clientHeight / 2) element.scrollTop = element.scrollHeight;
  }, [turns]);
  return (
    <section className="pane" aria-label={model}>
      <div className="pane-head">
        <Select
          showSearch
          aria-label={t("playground.model")}
          style={{ flex: 1, minWidth: 0 }}
          value={model}
          onChange={choose}
          options={models.map(({ name, provider }) => ({ value: name, label: name, title: provider }))}
        />
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
      <div className="pane-body" ref={body} tabIndex={0} role="log" aria-label={t("playground.conversation")}>
        {turns.length === 0 && <Nothing text={t("playground.empty")} />}
        {turns.map((turn, index) => (
          <Shown key={turn.id} turn={turn} running={running && index === turns.length - 1} />
        ))}
      </div>
    </section>
  );
}

function Shown({ turn, running }: { turn: Turn; running: boolean }) {
  const { t } = useTranslation();
  return (
    <article className={["turn", turn.role].join(" ")}>
      <h3>{turn.role === "user" ? t("playground.you") : turn.model}</h3>
      {turn.reasoning && (
        <details>
          <summary>{t("playground.reasoning")}</summary>
          {turn.reasoning}
        </details>
      )}
      {turn.images.length > 0 && (
        <div className="thumbs">
          {turn.images.map((url, index) => (
            <img key={url.slice(-40)} src={url} alt={t("playground.image", { number: index + 1 })} style={turn.role === "assistant" ? { width: "auto", height: "auto" } : {}} />
          ))}
        </div>
      )}
      {turn.text && (
        <div className="turn-text">
          {turn.role === "user" ? turn.text : <XMarkdown content={turn.text} escapeRawHtml openLinksInNewTab streaming={{ hasNextChunk: running }} />}
        </div>
      )}
      {running && !turn.text && !turn.reasoning && <Waiting progress={turn.progress} />}
      {turn.error && (
        <p role="alert" className="mono">
          {turn.error}
        </p>
      )}
      {turn.role === "assistant" && !running && <Foot turn={turn} />}
    </article>
  );
}

/** A picture tells how far it is, an answer in words begins when it comes. */
function Waiting({ progress }: { progress: Turn["progress"] }) {
  const { t } = useTranslation();
  if (progress === null) return <Spin size="small" aria-label={t("playground.waiting")} />;
  const stage = t(`playground.${progress.stage}`);
  return (
    <div style={{ maxWidth: 360 }}>
      <span className="soft">{stage}</span>
      <Progress size="small" status="active" aria-label={stage} percent={Math.round(100 * progress.part)} />
    </div>
  );
}

function Foot({ turn }: { turn: Turn }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { firstMs, totalMs, promptTokens, completionTokens } = turn.figures;
  const seconds = totalMs === null || firstMs === null ? 0 : (totalMs - firstMs) / 1000;
  const parts = [
    firstMs === null ? null : t("playground.first", { time: format.milliseconds(firstMs) }),
    totalMs === null ? null : t("playground.total", { time: format.milliseconds(totalMs) }),
    promptTokens === null ? null : t("playground.prompt", { tokens: format.integer(promptTokens) }),
    completionTokens === null ? null : t("playground.completion", { tokens: format.integer(completionTokens) }),
    completionTokens !== null && seconds > 0 ? t("playground.speed", { rate: (completionTokens / seconds).toFixed(1) }) : null,
  ].filter((part) => part !== null);
  return (
    <div className="turn-foot">
      {parts.join(" · ")} {turn.text && <Copy text={turn.text} />}
    </div>
  );
}
