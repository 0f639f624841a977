import { theme as ant, type ThemeConfig } from "antd";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";

import { stored } from "./stored";

export const MODES = ["system", "light", "dark"] as const;
/** What the user chose; `system` follows the machine. */
export type Mode = (typeof MODES)[number];

const chosen = stored<Mode>("theme", "system", (value) => MODES.includes(value as Mode));
const machine = window.matchMedia("(prefers-color-scheme: dark)");

const Context = createContext<{ mode: Mode; dark: boolean; choose: (mode: Mode) => void }>({
  mode: "system",
  dark: false,
  choose: () => undefined,
});

/** The chosen mode, and whether it is dark by now. */
export const useThemeMode = () => useContext(Context);

export function ThemeProvider({ children }: { children: ReactNode }) {
  const [mode, setMode] = useState(chosen.read);
  const machineIsDark = useSyncExternalStore(watchMachine, () => machine.matches);
  const dark = mode === "dark" || (mode === "system" && machineIsDark);
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }, [dark]);
  const value = useMemo(() => {
    const choose = (next: Mode) => {
      chosen.write(next);
      setMode(next);
    };
    return { mode, dark, choose };
  }, [mode, dark]);
  return <Context value={value}>{children}</Context>;
}

function watchMachine(changed: () => void) {
  machine.addEventListener("change", changed);
  return () => machine.removeEventListener("change", changed);
}

/** Ant Design's theme. Texts keep a contrast of at least 4.5 to 1 on every background (WCAG 2.2, 1.4.3). */
export function antTheme(dark: boolean): ThemeConfig {
  const ink = dark ? "255,255,255" : "15,23,42";
  return {
    algorithm: dark ? ant.darkAlgorithm : ant.defaultAlgorithm,
    token: {
      colorPrimary: dark ? "#4a6ff0" : "#3056d3",
      colorPrimaryHover: dark ? "#4a6ce0" : "#4266da",
      colorLink: dark ? "#9db3ff" : "#2a4cc0",
      colorError: dark ? "#ff8a84" : "#c62828",
      ...(dark ? { colorErrorActive: "#d4706b" } : { colorErrorHover: "#b71c1c" }),
      colorSuccess: dark ? "#49aa19" : "#2e7d32",
      colorBgBase: dark ? "#0f131b" : "#ffffff",
      colorBgContainer: dark ? "#171c26" : "#ffffff",
      colorBgElevated: dark ? "#1e2431" : "#ffffff",
      colorBgLayout: dark ? "#0f131b" : "#f5f6fa",
      colorText: `rgba(${ink},0.92)`,
      colorTextSecondary: `rgba(${ink},0.74)`,
      colorTextTertiary: `rgba(${ink},0.68)`,
      colorTextDescription: `rgba(${ink},0.7)`,
      colorTextPlaceholder: `rgba(${ink},0.62)`,
      colorTextQuaternary: `rgba(${ink},0.62)`,
      colorBorder: dark ? "#3a4252" : "#d5d9e2",
      colorBorderSecondary: dark ? "#2a3140" : "#e4e7ee",
      borderRadius: 8,
      fontFamily:
        'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
      fontFamilyCode: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
    },
    components: {
      Button: {
        defaultHoverColor: dark ? "#9db3ff" : "#2a4cc0",
        defaultHoverBorderColor: dark ? "#9db3ff" : "#2a4cc0",
        ...(dark && { dangerColor: "#17100f" }),
      },
      Card: { headerFontSize: 15 },
      ...(dark && { Tabs: { itemSelectedColor: "#9db3ff", itemHoverColor: "#9db3ff", itemActiveColor: "#9db3ff", inkBarColor: "#9db3ff" } }),
      Table: { headerBg: dark ? "#1b212d" : "#f7f8fb", cellPaddingBlockMD: 10 },
    },
  };
}
