import { stored } from "../../stored";
import type { Turn } from "./turn";

const MOST = 30;

/** A conversation as it is kept in this browser, and nowhere else. Images are not kept: they are large. */
export type Kept = { id: string; title: string; time: number; panes: { model: string; turns: Turn[] }[] };

const book = stored<Kept[]>("conversations", [], Array.isArray);

export const history = {
  read: book.read,
  /** Keeps a conversation in place of what it was before. */
  keep(kept: Kept): Kept[] {
    const bare = { ...kept, panes: kept.panes.map((pane) => ({ ...pane, turns: pane.turns.map((turn) => ({ ...turn, images: [] })) })) };
    return written([bare, ...book.read().filter(({ id }) => id !== kept.id)].slice(0, MOST));
  },
  forget: (id: string) => written(book.read().filter((kept) => kept.id !== id)),
};

function written(all: Kept[]): Kept[] {
  book.write(all);
  return all;
}
