/** Pictures and videos that a turn takes along, as data URLs. */
export type Media = { images: string[]; videos: string[] };

export const NO_MEDIA: Media = { images: [], videos: [] };

/** Why a file is not taken: the key of a text that says it. */
export type Refused = { name: string; reason: "notMedia" | "tooLarge" };

const LARGEST = { image: 15, video: 40 }; // MiB; a request may have 64, and base64 takes a third more
const MIB = 1024 * 1024;

/** The pictures and videos among files, and what is left of them. */
export async function readMedia(files: Iterable<File>): Promise<{ media: Media; refused: Refused[] }> {
  const refused: Refused[] = [];
  const fitting = [...files].filter((file) => {
    const reason = reasonAgainst(file);
    if (reason !== null) refused.push({ name: file.name, reason });
    return reason === null;
  });
  const urls = await Promise.all(fitting.map(dataUrl));
  return { media: { images: urls.filter(isOf("image")), videos: urls.filter(isOf("video")) }, refused };
}

/** The content type of a data URL, and what it holds in base64. */
export function partsOf(url: string): { type: string; data: string } {
  const [head = "", data = ""] = url.split(",", 2);
  return { type: head.slice("data:".length).split(";")[0] ?? "", data };
}

function reasonAgainst(file: File): Refused["reason"] | null {
  const [kind = ""] = file.type.split("/");
  if (kind !== "image" && kind !== "video") return "notMedia";
  return file.size > LARGEST[kind] * MIB ? "tooLarge" : null;
}

const isOf = (kind: string) => (url: string) => url.startsWith(`data:${kind}/`);

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
}
