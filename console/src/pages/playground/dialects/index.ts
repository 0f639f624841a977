import type { Dialect } from "./base";
import { chat } from "./chat";
import { gemini } from "./gemini";
import { messages } from "./messages";
import { native } from "./native";
import { responses } from "./responses";

/** All that the playground speaks. */
export const DIALECTS = { chat, responses, messages, native, gemini } satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;
