import { Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { can, useUser } from "../../api/session";
import { Page } from "../../components/page";
import { Audit } from "./audit";
import { Teams } from "./teams";
import { Users } from "./users";

/** Who may come in, whose keys count together, and who did what. */
export function Team() {
  const { t } = useTranslation();
  const { role } = useUser();
  const [place, setPlace] = useSearchParams();
  const manages = can.manage(role);
  return (
    <Page title={t("nav.team")} about={t("team.about")}>
      <Tabs
        activeKey={place.get("tab") ?? "users"}
        onChange={(tab) => setPlace({ tab })}
        items={[
          { key: "users", label: t("team.users"), children: <Users manages={manages} /> },
          { key: "teams", label: t("team.teams"), children: <Teams manages={manages} /> },
          { key: "audit", label: t("team.audit"), children: <Audit /> },
        ]}
      />
    </Page>
  );
}
