/** The texts of the console in chunks that are loaded when they are needed. What a chunk exports are rooms of texts: `nav.label` is `label` of `nav`. */
export const en = {
  common: () => import("./en/common"),
  connect: () => import("./en/connect"),
  dialects: () => import("./en/dialects"),
  doctor: () => import("./en/doctor"),
  explanations: async () => ({ explanations: (await import("./en/explanations.json")).default }),
  entrance: () => import("./en/entrance"),
  files: () => import("./en/files"),
  health: () => import("./en/health"),
  keys: () => import("./en/keys"),
  knowledge: () => import("./en/knowledge"),
  models: () => import("./en/models"),
  overview: () => import("./en/overview"),
  playground: () => import("./en/playground"),
  providers: () => import("./en/providers"),
  requests: () => import("./en/requests"),
  settings: () => import("./en/settings"),
  skills: () => import("./en/skills"),
  team: () => import("./en/team"),
  usage: () => import("./en/usage"),
};

type Rooms = { [Chunk in keyof typeof en]: Awaited<ReturnType<(typeof en)[Chunk]>> };
type Words<Texts> = { [Room in keyof Texts]: { [Name in keyof Texts[Room]]: string } };
type Both<Parts> = (Parts extends unknown ? (part: Parts) => void : never) extends (parts: infer All) => void ? All : never;

export type Chunk = keyof typeof en;
/** Every text of the console. */
export type Texts = Both<Rooms[Chunk]>;
/** Another language's chunks: the same keys with other texts. */
export type Chunks = { [Name in Chunk]: () => Promise<Words<Rooms[Name]>> };
