import { DesktopOutlined, MoonOutlined, SunOutlined } from "@ant-design/icons";
import { useMutation } from "@tanstack/react-query";
import { Segmented } from "antd";
import { useTranslation } from "react-i18next";

import { type Language, LANGUAGES, speak } from "../i18n";
import { type Mode, MODES, useThemeMode } from "../theme";

const ICONS = { system: DesktopOutlined, light: SunOutlined, dark: MoonOutlined };

/** Language and theme. */
export function Preferences() {
  const { t, i18n } = useTranslation();
  const { mode, choose } = useThemeMode();
  const speaking = useMutation({ mutationFn: speak });
  const icon = (value: Mode) => {
    const Icon = ICONS[value];
    return <Icon aria-label={t(`preferences.${value}`)} />;
  };
  return (
    <div className="preferences">
      <Segmented<Language>
        size="small"
        aria-label={t("preferences.language")}
        value={i18n.language as Language}
        onChange={(language) => speaking.mutate(language)}
        options={Object.entries(LANGUAGES).map(([value, label]) => ({ value: value as Language, label }))}
      />
      <Segmented<Mode>
        size="small"
        aria-label={t("preferences.theme")}
        value={mode}
        onChange={choose}
        options={MODES.map((value) => ({ value, label: icon(value), title: t(`preferences.${value}`) }))}
      />
      {speaking.error && <span role="alert">{t("states.unreachable")}</span>}
    </div>
  );
}
