import { partsOf } from "../media";
import type { Turn } from "../turn";
import { argumentsOf, callPiece, type Dialect, type Json, piece, rounds, said, some } from "./base";

const OUR_MAX_TOKENS = 4096; // one must be said

/** Anthropic's Messages. */
export const messages: Dialect = {
  path: () => "/v1/messages",
  headers: { "anthropic-version": "2023-06-01" },
  takes: ["temperature", "topP", "topK", "maxTokens", "effort"],
  tools: true,
  body: ({ model, turns, parameters, tools }, streams) =>
    said({
      model,
      max_tokens: parameters.maxTokens ?? OUR_MAX_TOKENS,
      system: parameters.system,
      messages: rounds(turns).map((round) => ({ role: round[0]?.role === "assistant" ? "assistant" : "user", content: round.flatMap(blocks) })),
      tools: some(tools.map(({ name, description, parameters: schema }) => said({ name, description, input_schema: schema }))),
      ...(streams && { stream: true }),
      temperature: parameters.temperature,
      top_p: parameters.topP,
      top_k: parameters.topK,
      ...(parameters.effort === "none" ? { thinking: { type: "disabled" } } : { output_config: parameters.effort === null ? null : { effort: parameters.effort } }),
    }),
  read: (data) => {
    const delta = (data.delta ?? {}) as Json;
    const block = (data.content_block ?? {}) as Json;
    const usage = (data.usage ?? (data.message as { usage?: Json } | undefined)?.usage) as Json | undefined;
    const begun = block.type === "tool_use" ? [callPiece(data.index, block)] : undefined;
    return piece({
      text: delta.text,
      reasoning: delta.thinking,
      calls: delta.type === "input_json_delta" ? [callPiece(data.index, { arguments: delta.partial_json })] : begun,
      promptTokens: usage?.input_tokens,
      completionTokens: data.type === "message_delta" ? usage?.output_tokens : undefined,
      error: data.error,
    });
  },
};

function blocks({ role, text, images, videos, calls }: Turn): Json[] {
  if (role === "tool") return [{ type: "tool_result", tool_use_id: calls[0]?.id, content: text }];
  const words = text ? [{ type: "text", text }] : [];
  if (role === "assistant") return [...words, ...calls.map(({ id, name, arguments: given }) => ({ type: "tool_use", id, name, input: argumentsOf(given) }))];
  return [...images.map(image), ...videos.map((url) => ({ type: "video_url", video_url: url })), ...words];
}

function image(url: string): Json {
  const { type, data } = partsOf(url);
  return { type: "image", source: { type: "base64", media_type: type, data } };
}
