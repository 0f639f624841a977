import { post } from "./post";
import type { Turn } from "./turn";

/** Has a model draw what a text says. */
export async function draw(model: string, prompt: string, signal: AbortSignal, tell: (change: (answer: Turn) => Turn) => void) {
  const began = performance.now();
  const response = await post("/v1/images/generations", { model, prompt, response_format: "b64_json" }, signal);
  const { data = [] } = (await response.json()) as { data?: { b64_json?: string; url?: string }[] };
  const images = data.flatMap((image) => (image.b64_json ? [`data:${imageType(image.b64_json)};base64,${image.b64_json}`] : image.url ? [image.url] : []));
  tell((answer) => ({ ...answer, images, figures: { ...answer.figures, totalMs: performance.now() - began } }));
}

/** By the first bytes. */
function imageType(base64: string): string {
  return base64.startsWith("iVBOR") ? "image/png" : base64.startsWith("UklGR") ? "image/webp" : "image/jpeg";
}
