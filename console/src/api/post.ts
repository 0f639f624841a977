import { errorOf } from "./client";

/** Sends a request with what the login is proven by. Throws `ApiError` where it is refused. */
export async function post(path: string, body: unknown, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-rixin-csrf": "1", ...headers },
    body: JSON.stringify(body),
    signal,
  });
  if (response.ok) return response;
  throw errorOf(await response.json().catch(() => null), response.status);
}
