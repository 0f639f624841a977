import { Badge } from "antd";

/** The status of an answer, and the kind of error where it is one. */
export function StatusBadge({ status, error }: { status: number; error: string | null }) {
  const kind = status < 400 && error === null ? "success" : status < 500 ? "warning" : "error";
  return <Badge status={kind} text={error === null ? String(status) : `${status} ${error}`} />;
}
