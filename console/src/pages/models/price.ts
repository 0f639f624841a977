import { useTranslation } from "react-i18next";

import type { Schemas } from "../../api/client";
import { NONE } from "../../format";

/** What a model costs, in words: of a million tokens in and out, or of a request. */
export function usePrice() {
  const { t } = useTranslation();
  return ({ prompt, completion, request, currency }: Schemas["PricingView"]): string => {
    const parts = [];
    if (Number(prompt) > 0 || Number(completion) > 0) parts.push(t("models.priceOf", { prompt, completion, currency }));
    if (Number(request) > 0) parts.push(t("models.pricePerRequest", { request, currency }));
    return parts.join(", ") || NONE;
  };
}
