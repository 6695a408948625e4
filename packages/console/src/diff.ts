// What a write changed of an item, member by member.

export interface Member {
  readonly name: string;
  /** As it was; `undefined`: it was not there, or nothing of it went. */
  readonly removed: string | undefined;
  /** As it is; `undefined`: it is not there, or nothing came to it. */
  readonly added: string | undefined;
}

type Item = Readonly<Record<string, unknown>> | null;

/** The members that differ. Of a list only the entries that went and came. */
export function members(before: Item, after: Item): Member[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const changed: Member[] = [];
  for (const name of names) {
    const [was, is] = [before?.[name], after?.[name]];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    if (Array.isArray(was) && Array.isArray(is)) {
      const went = without(was, is);
      const came = without(is, was);
      changed.push({ name, removed: went, added: came });
    } else changed.push({ name, removed: value(was), added: value(is) });
  }
  return changed;
}

function without(list: readonly unknown[], other: readonly unknown[]): string | undefined {
  const there = new Set(other.map((entry) => JSON.stringify(entry)));
  const left = list.filter((entry) => !there.has(JSON.stringify(entry)));
  return left.length === 0 ? undefined : left.map((entry) => value(entry) ?? "null").join(", ");
}

function value(of: unknown): string | undefined {
  if (of === undefined || of === null) return undefined;
  return typeof of === "string" ? of : JSON.stringify(of);
}
