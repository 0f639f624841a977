/** What an answer cost in time and tokens; what is not known is null. */
export type Figures = { firstMs: number | null; totalMs: number | null; promptTokens: number | null; completionTokens: number | null };

/** How far a drawing is: its stage, and the part of all the work that is done, from 0 to 1. */
export type Progress = { stage: "writing" | "drawing"; part: number };

/** One turn of a conversation. Images are data URLs. */
export type Turn = {
  id: string;
  role: "user" | "assistant";
  text: string;
  images: string[];
  reasoning: string;
  error: string | null;
  figures: Figures;
  /** Of a picture that is not there yet, where its model tells. */
  progress: Progress | null;
  /** Of an answer: whose it is. */
  model: string;
};

export const NO_FIGURES: Figures = { firstMs: null, totalMs: null, promptTokens: null, completionTokens: null };

export function turn(role: Turn["role"], changes: Partial<Turn> = {}): Turn {
  return { id: crypto.getRandomValues(new Uint32Array(2)).join("-"), role, text: "", images: [], reasoning: "", error: null, figures: NO_FIGURES, progress: null, model: "", ...changes };
}

/** The parameters of a request; null leaves one out. */
export type Parameters = {
  system: string;
  temperature: number | null;
  topP: number | null;
  topK: number | null;
  minP: number | null;
  presencePenalty: number | null;
  repetitionPenalty: number | null;
  maxTokens: number | null;
  effort: string | null;
};

export const NO_PARAMETERS: Parameters = {
  system: "",
  temperature: null,
  topP: null,
  topK: null,
  minP: null,
  presencePenalty: null,
  repetitionPenalty: null,
  maxTokens: null,
  effort: null,
};

/** What the makers of the SenseNova models recommend (token platform guide, section 5). */
export const PRESETS: Record<"thinking" | "coding" | "instruct" | "reasoning", Partial<Parameters>> = {
  thinking: { temperature: 1, topP: 0.95, topK: 20, minP: 0, presencePenalty: 1.5, repetitionPenalty: 1 },
  coding: { temperature: 0.6, topP: 0.95, topK: 20, minP: 0, presencePenalty: 0, repetitionPenalty: 1 },
  instruct: { temperature: 0.7, topP: 0.8, topK: 20, minP: 0, presencePenalty: 1.5, repetitionPenalty: 1 },
  reasoning: { temperature: 1, topP: 1, topK: 40, minP: 0, presencePenalty: 2, repetitionPenalty: 1 },
};
