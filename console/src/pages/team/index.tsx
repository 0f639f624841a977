import { useTranslation } from "react-i18next";

import { can, useUser } from "../../api/session";
import { Page } from "../../components/page";
import { Parts } from "../../components/parts";
import { PAGES } from "../../pages";
import { Audit } from "./audit";
import { Teams } from "./teams";
import { Users } from "./users";

/** Who may come in, whose keys count together, and who did what. */
export function Team() {
  const { t } = useTranslation();
  const manages = can.manage(useUser().role);
  return (
    <Page title={t("nav.team")} about={t("team.about")}>
      <Parts
        of={PAGES.team.parts}
        shown={{
          users: { label: t("team.users"), children: <Users manages={manages} /> },
          teams: { label: t("team.teams"), children: <Teams manages={manages} /> },
          audit: { label: t("team.audit"), children: <Audit /> },
        }}
      />
    </Page>
  );
}
