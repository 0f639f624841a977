import { errorOf } from "../../api/client";
import { events } from "../../api/events";
import { type Dialect, DIALECTS, type DialectName } from "./dialects";
import { post } from "./post";
import type { Parameters, Turn } from "./turn";

type Answering = (change: (answer: Turn) => Turn) => void;

/** Asks a model and tells of its answer as it comes. Throws `ApiError`, or what `signal` was ended with. */
export async function ask(name: DialectName, model: string, turns: Turn[], parameters: Parameters, signal: AbortSignal, tell: Answering) {
  const dialect: Dialect = DIALECTS[name];
  const began = performance.now();
  const response = await post(dialect.path, dialect.body(model, turns, parameters), signal, dialect.headers);
  if (response.body === null) return;
  for await (const { data } of events(response.body)) {
    if (data === "[DONE]") break;
    const piece = dialect.read(JSON.parse(data) as Record<string, unknown>);
    if (piece.error !== undefined) throw errorOf({ error: piece.error }, response.status);
    const now = performance.now() - began;
    tell((answer) => ({
      ...answer,
      text: answer.text + (piece.text ?? ""),
      reasoning: answer.reasoning + (piece.reasoning ?? ""),
      figures: {
        firstMs: answer.figures.firstMs ?? (piece.text || piece.reasoning ? now : null),
        totalMs: now,
        promptTokens: piece.promptTokens ?? answer.figures.promptTokens,
        completionTokens: piece.completionTokens ?? answer.figures.completionTokens,
      },
    }));
  }
}
