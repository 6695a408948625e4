// One declaration for the navigation and for the guard of routes.
//
// A page that is hidden in the menu but opens by its address, or is shown and then refuses, comes from deciding twice.
// Here an entry has one predicate, `visible` and `decide` both evaluate it, and an entry without one is refused.
//
// Not here: rendering, history, and any rule about permissions. What the server enforces it must enforce itself:
// this only keeps people from walking into doors that are locked.

import { PosternError } from "./errors.js";
import type { Permission, Resource, ResourceType } from "./question.js";

/** The part of a client that predicates need. */
export interface Decider {
  can(permission: Permission, resource?: Resource): boolean;
  anywhere(permission: Permission): boolean;
  everywhere(permission: Permission): boolean;
}

/** Where a permission must be held. An object names the resource by a parameter of the path. */
export type At<Param extends string = string> =
  "organization" | "anywhere" | "everywhere" | { readonly type: ResourceType; readonly param: Param };

/** One condition. */
export interface Term<Param extends string = string> {
  readonly permission: Permission;
  readonly at: At<Param>;
}

/** Terms of which all must hold. An empty group would always hold, so there is none. */
export type AllOf<Param extends string = string> = readonly [Term<Param>, ...Term<Param>[]];

/** Groups of which one must hold. An empty list would never hold, so there is none. */
export type AnyOf<Param extends string = string> = readonly [AllOf<Param>, ...AllOf<Param>[]];

/** One page. Applications add members of their own, such as an icon or a component. */
export interface Route {
  /** Absolute, `:name` for a parameter that fills a whole segment: `/sites/:site`. */
  readonly path: string;
  /** For people. */
  readonly label: string;
  /** Listed in the navigation? Default: when the path has no parameter. A path with one cannot be. */
  readonly nav?: boolean;
  /** Who may open it. */
  readonly allow: AnyOf;
}

/** The parameter names of a path: `"site" | "rack"` for `/sites/:site/racks/:rack`. */
export type ParamsOf<Path extends string> = Path extends `${string}/:${infer Name}/${infer Rest}`
  ? Name | ParamsOf<`/${Rest}`>
  : Path extends `${string}/:${infer Name}`
    ? Name
    : never;

/** Requires of each entry that its terms name only parameters of its own path. */
type Checked<Entries extends readonly Route[]> = {
  readonly [Index in keyof Entries]: Entries[Index] & {
    readonly allow: AnyOf<ParamsOf<Entries[Index]["path"]>>;
  };
};

type Segment = { readonly text: string } | { readonly param: string };

interface Page<Entry> {
  readonly entry: Entry;
  readonly segments: readonly Segment[];
  readonly nav: boolean;
}

/** A checked manifest; made by {@link manifest} only. */
export interface Manifest<Entry extends Route = Route> {
  /** The entries in the order of their declaration. */
  readonly entries: readonly Entry[];
  /** Internal: the entries with their paths taken apart. */
  readonly pages: readonly Page<Entry>[];
}

/** Values of a path's parameters, decoded. */
export type Params = Readonly<Record<string, string>>;

/** What the guard answers. `because` tells an address that does not exist from one that is not for this subject. */
export type RouteDecision<Entry extends Route = Route> =
  | { readonly entry: Entry; readonly params: Params }
  | { readonly redirect: string; readonly because: "denied" | "unknown" };

/** Where the guard sends a subject to whom no entry of the navigation is visible. Not an entry: it has no predicate. */
export const NO_ACCESS = "/no-access";

/**
 * Checks a declaration and makes a manifest of it.
 *
 * Throws `invalid_manifest` for an entry without a predicate or with an empty group, for a term about a parameter
 * that its path lacks, for two paths that match the same addresses, and for a path with parameters in the navigation.
 */
export function manifest<const Entries extends readonly Route[]>(
  entries: Entries & Checked<Entries>,
): Manifest<Entries[number]> {
  const shapes = new Set<string>();
  const pages = entries.map((entry: Entries[number]): Page<Entries[number]> => {
    const segments = parsePath(entry.path);
    const params = segments.flatMap((segment) => ("param" in segment ? [segment.param] : []));
    const shape = segments.map((segment) => ("param" in segment ? ":" : segment.text)).join("/");
    if (shapes.has(shape)) refuse(entry.path, "another entry matches the same addresses");
    shapes.add(shape);
    if (new Set(params).size !== params.length) refuse(entry.path, "a parameter occurs twice");
    checkPredicate(entry, params);
    if (entry.nav === true && params.length > 0)
      refuse(entry.path, "a path with parameters cannot be in the navigation");
    return Object.freeze({ entry, segments, nav: entry.nav ?? params.length === 0 });
  });
  return Object.freeze({ entries: Object.freeze([...entries]), pages: Object.freeze(pages) });
}

/**
 * The predicate of those who may open one of the given entries: for a section that is there when a page of it is.
 * The entries have no parameters, since an address of the section has none to give them.
 */
export function either(
  entries: readonly [{ readonly allow: AnyOf<never> }, ...{ readonly allow: AnyOf<never> }[]],
): AnyOf<never> {
  const [first, ...rest] = entries;
  return [...first.allow, ...rest.flatMap((entry) => entry.allow)];
}

