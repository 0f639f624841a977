import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** The admin API. A cookie that no script can read says who asks; this header, that a page of ours does. */
export const api = createClient<paths>({ baseUrl: window.location.origin, headers: { "x-rixin-csrf": "1" } });

/** An answer with a status of 400 or more, or none at all (status 0). */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly kind: string,
    readonly param: string | null = null,
  ) {
    super(message);
  }
}

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** What an answer holds. Throws `ApiError`. */
export async function taken<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (error) {
    throw new ApiError(error instanceof Error ? error.message : String(error), 0, "unreachable");
  }
  if (answer.response.ok) return answer.data as T;
  throw errorOf(answer.error, answer.response.status);
}

/** What an answer holds, and how long the server took to begin it, in milliseconds, where it says so. Throws `ApiError`. */
export async function timed<T>(asked: Promise<Answer<T>>): Promise<{ answer: T; took: number | null }> {
  const answer = await taken(asked);
  const told = /dur=([\d.]+)/.exec((await asked).response.headers.get("server-timing") ?? "");
  return { answer, took: told === null ? null : Number(told[1]) };
}

/** The error that a body tells, in the shape of whichever dialect. */
export function errorOf(body: unknown, status: number): ApiError {
  const found = (body as { error?: unknown } | null | undefined)?.error;
  const told = (Array.isArray(found) ? found[0] : found) as { message?: unknown; type?: unknown; param?: unknown } | undefined;
  const message = typeof told?.message === "string" ? told.message : `HTTP ${status}`;
  return new ApiError(
    message,
    status,
    typeof told?.type === "string" ? told.type : "",
    typeof told?.param === "string" ? told.param : null,
  );
}
