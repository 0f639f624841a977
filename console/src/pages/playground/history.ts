import { stored } from "../../stored";
import { type Turn, turn } from "./turn";

const MOST = 30;

/** A conversation as it is kept in this browser, and nowhere else. Images and videos are not kept: they are large. */
export type Kept = { id: string; title: string; time: number; panes: { model: string; turns: Turn[] }[] };

const book = stored<Kept[]>("conversations", [], Array.isArray);

export const history = {
  /** What was kept, by whatever version of the console. */
  read: (): Kept[] => book.read().map((kept) => ({ ...kept, panes: kept.panes.map((pane) => ({ ...pane, turns: pane.turns.map((one) => turn(one.role, one)) })) })),
  /** Keeps a conversation in place of what it was before. */
  keep(kept: Kept): Kept[] {
    const bare = { ...kept, panes: kept.panes.map((pane) => ({ ...pane, turns: pane.turns.map((one) => ({ ...one, images: [], videos: [] })) })) };
    return written([bare, ...history.read().filter(({ id }) => id !== kept.id)].slice(0, MOST));
  },
  forget: (id: string) => written(history.read().filter((kept) => kept.id !== id)),
  clear: () => written([]),
};

function written(all: Kept[]): Kept[] {
  book.write(all);
  return all;
}
