// One slice in force: questions in the words of the page, asked of the WebAssembly resolver in its numbers.
//
// Nothing crosses into WebAssembly twice. Permissions and resources are looked up once and then known by their handles,
// and every answer is remembered: the slice never changes, and where answers depend on time, what is remembered is
// dropped at the next moment at which one may change. When a slice is replaced, all of this goes with it.
//
// Not here: any rule. A question that the handles cannot express (facts are stated, or the slice does not name the
// resource) crosses as a whole, each time.

import type { Engine, EngineState } from "./engine.js";
import { UNKNOWN_HANDLE } from "./engine.js";
import { PosternError, type ErrorCode } from "./errors.js";
import type { AllowReason, DenyReason, Facts, Resource } from "./question.js";
import type { Answer, Request } from "./wire.js";

/** Codes of the resolver: below 16 an allow, below 32 a deny, above an error. */
const DENY = 16;
const ERROR = 32;
const ORGANIZATION_HANDLE = 0;
/** `anywhere` and `everywhere` have no reason; these codes only say yes and no. */
const LEVEL_ALLOW = 2;
const LEVEL_DENY = 22;

const REASONS: Readonly<Record<number, AllowReason | DenyReason>> = {
  1: "owner",
  2: "assignment",
  3: "grant",
  16: "inactive_subject",
  17: "unknown_resource",
  18: "inactive_resource",
  19: "excluded",
  20: "narrowed",
  21: "unknown_subject",
  22: "not_granted",
  23: "not_in_slice",
};

const ERRORS: Readonly<Record<number, ErrorCode>> = {
  32: "invalid_request",
  33: "unknown_permission",
  34: "not_in_slice",
};

/** Whether a code is an allow. Every other code, an error too, is not. */
export function isAllow(code: number): boolean {
  return code > 0 && code < DENY;
}

/** The reason that a code stands for. Throws the typed error where it stands for one. */
export function reasonOf(code: number, question: string): AllowReason | DenyReason {
  const reason = REASONS[code];
  if (reason !== undefined) return reason;
  throw errorOf(code, question);
}

/** The typed error of an error code. */
export function errorOf(code: number, question: string): PosternError {
  const known = code >= ERROR ? ERRORS[code] : undefined;
  if (known === undefined) return new PosternError("wasm", `the resolver answered ${code} to ${question}`);
  return new PosternError(known, `${known.replaceAll("_", " ")}: ${question}`);
}

/** The code of an answer that is no list. */
export function codeOf(answer: Answer): number {
  if ("code" in answer) return answer.code;
  if ("allowed" in answer) return answer.allowed ? LEVEL_ALLOW : LEVEL_DENY;
  throw new PosternError("wasm", "the resolver answered a decision with a list");
}

/** A question as a person reads it in an error. */
export function describe(permission: string, resource: Resource | undefined): string {
  return resource === undefined
    ? `\`${permission}\``
    : `\`${permission}\` on \`${resource.type}:${resource.id}\``;
}

/** LIMIT: bytes of remembered answers. A page that asks about ever new ids must not grow them without end. */
const REMEMBERED_BYTES_MAX = 4 * 1024 * 1024;

/** A resource, or the organization: its handle, and the codes of permissions; 0 for those not asked about yet. */
interface Place {
  readonly handle: number;
  readonly codes: Uint8Array;
}

/** An opened slice and what was learnt of it. */
export class Slice {
  /** Raised by every change of a fact of the organization. */
  readonly revision: number;
  readonly organization: string;
  readonly subject: string;
  /** Some answer may change with time alone. */
  readonly timed: boolean;

  readonly #of: EngineState;
  readonly #subject: number;
  readonly #permissions = new Map<string, number>();
  readonly #places = new Map<string, Map<string, Place>>();
  readonly #levels = { anywhere: new Map<string, number>(), everywhere: new Map<string, number>() };
  #organization: Place;
  #rememberedBytes = 0;
  // What is remembered holds from the first moment on and before the second.
  #from = -Infinity;
  #until = Infinity;

  /** Validates the bytes. Throws `bad_slice`. */
  constructor(engine: Engine, bytes: Uint8Array) {
    this.#of = engine.open(bytes);
    const { subject } = this.#of;
    if (subject === undefined) {
      this.#of.free();
      throw new PosternError("bad_slice", "the bytes are a snapshot, but no subject's slice");
    }
    this.subject = subject;
    this.#subject = this.#of.subjectHandle(subject);
    this.revision = this.#of.revision;
    this.organization = this.#of.organization;
    this.timed = this.#of.timed;
    this.#organization = this.#newPlace(ORGANIZATION_HANDLE);
    if (this.timed) this.#until = -Infinity;
  }

