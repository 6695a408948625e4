// `@postern/client/evaluator/full`: all questions on a slice without WebAssembly, asked as the client is asked.

import { PosternError } from "../errors.js";
import type {
  Decision,
  Demand,
  Facts,
  Permission,
  Permissions,
  Resource,
  ResourceType,
} from "../question.js";
import { fail, type FactsAt, type Place } from "./core.js";
import { allows, anywhere, check, declared, everywhere, open, type OpenSlice } from "./questions.js";

export { PosternError, type ErrorCode } from "../errors.js";
export type {
  Decision,
  Facts,
  Permission,
  Permissions,
  Register,
  Resource,
  ResourceType,
} from "../question.js";

/** What an {@link Evaluator} takes beside the bytes; all optional. */
export interface EvaluatorOptions {
  /** Told of questions that are errors and were answered no: once for each permission and code. Default: nothing is. */
  readonly onError?: (error: PosternError) => void;
  /** The moment to decide at, in microseconds since 1970-01-01T00:00:00Z. Default: the clock, at every question. */
  readonly now?: () => number;
}

/**
 * One subject's permissions as they were when the slice was cut: the questions of the client, without WebAssembly and
 * without a connection. Nobody is told when a time bound of the slice passes; answers just change.
 */
export class Evaluator implements Permissions {
  /** Raised by every change of a fact of the organization. */
  readonly revision: number;
  readonly #slice: OpenSlice;
  readonly #options: EvaluatorOptions;
  readonly #reported = new Set<string>();
  // What is prepared for questions without stated facts, and the moment that it holds at.
  #prepared: ReturnType<OpenSlice["ask"]> | undefined;
  #preparedAt = 0;

  /** Throws `bad_slice` for bytes that are no valid slice, and for a revision beyond 2^53 - 1. */
  constructor(bytes: Uint8Array, options: EvaluatorOptions = {}) {
    this.#slice = open(bytes);
    this.#options = options;
    this.revision = Number.isSafeInteger(this.#slice.revision) ? this.#slice.revision : fail("bad_slice");
  }

  /** May the subject do it there? Without a resource: in the whole organization. Never throws; an error is a no. */
  can(permission: Permission, resource?: Resource, facts?: Facts, demand?: Demand): boolean {
    return this.#never(
      permission,
      () => this.decide(permission, resource, facts, demand).decision === "allow",
    );
  }

  /** As {@link Evaluator.can}, with the reason. Throws `unknown_permission` and `invalid_request`. */
  decide(permission: Permission, resource?: Resource, facts?: Facts, demand?: Demand): Decision {
    // Nobody states how old the bytes are.
    if ((demand?.maxAge ?? Infinity) !== Infinity)
      return { decision: "deny", reason: "stale", revision: this.revision };
    const place = resource === undefined ? this.#slice.places[0] : this.#listed(resource);
    if (facts === undefined && place !== undefined) {
      const reason = this.#now()[0](declared(this.#slice, permission), place);
      return { decision: allows(reason) ? "allow" : "deny", reason, revision: this.revision } as Decision;
    }
    return { ...check(this.#slice, permission, resource ?? null, this.#at(facts)), revision: this.revision };
  }

  /** Held in the whole organization or at one live scope at least? Never throws. */
  anywhere(permission: Permission, facts?: Facts): boolean {
    return this.#never(permission, () => anywhere(this.#slice, permission, this.#at(facts)));
  }

  /** Held in the whole organization and at every live scope? Never throws. */
  everywhere(permission: Permission, facts?: Facts): boolean {
    return this.#never(permission, () => everywhere(this.#slice, permission, this.#at(facts)));
  }

  /** The ids of a scope type at which the permission is held, sorted. Throws `not_in_slice` for other types. */
  filter(permission: Permission, type: ResourceType, facts?: Facts): string[] {
    const row = declared(this.#slice, permission);
    const [decide] = this.#slice.ask(this.#at(facts));
    const kind = this.#slice.kinds.get(type);
    if (kind === undefined || !(kind[0] & SCOPE)) return fail("not_in_slice");
    const ids: string[] = [];
    for (const [id, place] of kind[3]) {
      if (!(place.ext[0] & UNLISTED) && allows(decide(row, place))) ids.push(id);
    }
    return byBytes(ids);
  }

  /** Every permission that is held on a resource, sorted; without one, in the whole organization. */
  actions(resource?: Resource, facts?: Facts): string[] {
    const [decide] = this.#slice.ask(this.#at(facts), resource);
    const keys: string[] = [];
    // The catalog is in the order of its keys' bytes.
    for (const [key, row] of this.#slice.permissions) if (allows(decide(row))) keys.push(key);
    return keys;
  }

  #at(facts: Facts | undefined): FactsAt {
    return { ...facts, now: this.#options.now?.() ?? Date.now() * 1000 };
  }

  /** Who asks, prepared once for all questions of a moment that state nothing: a page asks many while it renders. */
  #now(): ReturnType<OpenSlice["ask"]> {
    const facts = this.#at(undefined);
    if (this.#prepared === undefined || facts.now !== this.#preparedAt) {
      this.#prepared = this.#slice.ask(facts);
      this.#preparedAt = facts.now;
    }
    return this.#prepared;
  }

  #listed({ type, id }: Resource): Place | undefined {
    const place = this.#slice.kinds.get(type)?.[3].get(id);
    return place !== undefined && !(place.ext[0] & UNLISTED) ? place : undefined;
  }

  #never(permission: string, ask: () => boolean): boolean {
    try {
      return ask();
    } catch (cause) {
      // What is no PosternError comes from what is no question: an object where a text belongs.
      const error =
        cause instanceof PosternError ? cause : new PosternError("invalid_request", "no question", cause);
      const key = `${error.code} ${permission}`;
      if (!this.#reported.has(key)) {
        this.#reported.add(key);
        this.#options.onError?.(error);
      }
      return false;
    }
  }
}

/** Flags: of a type; of a resource that is not listed, but named (1) or a step on the way up (4). */
const SCOPE = 1;
const UNLISTED = 5;

/** Sorts by UTF-8: JavaScript's own order is of UTF-16, which differs beyond U+FFFF. */
function byBytes(ids: string[]): string[] {
  const encoder = new TextEncoder();
  const keyed = ids.map((id) => [String.fromCharCode(...encoder.encode(id)), id] as const);
  return keyed.sort(([left], [right]) => (left < right ? -1 : 1)).map(([, id]) => id);
}
