export const dialects = { chat: "Chat Completions", responses: "Responses", messages: "Messages", native: "SenseNova native", gemini: "Gemini" };
