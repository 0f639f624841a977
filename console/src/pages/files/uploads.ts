import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { send, type Wish } from "./send";

const AT_ONCE = 2;

/** A file on its way. */
export type Upload = { key: number; file: File; wish: Wish; state: "waiting" | "sending" | "sent" | "failed"; share: number; error: unknown };

/** Files that are sent, a few at a time; `arrived` hears the id of each that is there. */
export function useUploads(arrived?: (id: string) => void) {
  const queries = useQueryClient();
  const [uploads, setUploads] = useState<Upload[]>([]);
  const last = useRef(0);
  const stoppers = useRef(new Map<number, AbortController>());
  const change = useCallback((key: number, changes: Partial<Upload>) => setUploads((all) => all.map((one) => (one.key === key ? { ...one, ...changes } : one))), []);

  const begin = useCallback(
    async ({ key, file, wish }: Upload) => {
      const stopper = new AbortController();
      stoppers.current.set(key, stopper);
      change(key, { state: "sending", share: 0, error: null });
      try {
        const { id } = await send(file, wish, (share) => change(key, { share }), stopper.signal);
        change(key, { state: "sent", share: 1 });
        arrived?.(id);
        void queries.invalidateQueries({ queryKey: ["files"] });
      } catch (error) {
        if (stopper.signal.aborted) setUploads((all) => all.filter((one) => one.key !== key));
        else change(key, { state: "failed", error });
      } finally {
        stoppers.current.delete(key);
      }
    },
    [arrived, change, queries],
  );

  useEffect(() => {
    const free = AT_ONCE - stoppers.current.size;
    for (const upload of uploads.filter(({ key, state }) => state === "waiting" && !stoppers.current.has(key)).slice(0, Math.max(0, free))) void begin(upload);
  }, [uploads, begin]);

  useEffect(() => {
    const running = stoppers.current;
    return () => running.forEach((stopper) => stopper.abort());
  }, []);

  return {
    uploads,
    add: (files: File[], wish: Wish) => setUploads((all) => [...all, ...files.map((file): Upload => ({ key: (last.current += 1), file, wish, state: "waiting", share: 0, error: null }))]),
    /** Ends one, or takes one that never began from the list. */
    stop: (key: number) => {
      stoppers.current.get(key)?.abort();
      setUploads((all) => all.filter((one) => one.key !== key || one.state === "sending"));
    },
    again: (key: number) => change(key, { state: "waiting", error: null }),
    clear: () => setUploads((all) => all.filter(({ state }) => state === "waiting" || state === "sending")),
  };
}
