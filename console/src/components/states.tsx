import { Button, Spin } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router";

import { ApiError } from "../api/client";
import { Page } from "./page";

/** While something is on its way. */
export function Waiting() {
  const { t } = useTranslation();
  return (
    <div className="state" role="status" aria-label={t("states.loading")}>
      <Spin size="large" />
    </div>
  );
}

/** Where there is nothing yet: says so, and what to do about it. */
export function Nothing({ text, children }: { text: string; children?: ReactNode }) {
  return (
    <div className="state">
      <p className="soft">{text}</p>
      {children}
    </div>
  );
}

/** What went wrong, and a way to try again. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="state" role="alert">
      <strong>{t("states.failed")}</strong>
      <p className="soft">{useMessage()(error)}</p>
      {retry && <Button onClick={retry}>{t("states.retry")}</Button>}
    </div>
  );
}

/** What a page shows whose code could not be loaded, or that failed. */
export function Broken() {
  return <Failure error={useRouteError()} retry={() => window.location.reload()} />;
}

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Page title={t("states.nothingHere")}>
      <Link to="/">{t("states.toOverview")}</Link>
    </Page>
  );
}

type Asked<T> = { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown };

/** The state of a query, or what `children` makes of its data. */
export function Loaded<T>({ query, children }: { query: Asked<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data);
  return query.isPending ? <Waiting /> : <Failure error={query.error} retry={() => void query.refetch()} />;
}

/** An error in words: the server's own, where it has said some. */
export function useMessage() {
  const { t } = useTranslation();
  return (error: unknown) => {
    if (error instanceof ApiError) return error.status === 0 ? t("states.unreachable") : error.message;
    return error instanceof Error ? error.message : String(error);
  };
}
