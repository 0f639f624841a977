/** The dialects that keys can be kept to, by the server's names for them, and the keys of their texts. */
export const DIALECTS = {
  openai_chat: "chat",
  openai_responses: "responses",
  anthropic: "messages",
  sensenova_native: "native",
  gemini: "gemini",
} as const;
