import { createBrowserRouter } from "react-router";

import { Broken, NotFound, Waiting } from "./components/states";
import { withTexts } from "./i18n";
import { Layout } from "./layout";

/** The console's pages; each is loaded when it is first looked at. */
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
            { index: true, lazy: async () => ({ Component: (await withTexts(["overview", "health"], () => import("./pages/overview"))).Overview }) },
            { path: "playground", lazy: async () => ({ Component: (await withTexts(["playground", "dialects"], () => import("./pages/playground"))).Playground }) },
            { path: "keys", lazy: async () => ({ Component: (await withTexts(["keys", "dialects"], () => import("./pages/keys"))).Keys }) },
            { path: "models", lazy: async () => ({ Component: (await withTexts(["models", "health"], () => import("./pages/models"))).Models }) },
            { path: "providers", lazy: async () => ({ Component: (await withTexts(["providers", "doctor", "explanations", "health"], () => import("./pages/providers"))).Providers }) },
            { path: "requests", lazy: async () => ({ Component: (await withTexts(["requests", "explanations"], () => import("./pages/requests"))).Requests }) },
            { path: "usage", lazy: async () => ({ Component: (await withTexts(["usage"], () => import("./pages/usage"))).Usage }) },
            { path: "files", lazy: async () => ({ Component: (await withTexts(["files"], () => import("./pages/files"))).Files }) },
            { path: "knowledge", lazy: async () => ({ Component: (await withTexts(["knowledge", "files"], () => import("./pages/knowledge"))).Knowledge }) },
            { path: "connect", lazy: async () => ({ Component: (await withTexts(["connect"], () => import("./pages/connect"))).Connect }) },
            { path: "skills", lazy: async () => ({ Component: (await withTexts(["skills", "connect"], () => import("./pages/skills"))).Skills }) },
            { path: "settings", lazy: async () => ({ Component: (await withTexts(["settings"], () => import("./pages/settings"))).Settings }) },
            { path: "team", lazy: async () => ({ Component: (await withTexts(["team", "requests", "entrance", "keys"], () => import("./pages/team"))).Team }) },
            { path: "*", Component: NotFound },
          ],
        },
      ],
    },
  ],
  { basename: "/console" },
);
