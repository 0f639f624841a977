import { useQuery } from "@tanstack/react-query";
import { Alert } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { api, taken } from "../api/client";
import { Loaded } from "./states";

/** What touches files of the server's machine: shown to its owner there, and to everybody else why not. */
export function Here({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const machine = useQuery({ queryKey: ["machine"], queryFn: () => taken(api.GET("/admin/v1/machine")), staleTime: Infinity });
  return (
    <Loaded query={machine}>
      {({ obstacle }) => (obstacle === null ? children : <Alert type="info" showIcon title={t(`connect.${obstacle}`)} description={t("connect.notHere")} />)}
    </Loaded>
  );
}
