import {
  ApiOutlined,
  BarChartOutlined,
  BookOutlined,
  CloudServerOutlined,
  DashboardOutlined,
  FileOutlined,
  KeyOutlined,
  LinkOutlined,
  LogoutOutlined,
  MenuOutlined,
  MessageOutlined,
  SettingOutlined,
  TeamOutlined,
  ToolOutlined,
  UnorderedListOutlined,
} from "@ant-design/icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "antd";
import { type ComponentType, lazy, type ReactNode, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { NavLink, Outlet, useNavigation } from "react-router";

import { api, taken } from "./api/client";
import { useEntrance, useUser } from "./api/session";
import { Brand } from "./components/brand";
import { Preferences } from "./components/preferences";
import { Failure, Waiting } from "./components/states";
import { withTexts } from "./i18n";
import { foundBy, type PageName, PAGES } from "./pages";

const Drawer = lazy(() => import("antd/es/drawer"));
const Entrance = lazy(async () => ({ default: (await withTexts(["entrance"], () => import("./pages/entrance"))).Entrance }));

const ICONS: Record<PageName, ComponentType<{ "aria-hidden": true }>> = {
  overview: DashboardOutlined,
  playground: MessageOutlined,
  keys: KeyOutlined,
  models: ApiOutlined,
  providers: CloudServerOutlined,
  requests: UnorderedListOutlined,
  usage: BarChartOutlined,
  files: FileOutlined,
  knowledge: BookOutlined,
  connect: LinkOutlined,
  skills: ToolOutlined,
  team: TeamOutlined,
  settings: SettingOutlined,
};

/** Navigation and a page, for who is in; the way in for everybody else. */
export function Layout() {
  const entrance = useEntrance();
  if (entrance.isPending) return <Waiting />;
  if (entrance.data === undefined) return <Failure error={entrance.error} retry={() => void entrance.refetch()} />;
  if (entrance.data.user !== null) return <Frame />;
  return (
    <Suspense fallback={<Waiting />}>
      <Entrance setup={entrance.data.setup} />
    </Suspense>
  );
}

function Frame() {
  const { t } = useTranslation();
  const [open, setOpen] = useState<boolean | null>(null); // null until it was once
  const busy = useNavigation().state !== "idle";
  return (
    <>
      <a className="skip" href="#content">
        {t("nav.skip")}
      </a>
      <div className="frame">
        <aside className="side">
          <Navigation />
        </aside>
        <div>
          <Button className="menu-button" icon={<MenuOutlined aria-hidden />} onClick={() => setOpen(true)} aria-label={t("nav.open")} />
          <main id="content" className="main" tabIndex={-1} aria-busy={busy}>
            <Outlet />
          </main>
        </div>
      </div>
      {open !== null && (
        <Suspense>
          <Drawer open={open} onClose={() => setOpen(false)} placement="left" size={260} title={<Brand />}>
            <Navigation onChosen={() => setOpen(false)} bare />
          </Drawer>
        </Suspense>
      )}
    </>
  );
}

function Navigation({ onChosen, bare = false }: { onChosen?: () => void; bare?: boolean }) {
  const { t } = useTranslation();
  const { role } = useUser();
  return (
    <>
      {!bare && <Brand />}
      <nav aria-label={t("nav.label")}>
        <ul className="nav">
          {foundBy(PAGES, role).map((name) => {
            const Icon = ICONS[name];
            return (
              <li key={name}>
                <NavLink to={`/${PAGES[name].path}`} end={name === "overview"} {...(onChosen && { onClick: onChosen })}>
                  <Icon aria-hidden />
                  {t(`nav.${name}`)}
                </NavLink>
              </li>
            );
          })}
        </ul>
      </nav>
      <div style={{ flex: 1 }} />
      <Foot />
    </>
  );
}

function Foot(): ReactNode {
  const { t } = useTranslation();
  const user = useUser();
  const auth = useEntrance().data?.setup.auth;
  const queries = useQueryClient();
  const leave = useMutation({
    mutationFn: () => taken(api.POST("/admin/v1/logout")),
    onSettled: () => queries.resetQueries(),
  });
  return (
    <div className="side-foot">
      <Preferences />
      {auth === "off" ? (
        <span className="soft">{t("nav.authOff")}</span>
      ) : (
        <>
          <span>
            {user.name} <span className="soft">{t(`roles.${user.role}`)}</span>
          </span>
          <Button size="small" icon={<LogoutOutlined aria-hidden />} loading={leave.isPending} onClick={() => leave.mutate()}>
            {t("nav.logOut")}
          </Button>
        </>
      )}
    </div>
  );
}
