import { useQuery } from "@tanstack/react-query";
import { Segmented } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { Panel } from "../../components/panel";
import { Loaded, Nothing } from "../../components/states";
import { useFormat } from "../../format";
import { useLimits } from "../../limits";

const REFRESH_MS = 5_000;
const SHOWN = 12;
const HIGH = 0.8; // of a limit, from where on it is worth a look
const HOUR = 3600;
const WINDOWS = { all: null, hours: 5 * HOUR, week: 7 * 24 * HOUR };

type Quota = Schemas["QuotaView"];
type Window = keyof typeof WINDOWS;

/** How far limits are used up, those that are the nearest to their end first, and when more is left. */
export function Quotas() {
  const { t } = useTranslation();
  const [window, setWindow] = useState<Window>("all");
  const quotas = useQuery({ queryKey: ["quotas"], queryFn: () => taken(api.GET("/admin/v1/quotas")), refetchInterval: REFRESH_MS });
  return (
    <Panel
      title={t("overview.quotas")}
      extra={<Segmented<Window> size="small" aria-label={t("overview.window")} value={window} onChange={setWindow} options={(Object.keys(WINDOWS) as Window[]).map((value) => ({ value, label: t(`overview.${value}`) }))} />}
    >
      <Loaded query={quotas}>
        {({ data, complete }) => {
          const shown = data.filter((quota) => WINDOWS[window] === null || quota.window === WINDOWS[window]);
          if (shown.length === 0) return <Nothing text={t(data.length === 0 ? "overview.noQuotas" : "overview.noneOfWindow")} />;
          return (
            <>
              <ul className="meters">
                {shown.slice(0, SHOWN).map((quota) => (
                  <Meter key={`${quota.kind} ${quota.id} ${quota.name} ${quota.model} ${quota.text}`} quota={quota} />
                ))}
              </ul>
              {shown.length > SHOWN && <p className="soft">{t("overview.moreQuotas", { count: shown.length - SHOWN })}</p>}
              {!complete && <p className="soft">{t("overview.notAllQuotas")}</p>}
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function Meter({ quota }: { quota: Quota }) {
  const { t } = useTranslation();
  const limits = useLimits();
  const format = useFormat();
  const share = quota.amount === 0 ? 1 : Math.min(1, quota.used / quota.amount);
  const level = share >= 1 ? "meter-fill full" : share >= HIGH ? "meter-fill high" : "meter-fill";
  const name = quota.name || t("overview.wholeServer");
  const used = limits.amountOf(quota.unit, quota.used);
  const label = t("overview.meter", { name, used, amount: limits.amountOf(quota.unit, quota.amount) });
  return (
    <li>
      <div className="meter-head">
        <span>
          <strong>{name}</strong> <span className="soft">{t(`overview.kind_${quota.kind}`)}</span>
        </span>
        <span>{format.percent(share)}</span>
      </div>
      {quota.model !== null && <div className="mono soft">{quota.model}</div>}
      <div className="meter-track" role="meter" aria-label={label} aria-valuenow={quota.used} aria-valuemin={0} aria-valuemax={Math.max(quota.amount, quota.used)}>
        <div className={level} style={{ width: `${share * 100}%` }} />
      </div>
      <div className="soft">
        {t("overview.usedOf", { used, limit: limits.said(quota) })}
        {quota.plan !== null && ` · ${quota.plan}`}
        {quota.reset !== null && <div>{t("overview.resets", { time: format.instant(quota.reset) })}</div>}
      </div>
    </li>
  );
}
