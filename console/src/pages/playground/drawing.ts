import { errorOf } from "../../api/client";
import { events } from "../../api/events";
import { post } from "../../api/post";
import type { Progress, Turn } from "./turn";

type Answering = (change: (answer: Turn) => Turn) => void;

/** An event of a stream of images. */
type Told = Partial<Progress> & { type?: string; b64_json?: string | null; url?: string | null; error?: unknown };

/** Has a model draw what a text says, at a size or at one of its own choice, and tells how far it is. */
export async function draw(model: string, prompt: string, size: string | null, signal: AbortSignal, tell: Answering) {
  const began = performance.now();
  const response = await post("/v1/images/generations", { model, prompt, ...(size && { size }), response_format: "b64_json", stream: true }, signal);
  if (response.body === null) return;
  for await (const { event, data } of events(response.body)) {
    if (data === "[DONE]") break;
    const told = JSON.parse(data) as Told;
    if (event === "error") throw errorOf(told, response.status);
    const image = told.b64_json ? `data:${imageType(told.b64_json)};base64,${told.b64_json}` : told.url;
    tell((answer) => ({
      ...answer,
      progress: told.stage === undefined || told.part === undefined ? answer.progress : { stage: told.stage, part: told.part },
      images: image ? [...answer.images, image] : answer.images,
      figures: { ...answer.figures, totalMs: performance.now() - began },
    }));
  }
}

/** By the first bytes. */
function imageType(base64: string): string {
  return base64.startsWith("iVBOR") ? "image/png" : base64.startsWith("UklGR") ? "image/webp" : "image/jpeg";
}
