// What people write into forms, as the interface takes it.

/** Conditions, one a line: `name = value`. `undefined`: some line is none. */
export function pairs(text: string): Record<string, string> | undefined {
  const found: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    // A name that is written twice would silently mean the last one.
    if (!name || !value || Object.hasOwn(found, name)) return undefined;
    found[name] = value;
  }
  return found;
}

/** Ids, one a line or with commas between, each once. */
export const ids = (text: string): string[] => [
  ...new Set(
    text
      .split(/[\s,]+/)
      .map((id) => id.trim())
      .filter((id) => id !== ""),
  ),
];

/** A moment of a field of type `datetime-local`, which is of the reader's own clock; `null`: it is empty. */
export const moment = (local: string): string | null => (local === "" ? null : new Date(local).toISOString());

/** The other way: what such a field shows. */
export function local(iso: string | null): string {
  if (iso === null) return "";
  const time = new Date(iso);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
