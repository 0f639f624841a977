import { Tabs } from "antd";
import type { ReactNode } from "react";

import { useUser } from "../api/session";
import { foundBy } from "../pages";
import { usePlace } from "../place";

/** What a page is divided into, as far as one may see it. The address tells which part is shown. */
export function Parts<Name extends string>({ of, shown }: { of: Record<Name, { reads: boolean }>; shown: Record<Name, { label: string; children: ReactNode }> }) {
  const [query, change] = usePlace();
  const names = foundBy(of, useUser().role);
  return <Tabs activeKey={query.get("part") ?? names[0] ?? ""} onChange={(part) => change("part", part)} items={names.map((key) => ({ key, ...shown[key] }))} />;
}
