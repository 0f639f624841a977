import { partsOf } from "../media";
import type { Turn } from "../turn";
import { argumentsOf, callPiece, type Dialect, type Json, piece, rounds, said, some } from "./base";

/** Google's Gemini API. */
export const gemini: Dialect = {
  path: (model, streams) => `/v1beta/models/${encodeURIComponent(model)}:${streams ? "streamGenerateContent?alt=sse" : "generateContent"}`,
  headers: {},
  takes: ["temperature", "topP", "topK", "presencePenalty", "maxTokens", "effort"],
  tools: true,
  body: ({ turns, parameters, tools }) =>
    said({
      contents: rounds(turns).map((round) => ({ role: round[0]?.role === "assistant" ? "model" : "user", parts: round.flatMap(parts) })),
      systemInstruction: parameters.system ? { parts: [{ text: parameters.system }] } : null,
      tools: tools.length === 0 ? null : [{ functionDeclarations: tools.map(({ name, description, parameters: schema }) => said({ name, description, parametersJsonSchema: schema })) }],
      generationConfig: said({
        temperature: parameters.temperature,
        topP: parameters.topP,
        topK: parameters.topK,
        presencePenalty: parameters.presencePenalty,
        maxOutputTokens: parameters.maxTokens,
        thinkingConfig: parameters.effort === "none" ? { thinkingBudget: 0 } : said({ includeThoughts: true, thinkingLevel: parameters.effort }),
      }),
    }),
  read: (data) => {
    const found = (data.candidates as { content?: { parts?: Json[] } }[] | undefined)?.[0]?.content?.parts ?? [];
    const usage = data.usageMetadata as Json | undefined;
    const calls = found.flatMap(({ functionCall }) => (functionCall ? [functionCall as Json] : []));
    return piece({
      text: words(found.filter(({ thought }) => thought !== true)),
      reasoning: words(found.filter(({ thought }) => thought === true)),
      calls: some(calls.map((call) => callPiece(call.id, { ...call, arguments: JSON.stringify(call.args ?? {}) }))),
      promptTokens: usage?.promptTokenCount,
      completionTokens: usage && sum(usage.candidatesTokenCount, usage.thoughtsTokenCount),
      error: data.error,
    });
  },
};

function parts({ role, text, images, videos, calls }: Turn): Json[] {
  const [call] = calls;
  if (role === "tool") return [{ functionResponse: { id: call?.id, name: call?.name, response: { output: text } } }];
  const told = text ? [{ text }] : [];
  if (role === "assistant") return [...told, ...calls.map(({ id, name, arguments: given }) => ({ functionCall: { id, name, args: argumentsOf(given) } }))];
  return [...[...images, ...videos].map(inline), ...told];
}

function inline(url: string): Json {
  const { type, data } = partsOf(url);
  return { inlineData: { mimeType: type, data } };
}

function words(found: Json[]): string {
  return found.map(({ text }) => (typeof text === "string" ? text : "")).join("");
}

function sum(...counts: unknown[]): number {
  return counts.reduce<number>((total, count) => total + (typeof count === "number" ? count : 0), 0);
}
