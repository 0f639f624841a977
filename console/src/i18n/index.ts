import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { stored } from "../stored";
import { type Chunk, type Chunks, en, type Texts } from "./en";
import { zh } from "./zh";

export const LANGUAGES = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: Texts };
  }
}

const TEXTS: Record<Language, Chunks> = { en, zh };
/** What Ant Design says by itself; it comes in English. */
const ANT_DESIGN = { en: () => Promise.resolve(undefined), zh: async () => (await import("antd/es/locale/zh_CN")).default };

const chosen = stored<Language>("language", navigator.language.startsWith("zh") ? "zh" : "en", (value) =>
  Object.hasOwn(LANGUAGES, String(value)),
);
const wanted = new Set<Chunk>(["common"]);
const loads = new Map<string, Promise<void>>();
let next: Language = chosen.read();

/** Ant Design's own texts in the language that is shown. */
export let antLocale: Awaited<ReturnType<(typeof ANT_DESIGN)[Language]>>;

/** The console's language; resolves once there are the texts to show something in it. */
export const begun = begin(chosen.read());

async function begin(language: Language) {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false, // all languages have all texts
    resources: {},
    interpolation: { escapeValue: false }, // React escapes
    returnNull: false,
  });
  await show(language);
}

/** Shows another language, now and the next time. Rejects, and stays with the one that is shown, when its texts cannot be loaded. */
export async function speak(language: Language) {
  await show(language);
  chosen.write(language);
}

/** Loads something with what it says, beside what is common, in the language that is shown. */
export async function withTexts<T>(chunks: Chunk[], load: () => Promise<T>): Promise<T> {
  const [loaded] = await Promise.all([load(), want(chunks)]);
  return loaded;
}

async function want(chunks: Chunk[]) {
  for (const chunk of chunks) wanted.add(chunk);
  await begun;
  await load(i18next.language as Language);
  await load(next); // it may be about to be shown
}

async function show(language: Language) {
  next = language;
  const [locale] = await Promise.all([ANT_DESIGN[language](), load(language)]);
  antLocale = locale;
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

async function load(language: Language) {
  await Promise.all([...wanted].map((chunk) => loaded(language, chunk)));
}

function loaded(language: Language, chunk: Chunk): Promise<void> {
  const name = `${language} ${chunk}`;
  let load = loads.get(name);
  if (load === undefined) {
    load = TEXTS[language][chunk]().then(
      (rooms) => void i18next.addResourceBundle(language, "translation", { ...rooms }, true),
      (error: unknown) => {
        loads.delete(name); // to be tried again
        throw error;
      },
    );
    loads.set(name, load);
  }
  return load;
}
