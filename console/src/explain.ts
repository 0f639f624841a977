import { useTranslation } from "react-i18next";

import type { Schemas } from "./api/client";

type Phrase = Schemas["PhraseView"];

/** Says what the server says by codes, in the language that is shown; in the server's English what is not known here. */
export function useExplain() {
  const { t, i18n } = useTranslation();
  return (phrase: Phrase | null | undefined, english: string): string => {
    if (!phrase) return english;
    const parameters = Object.entries(phrase.parameters).map(([name, value]) => [name, phrase.parameters[`${name}_${i18n.language}`] ?? value]);
    return t(`explanations.${phrase.code}` as "explanations.untouched", { defaultValue: english, ...Object.fromEntries(parameters) });
  };
}
