// Roles against permissions: what a permission list stands for, and how a change of a cell changes the list.

import type { Catalog } from "./types.js";

/** How a list has a permission: by its key, by a wildcard, or not. */
export type Cell = "listed" | "wildcard" | "none";

/** Whether an entry of a permission list stands for a key: the key itself, `<type>:*` or `*`. */
export function covers(entry: string, key: string): boolean {
  if (!entry.endsWith("*")) return entry === key;
  const prefix = entry.slice(0, -1);
  return prefix === "" || (prefix.endsWith(":") && key.slice(0, key.lastIndexOf(":") + 1) === prefix);
}

export function cell(permissions: readonly string[], key: string): Cell {
  if (permissions.includes(key)) return "listed";
  return permissions.some((entry) => covers(entry, key)) ? "wildcard" : "none";
}

/** As {@link cell}; `implied`: it is not there, and something that is there implies it (semantics.md rule 7). */
export function satisfied(permissions: readonly string[], key: string, catalog: Catalog): Cell | "implied" {
  const how = cell(permissions, key);
  if (how !== "none") return how;
  const by = catalog.permissions[key]?.implied_by ?? [];
  return by.some((other) => cell(permissions, other) !== "none") ? "implied" : "none";
}

/**
 * The list with a key added or taken away. A wildcard that stood for a key that is taken away becomes the other keys
 * that it stood for.
 */
export function toggle(permissions: readonly string[], key: string, keys: readonly string[]): string[] {
  if (cell(permissions, key) === "none") return [...permissions, key].sort();
  const rest = new Set<string>();
  for (const entry of permissions) {
    if (!covers(entry, key)) rest.add(entry);
    else for (const other of keys) if (other !== key && covers(entry, other)) rest.add(other);
  }
  return [...rest].sort();
}

/** What a list gives more and less than another one, by key. */
export function difference(
  before: readonly string[],
  after: readonly string[],
  keys: readonly string[],
): { added: string[]; removed: string[] } {
  const has = (list: readonly string[], key: string): boolean => cell(list, key) !== "none";
  return {
    added: keys.filter((key) => !has(before, key) && has(after, key)),
    removed: keys.filter((key) => has(before, key) && !has(after, key)),
  };
}

/** Makes the same change to another list: what somebody else saved meanwhile stays. */
export function reapply(
  before: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
  keys: readonly string[],
): string[] {
  const { added, removed } = difference(before, mine, keys);
  let list: string[] = [...theirs];
  for (const key of added) if (cell(list, key) === "none") list = toggle(list, key, keys);
  for (const key of removed) if (cell(list, key) !== "none") list = toggle(list, key, keys);
  return list;
}

/** What a list's permissions need besides, and it lacks. */
export function missing(permissions: readonly string[], catalog: Catalog): string[] {
  const needed = new Set<string>();
  for (const [key, entry] of Object.entries(catalog.permissions)) {
    if (cell(permissions, key) === "none") continue;
    for (const other of entry.requires) if (cell(permissions, other) === "none") needed.add(other);
  }
  return [...needed].sort();
}

/** Keys by what stands before their last colon, in order. */
export function byType(keys: readonly string[]): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const key of [...keys].sort()) {
    const type = key.slice(0, Math.max(key.lastIndexOf(":"), 0)) || "other";
    groups.set(type, [...(groups.get(type) ?? []), key]);
  }
  return [...groups];
}
