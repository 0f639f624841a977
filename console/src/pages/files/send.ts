import { errorOf } from "../../api/client";

/** What a file is sent with, in the words of the API that it is for. */
export type Wish = { field: "purpose" | "scheme"; name: string; lifetime: number | null };

/** Sends a file, and tells how far it is, from 0 to 1. `fetch` cannot tell that of what is sent. Throws `ApiError`. */
export function send(file: File, wish: Wish, progress: (share: number) => void, signal: AbortSignal): Promise<{ id: string }> {
  const form = new FormData();
  form.append(wish.field, wish.name);
  if (wish.lifetime !== null) {
    form.append("expires_after[anchor]", "created_at");
    form.append("expires_after[seconds]", String(wish.lifetime));
  }
  form.append("file", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/files");
    request.setRequestHeader("x-rixin-csrf", "1");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      const answer: unknown = request.response;
      if (request.status >= 400) reject(errorOf(answer, request.status));
      else resolve({ id: idOf(answer) });
    };
    request.onerror = () => reject(errorOf(null, 0));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/** The id of a new file: of OpenAI's shape, or of the native platform's. */
function idOf(answer: unknown): string {
  const made = answer as { id?: string; file?: { id?: string } } | null;
  return made?.id ?? made?.file?.id ?? "";
}
