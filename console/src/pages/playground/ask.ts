import { errorOf } from "../../api/client";
import { events } from "../../api/events";
import { type Dialect, DIALECTS, type DialectName } from "./dialects";
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

/** Has a model draw what a text says. */
export async function draw(model: string, prompt: string, signal: AbortSignal, tell: Answering) {
  const began = performance.now();
  const response = await post("/v1/images/generations", { model, prompt, response_format: "b64_json" }, signal);
  const { data = [] } = (await response.json()) as { data?: { b64_json?: string; url?: string }[] };
  const images = data.flatMap((image) => (image.b64_json ? [`data:${imageType(image.b64_json)};base64,${image.b64_json}`] : image.url ? [image.url] : []));
  tell((answer) => ({ ...answer, images, figures: { ...answer.figures, totalMs: performance.now() - began } }));
}

async function post(path: string, body: unknown, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-rixin-csrf": "1", ...headers },
    body: JSON.stringify(body),
    signal,
  });
  if (response.ok) return response;
  throw errorOf(await response.json().catch(() => null), response.status);
}

/** By the first bytes. */
function imageType(base64: string): string {
  return base64.startsWith("iVBOR") ? "image/png" : base64.startsWith("UklGR") ? "image/webp" : "image/jpeg";
}
