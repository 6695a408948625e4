// A table of routes, and whom a request is let through for. The predicates are those of `@postern/client/routes`: a page
// and the edge in front of it can be declared alike.
//
// Not here: who sends a request. The application says that, having verified its own session or token.

import type { Facts, Permission, Resource } from "@postern/client";
import {
  holds,
  manifest,
  match,
  type AnyOf,
  type Manifest,
  type Params,
  type Route,
} from "@postern/client/routes";
import type { Guard } from "./guard.js";
import type { EdgeDenyReason } from "./question.js";

/** One kind of request. What no rule is about is refused. */
export interface Rule {
  /** `"GET"` (and `HEAD` with it), or several. */
  readonly method: string | readonly string[];
  /** Absolute, `:name` for a parameter that fills a whole segment: `/sites/:site/reboot`. */
  readonly path: string;
  /** Groups of which one must hold; or everybody who signed in; or everybody. */
  readonly allow: AnyOf | "authenticated" | "public";
  /** What the edge knows of the resource and the moment. What a caller says must not get here. */
  readonly facts?: (request: Request, params: Params) => Facts | undefined | Promise<Facts | undefined>;
}

/** What {@link protect} takes beside guard and rules. */
export interface ProtectOptions {
  /** Who sends the request, as `<type>:<id>`; `undefined` for nobody who is known. */
  readonly subject: (request: Request) => string | undefined | Promise<string | undefined>;
}

/** What is decided of a request: whether it may go on. `reason` is for programs. */
export type RequestDecision =
  | { readonly status: 200; readonly subject: string | undefined; readonly params: Params }
  | { readonly status: 401; readonly reason: "no_subject" }
  | {
      readonly status: 403;
      readonly reason: EdgeDenyReason | "no_rule";
      readonly subject: string | undefined;
      /** What was asked for last, where something was. */
      readonly permission?: string | undefined;
    };

interface Entry extends Route {
  readonly rule: Rule;
}

/** Stands where a rule has no terms; never asked. */
const NO_TERMS: AnyOf = [[{ permission: "none:none", at: "organization" }]];

/**
 * Makes of a table a function that judges requests. Throws `invalid_manifest` for a table that contradicts itself. What it
 * makes never rejects for the guard; what `subject` and `facts` throw is thrown on.
 */
export function protect(
  guard: Guard,
  rules: readonly Rule[],
  { subject: subjectOf }: ProtectOptions,
): (request: Request) => Promise<RequestDecision> {
  const tables = tablesOf(rules);
  return async (request) => {
    // A rule for GET is one for HEAD, which tells less.
    const table = tables.get(request.method) ?? (request.method === "HEAD" ? tables.get("GET") : undefined);
    const found = table && match(table, new URL(request.url).pathname);
    if (found === undefined) return { status: 403, reason: "no_rule", subject: undefined };
    const { rule } = found.entry;
    const { params } = found;
    if (rule.allow === "public") return { status: 200, subject: undefined, params };
    const subject = await subjectOf(request);
    if (subject === undefined) return { status: 401, reason: "no_subject" };
    if (rule.allow === "authenticated") return { status: 200, subject, params };
    const facts = await rule.facts?.(request, params);
    const permissions = rule.allow.flat().map(({ permission }) => permission);
    await guard.ready(permissions);
    // What was denied last is what is told; a predicate that does not hold has been denied something.
    let denied: { reason: EdgeDenyReason; permission: string } = { reason: "not_granted", permission: "" };
    const all = guard.as(subject, facts);
    const decider = {
      can: (permission: Permission, resource?: Resource) => {
        const decision = guard.decide(subject, permission, resource, facts);
        if (decision.decision === "deny") denied = { reason: decision.reason, permission };
        return decision.decision === "allow";
      },
      anywhere: (permission: Permission) => level("anywhere", permission),
      everywhere: (permission: Permission) => level("everywhere", permission),
    };
    const level = (op: "anywhere" | "everywhere", permission: Permission): boolean => {
      const held = all[op](permission);
      if (!held) denied = { reason: guard.refusalOf(permission) ?? "not_granted", permission };
      return held;
    };
    if (holds(found.entry, params, decider)) return { status: 200, subject, params };
    return { status: 403, subject, ...denied };
  };
}

/** The answer to a request that may not go on, as `application/problem+json`; `undefined` for one that may. */
export function refusal(decision: RequestDecision): Response | undefined {
  if (decision.status === 200) return undefined;
  const { status, reason } = decision;
  const title = status === 401 ? "Unauthorized" : "Forbidden";
  const body = JSON.stringify({ type: "about:blank", title, status, code: reason });
  const headers = { "Content-Type": "application/problem+json", "Cache-Control": "no-store" };
  return new Response(body, { status, headers });
}

/** One table for each method: a path may have another rule for each. */
function tablesOf(rules: readonly Rule[]): Map<string, Manifest<Entry>> {
  const entries = new Map<string, Entry[]>();
  for (const rule of rules) {
    const allow = rule.allow === "public" || rule.allow === "authenticated" ? NO_TERMS : rule.allow;
    for (const method of typeof rule.method === "string" ? [rule.method] : rule.method) {
      const entry = { path: rule.path, label: rule.path, nav: false, allow, rule };
      entries.set(method, [...(entries.get(method) ?? []), entry]);
    }
  }
  return new Map(
    [...entries].map(([method, of]) => [method, manifest(of as never) as unknown as Manifest<Entry>]),
  );
}
