/** A value as TOML writes it (TOML 1.0), tables inline. What is null is left out. */
export function toml(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
  if (Array.isArray(value)) return `[${value.map(toml).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const pairs = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
    return pairs.length === 0 ? "{}" : `{ ${pairs.map(([name, item]) => `${tomlKey(name)} = ${toml(item)}`).join(", ")} }`;
  }
  return String(value);
}

/** A key as TOML writes it: bare where it may be. */
export function tomlKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}
