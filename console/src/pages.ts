import type { Schemas } from "./api/client";
import { can } from "./api/session";
import pages from "./pages.json";

export type PageName = keyof typeof pages;

/**
 * The console's pages, in the order of the navigation; the tests go by the same list.
 *
 * `reads` says that only those find it who may read what is everybody's; `opens` what part of the address tells which of its
 * things a page has open; `parts` what it is divided into.
 */
export const PAGES = pages;

/** The names in such a list of those that somebody finds. */
export function foundBy<Name extends string>(list: Record<Name, { reads: boolean }>, role: Schemas["SessionView"]["role"]): Name[] {
  return (Object.keys(list) as Name[]).filter((name) => !list[name].reads || can.read(role));
}
