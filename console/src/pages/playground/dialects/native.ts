import { partsOf } from "../media";
import type { Turn } from "../turn";
import { type Dialect, type Json, piece, said } from "./base";

/** The SenseNova V6 native platform's chat. It has no tools. */
export const native: Dialect = {
  path: () => "/v1/llm/chat-completions",
  headers: {},
  takes: ["temperature", "topP", "repetitionPenalty", "maxTokens", "effort"],
  tools: false,
  body: ({ model, turns, parameters }, streams) =>
    said({
      model,
      messages: [...(parameters.system ? [{ role: "system", content: parameters.system }] : []), ...turns.filter(({ role, text }) => role === "user" || text !== "").map(message)],
      ...(streams && { stream: true }),
      temperature: parameters.temperature,
      top_p: parameters.topP,
      repetition_penalty: parameters.repetitionPenalty,
      max_new_tokens: parameters.maxTokens,
      thinking: parameters.effort === null ? null : { enabled: parameters.effort !== "none" },
    }),
  read: (data) => {
    const inner = (data.data ?? {}) as { choices?: Json[]; usage?: Json };
    const choice = inner.choices?.[0] ?? {};
    return piece({
      text: choice.delta,
      reasoning: choice.reasoning_content,
      promptTokens: inner.usage?.prompt_tokens,
      completionTokens: inner.usage?.completion_tokens,
      error: data.error,
    });
  },
};

/** What a tool has told in another dialect is told as the user's words. */
function message({ role, text, images, videos }: Turn): Json {
  if (images.length === 0 && videos.length === 0) return { role: role === "assistant" ? role : "user", content: text };
  const media = [...images.map((url) => ({ type: "image_base64", image_base64: partsOf(url).data })), ...videos.map((url) => ({ type: "video_url", video_url: url }))];
  return { role, content: [...media, ...(text ? [{ type: "text", text }] : [])] };
}
