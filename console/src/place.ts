import { useCallback } from "react";
import { useSearchParams } from "react-router";

/** What the address tells of a page: what it has open, and filters by. The second part changes one of it; undefined takes it away. */
export function usePlace(): [URLSearchParams, (name: string, value: string | undefined) => void] {
  const [query, setQuery] = useSearchParams();
  const change = useCallback(
    (name: string, value: string | undefined) =>
      setQuery((before) => {
        const after = new URLSearchParams(before);
        if (value) after.set(name, value);
        else after.delete(name);
        return after;
      }),
    [setQuery],
  );
  return [query, change];
}
