/** The variable that stands for a key which is not known here. */
const KEY = '"$RIXIN_API_KEY"';
const PLAIN = /^[\w@%+=:,./-]+$/;

/** A word as a shell reads it. */
export const word = (text: string) => (PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

type Wish = { agent: string; origin: string; key: string; model: string; smallModel: string | null };

/** What has an agent wired, on its own machine. */
export const connecting = ({ agent, origin, key, model, smallModel }: Wish) =>
  ["rixin connect", agent, "--url", word(origin), "--key", key ? word(key) : KEY, "--model", word(model), ...(smallModel ? ["--small-model", word(smallModel)] : [])].join(" ");

/** The same for this once. */
export const once = (wish: Wish) => `${connecting(wish)} --run`;

/** What gives an agent's files back. */
export const restoring = (agent: string) => `rixin connect ${agent} --restore`;
