import type { Turn } from "../turn";
import { callPiece, type Dialect, type Json, piece, said, some } from "./base";

/** OpenAI's Responses. */
export const responses: Dialect = {
  path: () => "/v1/responses",
  headers: {},
  takes: ["temperature", "topP", "maxTokens", "effort"],
  tools: true,
  body: ({ model, turns, parameters, tools }, streams) =>
    said({
      model,
      instructions: parameters.system,
      input: turns.flatMap(items),
      tools: some(tools.map(({ name, description, parameters: schema }) => said({ type: "function", name, description, parameters: schema }))),
      ...(streams && { stream: true }),
      store: false,
      temperature: parameters.temperature,
      top_p: parameters.topP,
      max_output_tokens: parameters.maxTokens,
      reasoning: parameters.effort === null ? null : { effort: parameters.effort },
    }),
  read: (data) => {
    const response = data.response as { usage?: Json; error?: unknown } | undefined;
    return piece({
      text: data.type === "response.output_text.delta" ? data.delta : undefined,
      reasoning: String(data.type).startsWith("response.reasoning") ? data.delta : undefined,
      calls: calls(data),
      promptTokens: response?.usage?.input_tokens,
      completionTokens: response?.usage?.output_tokens,
      error: data.type === "error" ? (data.error ?? data) : response?.error,
    });
  },
};

function calls({ type, output_index: index, item, delta }: Json) {
  const call = item as Json | undefined;
  if (type === "response.output_item.added" && call?.type === "function_call") return [callPiece(index, { id: call.call_id, name: call.name })];
  return type === "response.function_call_arguments.delta" ? [callPiece(index, { arguments: delta })] : undefined;
}

function items({ role, text, images, videos, calls: wished }: Turn): Json[] {
  if (role === "tool") return [{ type: "function_call_output", call_id: wished[0]?.id, output: text }];
  if (role === "assistant") {
    return [
      ...(text ? [{ role, content: [{ type: "output_text", text }] }] : []),
      ...wished.map(({ id, name, arguments: given }) => ({ type: "function_call", call_id: id, name, arguments: given })),
    ];
  }
  const media = [...images.map((url) => ({ type: "input_image", image_url: url })), ...videos.map((url) => ({ type: "video_url", video_url: url }))];
  return [{ role, content: [...media, ...(text ? [{ type: "input_text", text }] : [])] }];
}
