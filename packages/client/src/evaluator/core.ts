// A slice, opened and decided on in plain JavaScript: docs/snapshot-format.md, and docs/semantics.md section 4.
//
// The only rules outside of Rust, and like every engine held against the oracle on random worlds. Size comes before
// speed and, in here, before small functions: what is local to one function costs a page one letter.
//
// Opening checks head, checksum and lengths, so that damage is found before anything is decided. Not checked is what
// nothing relies on: orders, directories, lists of what can be reached. A reference that leads nowhere is met where it
// is followed, and throws `bad_slice` there; only forged bytes have one, since the checksum is no signature. Nothing
// here is recursive, and every walk leaves each subject and each place once.
//
// Not here: a clock, and anything that would outlast a question.

import { PosternError, type ErrorCode } from "../errors.js";
import type { AllowReason, DenyReason, Facts, Resource } from "../question.js";
import { checksum, digest, hex } from "./hashes.js";

/** What accompanies a question: what is stated, and the moment. */
export interface FactsAt extends Facts {
  /** Microseconds since 1970-01-01T00:00:00Z. */
  readonly now: number;
}

/** Why a check is decided as it is. */
export type Reason = AllowReason | Exclude<DenyReason, "stale" | "closed">;

type Two = readonly [number, number];
/** Rows of up to six words; a table's own page says which. */
export type Words = readonly [number, number, number, number, number, number];
/** A permission: action, whether it works when inactive, number. A type: flags, owner set + 1, and what is of it by id. */
export type Declared = readonly [flags: number, second: number, number: number, ids: Map<string, Place>];

/** The slice's subject, or one of its groups. */
export interface Subject {
  readonly bits: number;
  /** Bindings, memberships, groups, timing, attributes, flags. */
  readonly ext: Words;
  /** The list of its bindings. */
  readonly held: number;
}

/** A resource, or the organization. */
export interface Place {
  /** Its number + 1, as bindings name it; 0 is the organization, -1 what no fact names. */
  readonly at: number;
  readonly kind: Declared;
  readonly up: number;
  /** Flags, owner + 1, timing, attributes, edges, reach. */
  readonly ext: Words;
  /** The live stated parents, in place of `up` and edges. */
  readonly stated?: number[];
}

/** The bits of a grant or an exclusion; of an exclusion; of an assignment that narrows. */
const DIRECT = 3 << 24;
const EXCLUDE = 1 << 25;
const NARROWS = 1 << 26;

/** Throws the typed error. */
export const fail = (code: ErrorCode): never => {
  throw new PosternError(code, code);
};

const row = <T>(rows: ArrayLike<T>, number: number): T => rows[number] ?? fail("bad_slice");

/** Everything that steps lead to, with where they start. A set is walked along with what is added meanwhile. */
const reach = <T>(from: T[], steps: (item: T) => T[]): Set<T> => {
  const seen = new Set(from);
  for (const item of seen) for (const next of steps(item)) seen.add(next);
  return seen;
};

