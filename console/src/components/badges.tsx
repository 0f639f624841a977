import { Badge } from "antd";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../api/client";

const STATES = { ready: "success", loading: "processing", starting: "processing", pulling: "processing", failed: "error" } as const;

/** The state of a local model. */
export function EngineBadge({ engine }: { engine: Schemas["EngineView"] }) {
  const { t } = useTranslation();
  const status = STATES[engine.state as keyof typeof STATES] ?? "default";
  return <Badge status={status} text={engine.message ?? t(`engines.${engine.state}` as "engines.ready", engine.state)} />;
}

/** How a provider is: why it is not served, or what of it rests. */
export function ProviderBadge({ provider, pool }: { provider: Schemas["ProviderInfo"]; pool: Schemas["PoolView"] | undefined }) {
  const { t } = useTranslation();
  if (provider.problem !== null) return <Badge status="error" text={provider.problem} />;
  if (!provider.enabled) return <Badge status="default" text={t("upstreams.disabled")} />;
  const resting = pool?.keys.filter((key) => key.rests.length > 0).length ?? 0;
  if (resting > 0) return <Badge status={resting === pool?.keys.length ? "error" : "warning"} text={t("upstreams.resting", { resting, keys: pool?.keys.length ?? 0 })} />;
  if (pool && pool.rests.length > 0) return <Badge status="warning" text={t("upstreams.restingModels", { count: pool.rests.length })} />;
  return <Badge status="success" text={t("upstreams.served")} />;
}
