import { errorOf } from "../../api/client";
import { events } from "../../api/events";
import { post } from "../../api/post";
import { type DialectName, DIALECTS } from "./dialects";
import type { Asked, CallPiece, Dialect } from "./dialects/base";
import type { Call, Turn } from "./turn";

type Answering = (change: (answer: Turn) => Turn) => void;

/** Asks a model and tells of its answer as it comes. Throws `ApiError`, or what `signal` was ended with. */
export async function ask(name: DialectName, asked: Asked, signal: AbortSignal, tell: Answering) {
  const dialect: Dialect = DIALECTS[name];
  const began = performance.now();
  const response = await post(dialect.path(asked.model, true), dialect.body(asked, true), signal, dialect.headers);
  if (response.body === null) return;
  const keys: string[] = [];
  for await (const { data } of events(response.body)) {
    if (data === "[DONE]") break;
    const piece = dialect.read(JSON.parse(data) as Record<string, unknown>);
    if (piece.error !== undefined) throw errorOf({ error: piece.error }, response.status);
    const now = performance.now() - began;
    const heard = piece.text || piece.reasoning || piece.calls;
    tell((answer) => ({
      ...answer,
      text: answer.text + (piece.text ?? ""),
      reasoning: answer.reasoning + (piece.reasoning ?? ""),
      calls: (piece.calls ?? []).reduce((calls, call) => withPiece(calls, keys, call), answer.calls),
      figures: {
        firstMs: answer.figures.firstMs ?? (heard ? now : null),
        totalMs: now,
        promptTokens: piece.promptTokens ?? answer.figures.promptTokens,
        completionTokens: piece.completionTokens ?? answer.figures.completionTokens,
      },
    }));
  }
}

/** The calls so far with one more piece; `keys` are those of the calls, and grow with them. */
function withPiece(calls: Call[], keys: string[], { key, ...found }: CallPiece): Call[] {
  if (!keys.includes(key)) keys.push(key);
  const place = keys.indexOf(key);
  const before = calls[place] ?? { id: "", name: "", arguments: "" };
  const call = { id: found.id || before.id, name: found.name || before.name, arguments: before.arguments + (found.arguments ?? "") };
  return [...calls.slice(0, place), call, ...calls.slice(place + 1)];
}
