import type { ParameterName, Parameters } from "../parameters";
import type { Tool } from "../tools";
import type { Turn } from "../turn";

export type Json = Record<string, unknown>;

/** What is asked for. */
export type Asked = { model: string; turns: Turn[]; parameters: Parameters; tools: Tool[] };

/** A part of a call: pieces of one `key` belong together, their arguments one after the other. */
export type CallPiece = { key: string; id?: string; name?: string; arguments?: string };

/** What an event adds to an answer. */
export type Piece = { text?: string; reasoning?: string; calls?: CallPiece[]; promptTokens?: number; completionTokens?: number; error?: unknown };

/** How a conversation is asked for in one dialect, and what its events mean. */
export type Dialect = {
  path: (model: string, streams: boolean) => string;
  headers: Record<string, string>;
  /** The parameters that it has fields for. */
  takes: readonly ParameterName[];
  /** Whether it has tools. */
  tools: boolean;
  body: (asked: Asked, streams: boolean) => Json;
  read: (data: Json) => Piece;
};

/** Without what is not said. */
export function said(body: Json): Json {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined && value !== ""));
}

/** A list, unless there is nothing in it. */
export function some<T>(list: T[]): T[] | null {
  return list.length === 0 ? null : list;
}

/** Only what has the right type: the bytes are somebody else's. */
export function piece(found: { [Name in keyof Piece]?: unknown }): Piece {
  return {
    ...(typeof found.text === "string" && { text: found.text }),
    ...(typeof found.reasoning === "string" && { reasoning: found.reasoning }),
    ...(Array.isArray(found.calls) && { calls: found.calls as CallPiece[] }),
    ...(typeof found.promptTokens === "number" && { promptTokens: found.promptTokens }),
    ...(typeof found.completionTokens === "number" && { completionTokens: found.completionTokens }),
    ...(found.error != null && { error: found.error }),
  };
}

/** A piece of a call, of which only what has the right type counts. */
export function callPiece(key: unknown, found: { id?: unknown; name?: unknown; arguments?: unknown }): CallPiece {
  return {
    key: String(key),
    ...(typeof found.id === "string" && { id: found.id }),
    ...(typeof found.name === "string" && { name: found.name }),
    ...(typeof found.arguments === "string" && { arguments: found.arguments }),
  };
}

/** A call's arguments as the object that some dialects want; what is no object is told as text. */
export function argumentsOf(text: string): Json {
  try {
    const value: unknown = JSON.parse(text || "{}");
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // A model has written no JSON.
  }
  return { text };
}

/** The turns, those results together that follow one another. */
export function rounds(turns: Turn[]): Turn[][] {
  const together: Turn[][] = [];
  for (const one of turns) {
    const last = together.at(-1);
    if (one.role === "tool" && last?.[0]?.role === "tool") last.push(one);
    else together.push([one]);
  }
  return together;
}
