export const dialects = { chat: "Chat Completions", responses: "Responses", messages: "Messages", native: "SenseNova 原生", gemini: "Gemini" };
