import { useTranslation } from "react-i18next";

const LOCALES: Record<string, string> = { en: "en-GB", zh: "zh-CN" };

const UNITS_OF_TIME: [string, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** Whose habits a language's numbers and instants follow. */
export const localeOf = (language: string) => LOCALES[language] ?? "en-GB";

/** How numbers, instants and sizes are written in the language that is shown. */
export function useFormat() {
  const { i18n } = useTranslation();
  const locale = localeOf(i18n.language);
  return {
    integer: (value: number) => new Intl.NumberFormat(locale).format(value),
    /** Its signs are those of the language at large: a British "1.7m" might be a thousandth. */
    compact: (value: number) => new Intl.NumberFormat(i18n.language, { notation: "compact", maximumFractionDigits: 1 }).format(value),
    percent: (value: number) => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(value),
    /** Seconds since the epoch. */
    instant: (value: number | null | undefined) =>
      value == null
        ? NONE
        : new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(value * 1000),
    /** An instant to the second, for rows that lie close together. */
    moment: (value: number) => new Intl.DateTimeFormat(locale, { dateStyle: "short", timeStyle: "medium" }).format(value * 1000),
    /** Milliseconds, of which tenths matter. */
    fine: (value: number) => `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(value)} ms`,
    time: (value: number) => new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(value * 1000),
    day: (value: number) => new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", timeZone: "UTC" }).format(value * 1000),
    milliseconds: (value: number | null | undefined) =>
      value == null ? NONE : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`,
    /** A length of time in whole days, hours or minutes, where it is that: "5 hours". */
    span: (seconds: number) => {
      const [unit, size] = UNITS_OF_TIME.find(([, size]) => seconds % size === 0) ?? ["second", 1];
      return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(seconds / size);
    },
    bytes: (value: number | null | undefined) => {
      if (value == null) return NONE;
      const step = value === 0 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
      return `${(value / 1024 ** step).toFixed(step < 2 ? 0 : 1)} ${["B", "KiB", "MiB", "GiB", "TiB"][step]}`;
    },
  };
}

/** What stands where there is nothing. */
export const NONE = "–";
