import { Select } from "antd";
import { useTranslation } from "react-i18next";

import { type Language, LANGUAGES, speak } from "../i18n";
import { MODES, useThemeMode } from "../theme";

/** Language and theme. */
export function Preferences() {
  const { t, i18n } = useTranslation();
  const { mode, choose } = useThemeMode();
  return (
    <>
      <Select<Language>
        size="small"
        variant="filled"
        aria-label={t("preferences.language")}
        value={i18n.language as Language}
        onChange={(language) => void speak(language)}
        options={Object.entries(LANGUAGES).map(([value, label]) => ({ value: value as Language, label }))}
      />
      <Select
        size="small"
        variant="filled"
        aria-label={t("preferences.theme")}
        value={mode}
        onChange={choose}
        options={MODES.map((value) => ({ value, label: t(`preferences.${value}`) }))}
      />
    </>
  );
}
