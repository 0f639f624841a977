import { useEffect, useRef, useState } from "react";

import type { Schemas } from "../../api/client";
import { useMessage } from "../../components/states";
import { ask } from "./ask";
import type { DialectName } from "./dialects";
import { draw } from "./drawing";
import { history, type Kept } from "./history";
import type { Media } from "./media";
import type { Parameters } from "./parameters";
import type { Tool } from "./tools";
import { openCalls, told, type Turn, turn } from "./turn";

type Model = Schemas["ModelView"];

/** A conversation with one model. */
export type Conversation = { model: string; turns: Turn[]; running: boolean };

/** How models are asked. */
export type Wishes = { dialect: DialectName; parameters: Parameters; tools: Tool[]; size: string | null };

/** One or two conversations side by side, and what can be done with them. */
export function useBench(models: Model[], wishes: Wishes) {
  const message = useMessage();
  const [panes, setPanes] = useState<Conversation[]>(() => [{ model: first(models), turns: [], running: false }]);
  const [kept, setKept] = useState(history.read);
  const latest = useRef(panes);
  const stopper = useRef(new AbortController());
  const id = useRef(newId());
  // Who leaves the page hears no more of it, and nobody else would.
  useEffect(() => () => stopper.current.abort(), []);

  const replace = (next: Conversation[]) => {
    latest.current = next;
    setPanes(next);
  };
  const change = (index: number, changes: Partial<Conversation>) => replace(latest.current.map((pane, other) => (other === index ? { ...pane, ...changes } : pane)));

  const answer = async (index: number, turns: Turn[], signal: AbortSignal) => {
    const model = latest.current[index]?.model ?? "";
    let reply = turn("assistant", { model });
    const tell = (next: (answer: Turn) => Turn) => {
      if (signal.aborted) return;
      reply = next(reply);
      change(index, { turns: [...turns, reply] });
    };
    change(index, { turns: [...turns, reply], running: true });
    try {
      if (draws(models, model)) await draw(model, turns.at(-1)?.text ?? "", wishes.size, signal, tell);
      else await ask(wishes.dialect, { model, turns: told(turns), parameters: wishes.parameters, tools: wishes.tools }, signal, tell);
    } catch (error) {
      tell((before) => ({ ...before, error: message(error) }));
    }
    // Calls that were stopped half-way are no calls.
    if (signal.aborted) reply = { ...reply, stopped: true, calls: [] };
    if (signal === stopper.current.signal) change(index, { turns: [...turns, reply], running: false });
  };

  const run = async (asked: { index: number; turns: Turn[] }[]) => {
    if (latest.current.every(({ running }) => !running)) stopper.current = new AbortController();
    const { signal } = stopper.current;
    const conversation = id.current;
    await Promise.all(asked.map(({ index, turns }) => answer(index, turns, signal)));
    if (conversation !== id.current) return;
    const title = latest.current[0]?.turns[0]?.text.slice(0, 80) ?? "";
    setKept(history.keep({ id: conversation, title, time: Date.now() / 1000, panes: latest.current.map(({ model, turns }) => ({ model, turns })) }));
  };

  /** Another conversation: an empty one, or one that was kept. What runs is stopped. */
  const begin = (from?: Kept) => {
    stopper.current.abort();
    stopper.current = new AbortController();
    id.current = from?.id ?? newId();
    const known = new Set(models.map(({ name }) => name));
    const panesOf = from?.panes ?? latest.current.map(({ model }) => ({ model, turns: [] }));
    replace(panesOf.map(({ model, turns }) => ({ model: known.has(model) ? model : first(models), turns, running: false })));
  };

  return {
    panes,
    kept,
    begin,
    running: panes.some(({ running }) => running),
    /** Whether a model waits for the results of its calls. */
    waiting: panes.some(({ turns, running }) => !running && openCalls(turns).length > 0),
    send: (text: string, media: Media) => run(latest.current.map(({ turns }, index) => ({ index, turns: [...turns, turn("user", { text, ...media })] }))),
    /** Goes on with what the calls at the end of one conversation have led to, in their order. */
    giveResults: (index: number, results: string[]) => {
      const { turns = [] } = latest.current[index] ?? {};
      return run([{ index, turns: [...turns, ...openCalls(turns).map((call, place) => turn("tool", { calls: [call], text: results[place] ?? "" }))] }]);
    },
    stop: () => stopper.current.abort(),
    choose: (index: number, model: string) => change(index, { model }),
    compare: (two: boolean) => {
      const model = models.find(({ name }) => name !== latest.current[0]?.model)?.name ?? first(models);
      replace(two ? [...latest.current, { model, turns: [], running: false }] : latest.current.slice(0, 1));
    },
    forget: (one: string) => setKept(history.forget(one)),
    forgetAll: () => setKept(history.clear()),
  };
}

/** Whether a model draws, and does not speak. */
export function draws(models: Model[], name: string): boolean {
  const operations = models.find((model) => model.name === name)?.operations;
  return operations !== undefined && !operations.includes("generate");
}

function first(models: Model[]): string {
  return (models.find(({ operations }) => operations.includes("generate")) ?? models[0])?.name ?? "";
}

function newId(): string {
  return crypto.getRandomValues(new Uint32Array(2)).join("-");
}
