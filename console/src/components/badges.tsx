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

/** The status of an answer, and the kind of error where it is one. */
export function StatusBadge({ status, error }: { status: number; error: string | null }) {
  const kind = status < 400 && error === null ? "success" : status < 500 ? "warning" : "error";
  return <Badge status={kind} text={error === null ? String(status) : `${status} ${error}`} />;
}
