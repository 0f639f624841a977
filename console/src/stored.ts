/** A value of this browser's, kept under a name; `fallback` where there is none, or none that counts. */
export function stored<T>(name: string, fallback: T, counts: (value: unknown) => boolean) {
  const key = `rixin.${name}`;
  return {
    read: (): T => {
      try {
        const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
        return counts(value) ? (value as T) : fallback;
      } catch {
        return fallback;
      }
    },
    write: (value: T) => {
      try {
        localStorage.setItem(key, JSON.stringify(value));
      } catch {
        // The browser's store is full or forbidden: the choice lasts until the page is closed.
      }
    },
  };
}
