import type { FormInstance } from "antd";

import { ApiError } from "../api/client";

/**
 * Says at a form's field what the server has against it.
 *
 * @param fields The fields of the form by the server's names for them; `models[2]` is one of `models`.
 * @returns Whether there is such a field; elsewhere the error has to be shown by itself.
 */
export function sayAtField(form: Pick<FormInstance, "setFields">, error: unknown, fields: Record<string, string>): boolean {
  const param = error instanceof ApiError ? error.param?.replace(/\[.*/, "") : undefined;
  const name = param === undefined ? undefined : fields[param];
  if (name === undefined) return false;
  form.setFields([{ name, errors: [(error as ApiError).message] }]);
  return true;
}
