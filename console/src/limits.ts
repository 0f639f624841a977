import { useTranslation } from "react-i18next";

import type { Schemas } from "./api/client";
import { useFormat } from "./format";

const MICRO = 1e6;

type Limit = Pick<Schemas["PlanLimitView"], "unit" | "amount" | "window">;

/** Says limits, such as "1,500 requests in 5 hours", and amounts of what they count. */
export function useLimits() {
  const { t } = useTranslation();
  const format = useFormat();
  const amountOf = (unit: Limit["unit"], value: number) => (unit === "money" ? (value / MICRO).toFixed(2) : format.integer(value));
  const said = ({ unit, amount, window }: Limit) => t(`limits.${unit}`, { amount: amountOf(unit, amount), window: format.span(window ?? 0) });
  return { amountOf, said };
}