/** The entries of the navigation that the subject may open, in the order of their declaration. */
export function visible<Entry extends Route>(of: Manifest<Entry>, postern: Decider): Entry[] {
  return of.pages.filter((page) => page.nav && holds(page.entry, {}, postern)).map((page) => page.entry);
}

/** The entry of an address with the values of its parameters, whoever asks; `undefined` where there is none. */
export function match<Entry extends Route>(
  of: Manifest<Entry>,
  pathname: string,
): { readonly entry: Entry; readonly params: Params } | undefined {
  const parts = split(pathname);
  let best: { page: Page<Entry>; params: Params } | undefined;
  for (const page of of.pages) {
    const params = matchSegments(page.segments, parts);
    if (params !== undefined && (best === undefined || isMoreLiteral(page.segments, best.page.segments))) {
      best = { page, params };
    }
  }
  return best === undefined ? undefined : { entry: best.page.entry, params: best.params };
}

/** The entry to render for an address, or where to go instead: the first visible entry, or {@link NO_ACCESS}. */
export function decide<Entry extends Route>(
  of: Manifest<Entry>,
  pathname: string,
  postern: Decider,
): RouteDecision<Entry> {
  const found = match(of, pathname);
  if (found !== undefined && holds(found.entry, found.params, postern)) return found;
  const first = visible(of, postern)[0];
  return {
    redirect: first === undefined ? NO_ACCESS : first.path,
    because: found === undefined ? "unknown" : "denied",
  };
}

/** Where an address leads instead of to itself; `undefined` where it may be opened. What a router's guard asks. */
export function redirection(of: Manifest, pathname: string, postern: Decider): string | undefined {
  const decision = decide(of, pathname, postern);
  // Whoever may open nothing is sent to `NO_ACCESS`, which is no entry: not once more when there.
  return "entry" in decision || decision.redirect === pathname ? undefined : decision.redirect;
}

/** Whether the predicate of an entry holds for the given parameters. What `visible` and `decide` both ask. */
export function holds(entry: Route, params: Params, postern: Decider): boolean {
  return entry.allow.some((group) => group.every((term) => termHolds(term, params, postern)));
}

function termHolds(term: Term, params: Params, postern: Decider): boolean {
  if (term.at === "organization") return postern.can(term.permission);
  if (term.at === "anywhere") return postern.anywhere(term.permission);
  if (term.at === "everywhere") return postern.everywhere(term.permission);
  const id = params[term.at.param];
  return id !== undefined && postern.can(term.permission, { type: term.at.type, id });
}

function checkPredicate(entry: Route, params: readonly string[]): void {
  // The types say all this; a manifest may still come from JavaScript or JSON.
  const groups: unknown = entry.allow;
  if (!Array.isArray(groups) || groups.length === 0) refuse(entry.path, "an entry needs a predicate");
  for (const group of groups as unknown[]) {
    if (!Array.isArray(group) || group.length === 0) refuse(entry.path, "a group of terms is empty");
    for (const term of group as Partial<Term>[]) {
      if (typeof term?.permission !== "string" || term.permission === "")
        refuse(entry.path, "a term has no permission");
      const at: unknown = term.at;
      if (at === "organization" || at === "anywhere" || at === "everywhere") continue;
      const { type, param } = (at ?? {}) as { type?: unknown; param?: unknown };
      if (typeof type !== "string" || type === "") refuse(entry.path, "a term does not say where");
      if (typeof param !== "string" || !params.includes(param)) {
        refuse(entry.path, `a term names the parameter \`${String(param)}\`, which the path lacks`);
      }
    }
  }
}

function parsePath(path: string): Segment[] {
  if (typeof path !== "string" || !path.startsWith("/")) refuse(String(path), "a path starts with `/`");
  if (path === NO_ACCESS) refuse(path, "this path is where the guard sends those who may open nothing");
  return split(path).map((part): Segment => {
    if (!part.startsWith(":")) return { text: part };
    const param = part.slice(1);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(param)) refuse(path, `\`${part}\` is no parameter name`);
    return { param };
  });
}

/** The segments of a path. A trailing slash means nothing, an empty segment inside matches nothing. */
function split(pathname: string): string[] {
  const trimmed = pathname.replace(/^\//, "").replace(/\/$/, "");
  return trimmed === "" ? [] : trimmed.split("/");
}

function matchSegments(segments: readonly Segment[], parts: readonly string[]): Params | undefined {
  if (segments.length !== parts.length) return undefined;
  const params: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [index, segment] of segments.entries()) {
    const value = decode(parts[index] ?? "");
    if (value === undefined || value === "") return undefined;
    if ("param" in segment) params[segment.param] = value;
    else if (segment.text !== value) return undefined;
  }
  return params;
}

/** At the first segment in which two paths that both match differ, the literal one is meant. */
function isMoreLiteral(left: readonly Segment[], right: readonly Segment[]): boolean {
  for (const [index, segment] of left.entries()) {
    const other = right[index];
    if (other !== undefined && "param" in segment !== "param" in other) return "text" in segment;
  }
  return false;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function refuse(path: string, why: string): never {
  throw new PosternError("invalid_manifest", `route \`${path}\`: ${why}`);
}
