import type { Turn } from "../turn";
import { callPiece, type Dialect, type Json, piece, said, some } from "./base";

/** OpenAI's Chat Completions. */
export const chat: Dialect = {
  path: () => "/v1/chat/completions",
  headers: {},
  takes: ["temperature", "topP", "topK", "minP", "presencePenalty", "repetitionPenalty", "maxTokens", "effort"],
  tools: true,
  body: ({ model, turns, parameters, tools }, streams) =>
    said({
      model,
      messages: [...(parameters.system ? [{ role: "system", content: parameters.system }] : []), ...turns.map(message)],
      tools: some(tools.map(({ name, description, parameters: schema }) => ({ type: "function", function: said({ name, description, parameters: schema }) }))),
      ...(streams && { stream: true, stream_options: { include_usage: true } }),
      temperature: parameters.temperature,
      top_p: parameters.topP,
      top_k: parameters.topK,
      min_p: parameters.minP,
      presence_penalty: parameters.presencePenalty,
      repetition_penalty: parameters.repetitionPenalty,
      max_tokens: parameters.maxTokens,
      reasoning_effort: parameters.effort,
    }),
  read: (data) => {
    const delta = (data.choices as { delta?: Json }[] | undefined)?.[0]?.delta ?? {};
    const usage = data.usage as Json | null | undefined;
    const calls = delta.tool_calls as { index?: unknown; id?: unknown; function?: Json }[] | undefined;
    return piece({
      text: delta.content,
      reasoning: delta.reasoning_content ?? delta.reasoning,
      calls: calls?.map((call) => callPiece(call.index, { ...call.function, id: call.id })),
      promptTokens: usage?.prompt_tokens,
      completionTokens: usage?.completion_tokens,
      error: data.error,
    });
  },
};

function message({ role, text, images, videos, calls }: Turn): Json {
  if (role === "tool") return { role, tool_call_id: calls[0]?.id, content: text };
  if (role === "assistant") {
    return { role, content: text || null, ...(calls.length > 0 && { tool_calls: calls.map(({ id, name, arguments: given }) => ({ id, type: "function", function: { name, arguments: given } })) }) };
  }
  if (images.length === 0 && videos.length === 0) return { role, content: text };
  const media = [...images.map((url) => ({ type: "image_url", image_url: { url } })), ...videos.map((url) => ({ type: "video_url", video_url: { url } }))];
  return { role, content: [...media, ...(text ? [{ type: "text", text }] : [])] };
}
