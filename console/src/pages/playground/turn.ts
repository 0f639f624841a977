/** What an answer cost in time and tokens; what is not known is null. */
export type Figures = { firstMs: number | null; totalMs: number | null; promptTokens: number | null; completionTokens: number | null };

/** How far a drawing is: its stage, and the part of all the work that is done, from 0 to 1. */
export type Progress = { stage: "writing" | "drawing"; part: number };

/** A call of a tool that a model wishes for; the arguments are JSON, if the model knows how to write it. */
export type Call = { id: string; name: string; arguments: string };

/** One turn of a conversation. Images and videos are data URLs. */
export type Turn = {
  id: string;
  /** `tool` is the result of a call, which stands in `text`. */
  role: "user" | "assistant" | "tool";
  text: string;
  images: string[];
  videos: string[];
  reasoning: string;
  /** Of an answer: what it wishes for; of a result: the one call that it is of. */
  calls: Call[];
  error: string | null;
  /** Of an answer: whether the user has ended it. */
  stopped: boolean;
  figures: Figures;
  /** Of a picture that is not there yet, where its model tells. */
  progress: Progress | null;
  /** Of an answer: whose it is. */
  model: string;
};

export const NO_FIGURES: Figures = { firstMs: null, totalMs: null, promptTokens: null, completionTokens: null };

const EMPTY = { text: "", images: [], videos: [], reasoning: "", calls: [], error: null, stopped: false, figures: NO_FIGURES, progress: null, model: "" };

export function turn(role: Turn["role"], changes: Partial<Turn> = {}): Turn {
  return { id: crypto.getRandomValues(new Uint32Array(2)).join("-"), role, ...EMPTY, ...changes };
}

/** The calls at a conversation's end that wait for their results. */
export function openCalls(turns: Turn[]): Call[] {
  const last = turns.at(-1);
  return last?.role === "assistant" && last.error === null ? last.calls : [];
}

/** What of a conversation a model is told: nothing of answers that failed, or were stopped before their first word. */
export function told(turns: Turn[]): Turn[] {
  return turns.filter(({ role, error, text, calls }) => role !== "assistant" || (error === null && (text !== "" || calls.length > 0)));
}
