import type { ComponentType } from "react";
import { createBrowserRouter } from "react-router";

import { Broken, NotFound, Waiting } from "./components/states";
import { withTexts } from "./i18n";
import { Layout } from "./layout";
import { type PageName, PAGES } from "./pages";

/** What shows each page; it is loaded when the page is first looked at. */
const COMPONENTS: Record<PageName, () => Promise<ComponentType>> = {
  overview: async () => (await withTexts(["overview", "health"], () => import("./pages/overview"))).Overview,
  playground: async () => (await withTexts(["playground", "dialects"], () => import("./pages/playground"))).Playground,
  keys: async () => (await withTexts(["keys", "dialects"], () => import("./pages/keys"))).Keys,
  models: async () => (await withTexts(["models", "health"], () => import("./pages/models"))).Models,
  providers: async () => (await withTexts(["providers", "doctor", "explanations", "health"], () => import("./pages/providers"))).Providers,
  requests: async () => (await withTexts(["requests", "explanations"], () => import("./pages/requests"))).Requests,
  usage: async () => (await withTexts(["usage"], () => import("./pages/usage"))).Usage,
  files: async () => (await withTexts(["files"], () => import("./pages/files"))).Files,
  knowledge: async () => (await withTexts(["knowledge", "files"], () => import("./pages/knowledge"))).Knowledge,
  connect: async () => (await withTexts(["connect"], () => import("./pages/connect"))).Connect,
  skills: async () => (await withTexts(["skills", "connect"], () => import("./pages/skills"))).Skills,
  team: async () => (await withTexts(["team", "requests", "entrance", "keys"], () => import("./pages/team"))).Team,
  settings: async () => (await withTexts(["settings"], () => import("./pages/settings"))).Settings,
};
const NAMES = Object.keys(PAGES) as PageName[];

export const router = createBrowserRouter(
  [
    {
      path: "/",
      element: <Layout />,
      errorElement: <Broken />,
      hydrateFallbackElement: <Waiting />,
      children: [
        {
          errorElement: <Broken />,
          children: [
            ...NAMES.map((name) => ({ path: `/${PAGES[name].path}`, lazy: async () => ({ Component: await COMPONENTS[name]() }) })),
            { path: "*", Component: NotFound },
          ],
        },
      ],
    },
  ],
  { basename: "/console/" },
);
