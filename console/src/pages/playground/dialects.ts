import type { Parameters, Turn } from "./turn";

/** What an event adds to an answer. */
export type Piece = { text?: string; reasoning?: string; promptTokens?: number; completionTokens?: number; error?: unknown };

type Json = Record<string, unknown>;

/** How a conversation is asked for in one dialect, and what its events mean. */
export type Dialect = {
  path: string;
  headers: Record<string, string>;
  body: (model: string, turns: Turn[], parameters: Parameters) => Json;
  read: (data: Json) => Piece;
};

const OUR_MAX_TOKENS = 4096; // Messages must say one

export const DIALECTS = {
  chat: {
    path: "/v1/chat/completions",
    headers: {},
    body: (model, turns, parameters) =>
      said({
        model,
        messages: [
          ...(parameters.system ? [{ role: "system", content: parameters.system }] : []),
          ...turns.map((turn) => ({
            role: turn.role,
            content:
              turn.images.length === 0 || turn.role === "assistant"
                ? turn.text
                : [...turn.images.map((url) => ({ type: "image_url", image_url: { url } })), { type: "text", text: turn.text }],
          })),
        ],
        stream: true,
        stream_options: { include_usage: true },
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
      const choice = (data.choices as { delta?: Json }[] | undefined)?.[0]?.delta ?? {};
      const usage = data.usage as Json | null | undefined;
      return piece({
        text: choice.content,
        reasoning: choice.reasoning_content ?? choice.reasoning,
        promptTokens: usage?.prompt_tokens,
        completionTokens: usage?.completion_tokens,
        error: data.error,
      });
    },
  },
  responses: {
    path: "/v1/responses",
    headers: {},
    body: (model, turns, parameters) =>
      said({
        model,
        instructions: parameters.system || null,
        input: turns.map((turn) => ({
          role: turn.role,
          content: [
            ...(turn.role === "user" ? turn.images.map((url) => ({ type: "input_image", image_url: url })) : []),
            { type: turn.role === "user" ? "input_text" : "output_text", text: turn.text },
          ],
        })),
        stream: true,
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
        promptTokens: response?.usage?.input_tokens,
        completionTokens: response?.usage?.output_tokens,
        error: data.type === "error" ? (data.error ?? data) : response?.error,
      });
    },
  },
  messages: {
    path: "/v1/messages",
    headers: { "anthropic-version": "2023-06-01" },
    body: (model, turns, parameters) =>
      said({
        model,
        max_tokens: parameters.maxTokens ?? OUR_MAX_TOKENS,
        system: parameters.system || null,
        messages: turns.map((turn) => ({
          role: turn.role,
          content: [...(turn.role === "user" ? turn.images.map(source) : []), { type: "text", text: turn.text }],
        })),
        stream: true,
        temperature: parameters.temperature,
        top_p: parameters.topP,
        top_k: parameters.topK,
      }),
    read: (data) => {
      const delta = (data.delta ?? {}) as Json;
      const usage = (data.usage ?? (data.message as { usage?: Json } | undefined)?.usage) as Json | undefined;
      return piece({
        text: delta.text,
        reasoning: delta.thinking,
        promptTokens: usage?.input_tokens,
        completionTokens: data.type === "message_delta" ? usage?.output_tokens : undefined,
        error: data.error,
      });
    },
  },
} satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

function source(url: string) {
  const [head = "", data = ""] = url.split(",", 2);
  return { type: "image", source: { type: "base64", media_type: head.slice("data:".length).split(";")[0], data } };
}

/** Without what is not said. */
function said(body: Json): Json {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined));
}

/** Only what has the right type: the bytes are somebody else's. */
function piece(found: Record<keyof Piece, unknown>): Piece {
  return {
    ...(typeof found.text === "string" && { text: found.text }),
    ...(typeof found.reasoning === "string" && { reasoning: found.reasoning }),
    ...(typeof found.promptTokens === "number" && { promptTokens: found.promptTokens }),
    ...(typeof found.completionTokens === "number" && { completionTokens: found.completionTokens }),
    ...(found.error != null && { error: found.error }),
  };
}