  /** The code of a check. `now` is in microseconds. */
  check(permission: string, resource: Resource | undefined, facts: Facts | undefined, now: number): number {
    if (facts === undefined) {
      this.#forgetWhatChanged(now);
      const key = this.#permission(permission);
      const place = resource === undefined ? this.#organization : this.#place(resource);
      if (key !== UNKNOWN_HANDLE && place.handle !== UNKNOWN_HANDLE) {
        let code = place.codes[key] ?? 0;
        if (code === 0) {
          code = this.#of.check(this.#subject, key, place.handle, now);
          place.codes[key] = code;
        }
        return code;
      }
    }
    return this.#code({ op: "check", permission, resource, facts, now });
  }

  /** The code of whether the permission is held somewhere (`anywhere`) or throughout (`everywhere`), or of an error. */
  level(op: "anywhere" | "everywhere", permission: string, facts: Facts | undefined, now: number): number {
    if (facts !== undefined) return this.#code({ op, permission, facts, now });
    this.#forgetWhatChanged(now);
    let code = this.#levels[op].get(permission);
    if (code === undefined) {
      code = this.#code({ op, permission, now });
      // Only keys of the catalog: there are not more of them than it has.
      if (code < ERROR) this.#levels[op].set(permission, code);
    }
    return code;
  }

  /** Sorted ids of listed resources of a type at which the permission is held. */
  filter(permission: string, type: string, facts: Facts | undefined, now: number): string[] {
    return this.#list(
      { op: "filter", permission, kind: type, facts, now },
      `\`${permission}\` on which \`${type}\``,
    );
  }

  /** Sorted permissions that are held on the resource. */
  actions(resource: Resource | undefined, facts: Facts | undefined, now: number): string[] {
    return this.#list({ op: "actions", resource, facts, now }, describe("*", resource));
  }

  /** The first moment after `now` at which an answer may change without a new slice; both in microseconds. */
  nextChange(now: number): number {
    return this.timed ? this.#of.nextChange(now) : Infinity;
  }

  /** About how much memory the answers take that are remembered. */
  get rememberedBytes(): number {
    return this.#rememberedBytes;
  }

  /** Gives the memory in WebAssembly back. No question may follow. */
  free(): void {
    this.#of.free();
  }

  #code(request: Omit<Request, "subject">): number {
    return codeOf(this.#of.ask({ ...request, subject: this.subject }));
  }

  #list(request: Omit<Request, "subject">, question: string): string[] {
    const answer = this.#of.ask({ ...request, subject: this.subject });
    if ("list" in answer) return answer.list;
    throw errorOf("code" in answer ? answer.code : 0, question);
  }

  #permission(key: string): number {
    let handle = this.#permissions.get(key);
    if (handle === undefined) {
      handle = this.#of.permission(key);
      if (handle !== UNKNOWN_HANDLE) this.#permissions.set(key, handle);
    }
    return handle;
  }

  #place({ type, id }: Resource): Place {
    let place = this.#places.get(type)?.get(id);
    if (place === undefined) {
      place = this.#newPlace(this.#of.resource(type, id));
      let ofType = this.#places.get(type);
      if (ofType === undefined) {
        ofType = new Map();
        this.#places.set(type, ofType);
      }
      ofType.set(id, place);
    }
    return place;
  }

  #newPlace(handle: number): Place {
    const bytes = handle === UNKNOWN_HANDLE ? 0 : this.#of.permissionCount;
    // An empty place still takes an entry of a map and its id.
    this.#rememberedBytes += bytes + 128;
    if (this.#rememberedBytes > REMEMBERED_BYTES_MAX) {
      this.#places.clear();
      this.#rememberedBytes = bytes + 128;
    }
    return { handle, codes: new Uint8Array(bytes) };
  }

  /** In a slice with time bounds: drops answers that a bound, or a clock that went back, may have changed. */
  #forgetWhatChanged(now: number): void {
    if (now >= this.#from && now < this.#until) return;
    this.#from = now;
    this.#until = this.nextChange(now);
    this.#rememberedBytes = 0;
    this.#organization = this.#newPlace(ORGANIZATION_HANDLE);
    this.#places.clear();
    this.#levels.anywhere.clear();
    this.#levels.everywhere.clear();
  }
}
