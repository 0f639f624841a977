import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { ConfigProvider } from "antd";
import { useTranslation } from "react-i18next";
import { RouterProvider } from "react-router";

import { ApiError } from "./api/client";
import { SESSION } from "./api/session";
import { antLocale } from "./i18n";
import { NONCE } from "./nonce";
import { router } from "./router";
import { antTheme, ThemeProvider, useThemeMode } from "./theme";

const MOST_RETRIES = 2;

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      const loggedOut = error instanceof ApiError && error.status === 401;
      if (loggedOut && query.queryKey !== SESSION) void queries.invalidateQueries({ queryKey: SESSION });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < MOST_RETRIES && !(error instanceof ApiError && error.status < 500),
    },
  },
});

/** The whole console: language, theme, data and routes. */
export function App() {
  return (
    <QueryClientProvider client={queries}>
      <ThemeProvider>
        <Themed />
      </ThemeProvider>
    </QueryClientProvider>
  );
}

function Themed() {
  useTranslation(); // another language is another locale
  const { dark } = useThemeMode();
  return (
    <ConfigProvider csp={{ nonce: NONCE }} button={{ autoInsertSpace: false }} theme={antTheme(dark)}{...(antLocale && { locale: antLocale })}>
      <RouterProvider router={router} />
    </ConfigProvider>
  );
}
