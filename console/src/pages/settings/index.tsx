import { Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { can, useUser } from "../../api/session";
import { Page } from "../../components/page";
import { Installation } from "./installation";
import { Values } from "./values";
import { You } from "./you";

/** Oneself, what is set on the server, and what it is made of. */
export function Settings() {
  const { t } = useTranslation();
  const { role } = useUser();
  const [query, setQuery] = useSearchParams();
  const reads = can.read(role);
  return (
    <Page title={t("nav.settings")} about={t("settings.about")}>
      <Tabs
        activeKey={query.get("part") ?? "you"}
        onChange={(part) => setQuery({ part })}
        items={[
          { key: "you", label: t("settings.you"), children: <You /> },
          ...(reads
            ? [
                { key: "set", label: t("settings.set"), children: <Values mayReload={can.manage(role)} /> },
                { key: "server", label: t("settings.server"), children: <Installation /> },
              ]
            : []),
        ]}
      />
    </Page>
  );
}
