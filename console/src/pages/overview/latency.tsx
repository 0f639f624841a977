import { useTranslation } from "react-i18next";

import { Panel } from "../../components/panel";
import { Nothing } from "../../components/states";
import { useFormat } from "../../format";

const SHARES = [0.5, 0.9, 0.95, 0.99];

/** How long the first tokens of requests took. */
export function FirstToken({ waits }: { waits: number[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const sorted = [...waits].sort((a, b) => a - b);
  const longest = Math.max(quantile(sorted, 0.99) ?? 1, 1);
  return (
    <Panel title={t("overview.firstToken")}>
      {sorted.length === 0 ? (
        <Nothing text={t("overview.noFirstToken")} />
      ) : (
        <>
          <div className="gantt">
            {SHARES.map((share) => {
              const value = quantile(sorted, share) ?? 0;
              return (
                <div className="gantt-row" key={share}>
                  <span className="gantt-name">{share === 0.5 ? t("overview.median") : t("overview.within", { share: format.percent(share) })}</span>
                  <span className="gantt-track">
                    <span className="gantt-bar" style={{ width: `${(value / longest) * 100}%` }} />
                  </span>
                  <span className="gantt-time">{format.milliseconds(value)}</span>
                </div>
              );
            })}
          </div>
          <p className="soft">{t("overview.ofLatest", { count: sorted.length })}</p>
        </>
      )}
    </Panel>
  );
}

/** The value that a share of sorted ones does not exceed. */
export function quantile(sorted: number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}
