import type { Chunks } from "./en";

export const zh: Chunks = {
  common: () => import("./zh/common"),
  connect: () => import("./zh/connect"),
  dialects: () => import("./zh/dialects"),
  doctor: () => import("./zh/doctor"),
  explanations: () => import("./zh/explanations"),
  entrance: () => import("./zh/entrance"),
  files: () => import("./zh/files"),
  health: () => import("./zh/health"),
  keys: () => import("./zh/keys"),
  knowledge: () => import("./zh/knowledge"),
  models: () => import("./zh/models"),
  overview: () => import("./zh/overview"),
  playground: () => import("./zh/playground"),
  providers: () => import("./zh/providers"),
  requests: () => import("./zh/requests"),
  settings: () => import("./zh/settings"),
  skills: () => import("./zh/skills"),
  team: () => import("./zh/team"),
  usage: () => import("./zh/usage"),
};
