import { Badge } from "antd";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../api/client";
import { usePoolList } from "../../api/pools";
import { Loaded } from "../../components/states";
import { useFormat } from "../../format";

/** A provider's keys: which of them may be sent, and which rest until when, and why. */
export function Pool({ name }: { name: string }) {
  const { t } = useTranslation();
  const pools = usePoolList();
  return (
    <section aria-labelledby="pool">
      <h3 id="pool">{t("providers.pool")}</h3>
      <Loaded query={pools}>
        {({ data }) => {
          const pool = data.find(({ provider }) => provider === name);
          if (pool === undefined) return <p className="soft">{t("providers.noPool")}</p>;
          return (
            <>
              <ul className="rows">
                {pool.keys.map((key, index) => (
                  <li key={`${key.key} ${index}`}>
                    <span className="mono">{key.key ?? t("providers.keyless")}</span>
                    <Rests rests={key.rests} />
                    <span className="soft">{t("providers.calls", { count: key.calls })}</span>
                  </li>
                ))}
                {pool.rests.length > 0 && (
                  <li>
                    <span>{t("providers.anyKey")}</span>
                    <Rests rests={pool.rests} />
                  </li>
                )}
              </ul>
              {pool.waiting > 0 && <p>{t("providers.waiting", { count: pool.waiting })}</p>}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function Rests({ rests }: { rests: Schemas["RestView"][] }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (rests.length === 0) return <Badge status="success" text={t("providers.free")} />;
  return (
    <span>
      {rests.map((rest) => (
        <Badge
          key={rest.model ?? ""}
          style={{ display: "block" }}
          status={rest.reason === "upstream_credential" ? "error" : "warning"}
          text={
            <>
              {t("providers.restsUntil", { time: format.time(rest.until) })} <span className="mono">{rest.reason}</span>
              {rest.model !== null && <span className="mono soft"> · {rest.model}</span>}
            </>
          }
        />
      ))}
    </span>
  );
}
