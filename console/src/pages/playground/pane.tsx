import { XMarkdown } from "@ant-design/x-markdown";
import { Progress, Select, Spin, Tag } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../api/client";
import { Copy } from "../../components/copy";
import { Nothing } from "../../components/states";
import { useFormat } from "../../format";
import type { Conversation } from "./bench";
import { CallCard, Results } from "./calls";
import { openCalls, type Turn } from "./turn";

const NEAR_END = 80; // pixels
const SHORTEST = 0.05; // seconds of words, below which a speed says nothing

type Props = {
  models: Schemas["ModelView"][];
  pane: Conversation;
  choose: (model: string) => void;
  giveResults: (results: string[]) => void;
};

/** A conversation with one model. */
export function Pane({ models, pane: { model, turns, running }, choose, giveResults }: Props) {
  const { t } = useTranslation();
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = body.current;
    if (element && element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END + element.clientHeight / 2) element.scrollTop = element.scrollHeight;
  }, [turns]);
  const waiting = running ? [] : openCalls(turns);
  return (
    <section className="pane" aria-label={model}>
      <div className="pane-head">
        <Select
          showSearch
          aria-label={t("playground.model")}
          style={{ flex: 1, minWidth: 0 }}
          value={model}
          disabled={running}
          onChange={choose}
          options={models.map(({ name, provider }) => ({ value: name, label: name, title: provider }))}
        />
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
      <div className="pane-body" ref={body} tabIndex={0} role="log" aria-label={t("playground.conversation")} aria-busy={running}>
        {turns.length === 0 && <Nothing text={t("playground.empty")} />}
        {turns.map((turn, index) => (
          <Shown key={turn.id} turn={turn} running={running && index === turns.length - 1} />
        ))}
        {waiting.length > 0 && <Results key={turns.at(-1)?.id} calls={waiting} give={giveResults} />}
      </div>
    </section>
  );
}

function Shown({ turn, running }: { turn: Turn; running: boolean }) {
  const { t } = useTranslation();
  if (turn.role === "tool") {
    return (
      <article className="turn tool">
        <h3>{t("playground.resultOf", { name: turn.calls[0]?.name })}</h3>
        <pre>{turn.text}</pre>
      </article>
    );
  }
  const empty = !turn.text && !turn.reasoning && turn.calls.length === 0 && turn.images.length === 0;
  return (
    <article className={["turn", turn.role].join(" ")}>
      <h3>{turn.role === "user" ? t("playground.you") : turn.model}</h3>
      {turn.reasoning && (
        <details>
          <summary>{t("playground.reasoning")}</summary>
          <div>{turn.reasoning}</div>
        </details>
      )}
      <Media turn={turn} />
      {turn.text && (
        <div className="turn-text">
          {turn.role === "user" ? turn.text : <XMarkdown content={turn.text} escapeRawHtml openLinksInNewTab streaming={{ hasNextChunk: running }} />}
        </div>
      )}
      {turn.calls.map((call) => (
        <CallCard key={call.id} call={call} />
      ))}
      {running && empty && <Waiting progress={turn.progress} />}
      {turn.error && (
        <p role="alert" className="failed">
          {turn.error}
        </p>
      )}
      {turn.role === "assistant" && !running && <Foot turn={turn} />}
    </article>
  );
}

function Media({ turn: { role, images, videos } }: { turn: Turn }) {
  const { t } = useTranslation();
  if (images.length === 0 && videos.length === 0) return null;
  return (
    <div className={role === "assistant" ? "thumbs large" : "thumbs"}>
      {images.map((url, index) => (
        <img key={url.slice(-40)} src={url} alt={t("playground.image", { number: index + 1 })} />
      ))}
      {videos.map((url, index) => (
        <video key={url.slice(-40)} src={url} controls muted aria-label={t("playground.video", { number: index + 1 })} />
      ))}
    </div>
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
    completionTokens !== null && seconds > SHORTEST ? t("playground.speed", { rate: (completionTokens / seconds).toFixed(1) }) : null,
  ].filter((part) => part !== null);
  return (
    <div className="turn-foot">
      {turn.stopped && <Tag color="warning">{t("playground.stopped")}</Tag>}
      {parts.join(" · ")} {turn.text && <Copy text={turn.text} />}
    </div>
  );
}
