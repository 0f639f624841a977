import { Alert, type AlertProps } from "antd";

import { useMessage } from "./states";

/** What went wrong with something that one has asked for; nothing where nothing did. */
export function Problem({ error, ...place }: { error: unknown } & Pick<AlertProps, "className" | "style">) {
  const message = useMessage();
  return error ? <Alert type="error" showIcon title={message(error)} {...place} /> : null;
}
