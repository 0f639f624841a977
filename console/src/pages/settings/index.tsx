import { useTranslation } from "react-i18next";

import { can, useUser } from "../../api/session";
import { Page } from "../../components/page";
import { Parts } from "../../components/parts";
import { PAGES } from "../../pages";
import { Installation } from "./installation";
import { Values } from "./values";
import { You } from "./you";

/** Oneself, what is set on the server, and what it is made of. */
export function Settings() {
  const { t } = useTranslation();
  const { role } = useUser();
  return (
    <Page title={t("nav.settings")} about={t("settings.about")}>
      <Parts
        of={PAGES.settings.parts}
        shown={{
          you: { label: t("settings.you"), children: <You /> },
          set: { label: t("settings.set"), children: <Values mayReload={can.manage(role)} /> },
          server: { label: t("settings.server"), children: <Installation /> },
        }}
      />
    </Page>
  );
}
