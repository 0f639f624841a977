import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { stored } from "../stored";
import { en } from "./en";
import { zh } from "./zh";

export const LANGUAGES = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

const chosen = stored<Language>("language", navigator.language.startsWith("zh") ? "zh" : "en", (value) =>
  Object.hasOwn(LANGUAGES, String(value)),
);

void i18next.use(initReactI18next).init({
  lng: chosen.read(),
  fallbackLng: "en",
  resources: { en: { translation: en }, zh: { translation: zh } },
  interpolation: { escapeValue: false }, // React escapes
  returnNull: false,
});
document.documentElement.lang = i18next.language;

/** Shows another language, now and the next time. */
export async function speak(language: Language) {
  chosen.write(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