/** Reads a slice. Throws `bad_slice`, or the RangeError of reading beyond the end. */
export function read(source: Uint8Array) {
  const { length } = source;
  // A copy, which nobody can change later. Eight zeros follow, for the checksum's last word.
  const bytes = new Uint8Array(length + 8);
  const view = new DataView(bytes.buffer);
  bytes.set(source);
  let at = 0;
  const u32 = (): number => view.getUint32((at += 4) - 4, true);
  const u64 = (): bigint => view.getBigUint64((at += 8) - 8, true);
  /** Where that ends whose length stands here. */
  const end = (): number => Number(u64()) + at;
  const take = (to: number): Uint8Array => bytes.subarray(at, (at = to));
  const rows = <Row>(width: number, one: () => unknown = u32): Row[] => {
    const found: unknown[] = [];
    for (const to = end(); at < to;) found.push(Array.from({ length: width }, one));
    return found as Row[];
  };
  const words = (): number[] => rows<number[]>(1).flat();
  const decoder = new TextDecoder(undefined, { ignoreBOM: true });

  // `POSTERN` and a zero; version 1 and what is reserved.
  if (u64() !== 0x4e524554534f50n || u64() !== 1n || u64() !== checksum(view, at, length)) fail("bad_slice");
  at = end(); // the organization
  const revision = Number(u64());
  u32(); // flags: whether there are time bounds, and that it is a slice, which `own` says as well
  const own = u32() - 1;
  at += 40; // what all hold: in a slice nothing; the size of a set; where the lists of each kind begin
  const stringEnds = words();
  const letters = take(end());
  // The first end is where string 0 begins, so that what is named by number + 1 is found as it stands.
  const strings = stringEnds.map((to, index) => decoder.decode(letters.subarray(stringEnds[index - 1], to)));
  const text = (number: number): string => row(strings, number + 1);
  const catalog = (): Map<string, Declared> =>
    new Map(
      rows<Words>(3).map(([name, first, second], number) => [text(name), [first, second, number, new Map()]]),
    );
  const permissions = catalog();
  const kinds = catalog();
  const sets = take(end());
  const timings: (readonly [number | bigint, number | bigint])[] = [
    [-Infinity, Infinity],
    ...rows<[bigint, bigint]>(2, () => BigInt.asIntN(64, u64())),
  ];
  const listEnds = words();
  const items = words();
  // A row for number 0 where rows are named by number + 1: no terms, no role, nothing rare.
  const none: Words = [0, 0, 0, 0, 0, 0];
  const terms = [none, ...rows<Words>(5)];
  const roles = [none, ...rows<Words>(4)];
  const bindings = rows<Words>(4);
  const subjectExts = [none, ...rows<Words>(6)];
  const resourceExts = [none, ...rows<Words>(6)];
  const list = (number: number): number[] => items.slice(row(listEnds, number), row(listEnds, number + 1));
  const pairs = (number: number): Two[] =>
    list(number).flatMap((first, index, all) => (index & 1 ? [] : [[first, row(all, index + 1)]]));

  /** Calls for every entry of a table: its id, empty where it is hidden; its type; its row; a subject's digest. */
  const table = (
    entry: (id: string, of: number, low: number, high: number, name: () => string) => void,
  ): void => {
    const partitions = rows<Words>(6);
    at = end(); // directories, for those who look up in the bytes
    const size = Number(u64());
    const start = at;
    partitions.forEach(([of, keys], index) => {
      while (at < (partitions[index + 1]?.[3] ?? size) + start) {
        // Keys are a UUID, a text, the digest of a subject, or hidden.
        const key = keys === 1 ? text(u32()) : keys > 2 ? "" : hex(take(at + 16));
        const id = keys ? key : key.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
        entry(id, of, u32(), u32(), () => (keys > 1 ? key : digest(text(of) + ":" + id)));
      }
    });
  };
  const subjects: Subject[] = [];
  /** By digest, numbers + 1, as owners are named. */
  const names = new Map<string, number>();
  table((_id, _of, low, high, name) => {
    // The second and third of the row's four 16-bit words together.
    const link = view.getUint32(at - 6, true);
    const ext = row(subjectExts, low & 8 && link + 1);
    // The up to three bindings that stand in the row become a list of their own, after all others.
    items.push(low >>> 16, high & 65535, high >>> 16);
    listEnds.push(items.length);
    const held = low & 8 ? ext[0] : low & 4 ? link : listEnds.length - 2;
    names.set(name(), subjects.push({ bits: low, ext, held }));
  });
  table((_id, _of, subject, _zero, name) => names.set(name(), subject + 1));
  const me = row(subjects, own);
  // The organization is a place of its own, which counts as a scope: `anywhere` asks there too.
  const root: Place = { at: 0, kind: [1, 0, 0, new Map()], up: 0, ext: none };
  const places = [root];
  table((id, of, up, ext) => {
    const kind = row([...kinds.values()], of);
    const place = { at: places.length, kind, up, ext: row(resourceExts, ext) };
    places.push(place);
    if (id) kind[3].set(id, place);
  });
  if (at !== length) fail("bad_slice");

  /** Prepares for one moment, one set of stated facts and one resource. Throws `invalid_request` (rule 1). */
  const ask = (facts: FactsAt, resource?: Resource | null) => {
    const { in: parents = [], where = {}, session, owner, now } = facts;
    if (!isFinite(now) || (resource && (!resource.type || !resource.id || resource.id === "*")))
      fail("invalid_request");
    const live = (timing: number, [from, to] = row(timings, timing)): boolean => from <= now && now < to;
    // Neither only named nor inactive. A step on the way up (4) may have an id, and is not listed either.
    const alive = ({ ext }: Place): boolean => !(ext[0] & 3) && live(ext[2]);
    const find = (of: Resource): Place | undefined => kinds.get(of.type)?.[3].get(of.id);
    const listed = (place?: Place): unknown => place && !(place.ext[0] & 5);

    // Rule 2, and by where they stand the bindings that count.
    const principals = reach([me], ({ ext }) =>
      pairs(ext[1]).flatMap(([group, timing]) => (live(timing) ? row(subjects, group) : [])),
    );
    const held = new Map<number, Words[]>();
    for (const number of new Set([...new Set(Array.from(principals, ({ held }) => held))].flatMap(list))) {
      const binding = row(bindings, number);
      held.get(binding[0])?.push(binding) ?? held.set(binding[0], [binding]);
    }

    /** Rule 3, and section 7 about what is not listed. */
    const target = ((): Place | Reason => {
      if (!resource) return root;
      const kind = kinds.get(resource.type);
      if (!kind) return "unknown_resource";
      const place = find(resource);
      if (listed(place)) return place!;
      // A stated parent may be listed elsewhere if its type is no scope and something is of it.
      if (
        kind[0] & 1 ||
        parents.some((parent) => !((kinds.get(parent.type)?.[0] ?? 1) & 9) && !listed(find(parent)))
      )
        return "not_in_slice";
      return {
        at: place ? place.at : -1,
        kind,
        up: 0,
        ext: [0, (owner && names.get(digest(owner))) || 0, 0, 0, 0, 0],
        stated: parents.flatMap((parent) => {
          const place = find(parent);
          return place && alive(place) ? place.at : [];
        }),
      };
    })();

    /** Rules 2 to 12, about the resource or another place. */
    const decide = ([action, worksWhenInactive, permission]: Declared, to = target): Reason => {
      if (me.bits & 32 || !live(me.ext[3])) return "inactive_subject";
      if (typeof to === "string") return to;
      if (!alive(to) && !worksWhenInactive) return "inactive_resource";
      const has = (what: number): number =>
        row(sets, (what & 0xffffff) * ((permissions.size + 7) >> 3) + (permission >> 3)) &
        (1 << (permission & 7));
      const owned = principals.has(subjects[to.ext[1] - 1]!);

      // Rule 4. The organization's own step, and a chain's last one, lead to the organization.
      const up = (at: number): number[] => {
        const { up, ext, stated } = at === to.at ? to : row(places, at);
        if (stated) return stated;
        if (up !== 2 ** 31) return [up];
        return pairs(ext[4]).flatMap(([parent, cap]) =>
          (cap && !list(cap).includes(action)) || !alive(row(places, parent + 1)) ? [] : parent + 1,
        );
      };
      const anchors = reach([to.at, 0], up);

      // Rules 8 and 11. What is found has the permission, and the place of the candidate that it came by, or -1.
      const found: [via: number, what: number][] = [];
      const narrowing: [place: number, above: Set<number>][] = [];
      const match = (dimensions: number, strict: number): boolean =>
        pairs(dimensions).every(([name, value]) => {
          const key = text(name);
          const stored = pairs(key.startsWith("subject.") ? me.ext[4] : to.ext[3]).find(
            ([other]) => other === name,
          );
          const found = Object.hasOwn(where, key) ? where[key] : stored && text(stored[1]);
          return found === undefined ? !strict : text(value) === "*" || text(value) === found;
        });
      const weigh = ([at, what, , next]: Words, via: number): unknown => {
        const [timing, ifOwn, inSession, conditions, require] = row(terms, next);
        if (
          !anchors.has(at) ||
          !live(timing) ||
          (ifOwn && !owned) ||
          (inSession && session !== row(strings, inSession)) ||
          !match(conditions, what & EXCLUDE) ||
          !match(require, 1)
        )
          return;
        if (what & NARROWS) narrowing.push([at, reach([at, 0], up)]);
        if (has(what)) found.push([via, what]);
        return 1;
      };
      for (const anchor of anchors)
        for (const binding of held.get(anchor) ?? []) {
          const role = binding[2];
          if (weigh(binding, role ? anchor : -1))
            for (const number of list(row(roles, role)[3])) weigh(row(bindings, number), anchor);
        }
      if (found.some(([, what]) => what & EXCLUDE)) return "excluded";
      if (to.kind[1] && owned && has(to.kind[1] - 1)) return "owner";

      // Rule 6: a strict ancestor is anything but the place itself, also in a cycle.
      const kept = found.filter(([via]) =>
        narrowing.every(([place, above]) => place === via || !above.has(via)),
      );
      if (kept.some(([, what]) => !(what & DIRECT))) return "assignment";
      return kept[0] ? "grant" : found[0] ? "narrowed" : me.bits & 16 ? "unknown_subject" : "not_granted";
    };
    return [decide, alive] as const;
  };
  return { revision, permissions, kinds, places, ask };
}
