// The guard: holds the organization's snapshot, keeps it current while it is asked, and decides on it.
//
// INVARIANT: nothing is allowed before a verified snapshot is in force, nor past its validity, nor by what throws.
//
// An edge may be frozen between two requests, so nothing here relies on a timer: whoever asks looks whether the snapshot
// is due, and waits for a newer one only where the one that is held does not do any more.

import type {
  AllowReason,
  Demand,
  Facts,
  Freshness,
  MaxAgeByPattern,
  Permission,
  Resource,
  TokenSource,
  Verifier,
} from "@postern/client";
import { PosternError } from "@postern/client";
import {
  Age,
  CatalogWatch,
  codeOf,
  Connection,
  describe,
  errorOf,
  Holder,
  isAllow,
  loadEngine,
  MaxAges,
  reasonOf,
  UNKNOWN_HANDLE,
  type CatalogOptions,
  type CatalogState,
  type ConnectionOwner,
  type Engine,
  type EngineState,
  type WasmSource,
} from "@postern/client/follow";
import { verified } from "@postern/client/statements";
import type { EdgeDecision, EdgeDenyReason, SubjectPermissions } from "./question.js";

/** What {@link createGuard} takes. */
export interface GuardOptions extends CatalogOptions {
  /** The gateway's address. A path in it stays. */
  readonly gateway: string | URL;
  /** Whose snapshot is held. */
  readonly organization: string;
  /** An API key of the organization, or a function that gives the current one. */
  readonly key: TokenSource;
  /** What verifies: `verified(jwks)` for pinned keys. Default `verified()`, with the keys that the gateway publishes. */
  readonly verify?: Verifier;
  /** Seconds after which a snapshot that is asked is looked after. Default 10; less than the validity. */
  readonly pollSeconds?: number;
  /** Follow the gateway's stream instead: for runtimes that live on between requests. */
  readonly follow?: boolean;
  /**
   * Permissions that are denied where the snapshot is not known to have been in force less than so many seconds ago:
   * `{ "refund:*": 5 }`. Of the patterns that a permission meets, the strictest counts. Default: none.
   */
  readonly maxAge?: MaxAgeByPattern;
  /** Longest time for a question to the gateway, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** Where the WebAssembly module is. Default: beside the client's code. Only the first guard's is used. */
  readonly wasm?: WasmSource;
  /** Told of everything that goes wrong. Default: nothing is told. */
  readonly onError?: (error: PosternError) => void;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof fetch;
}

const POLL_SECONDS = 10;
const TIMEOUT_MS = 5_000;
/** Least time between two questions to the gateway that somebody waits for, in milliseconds. */
const AGAIN_MS = 1_000;
/** How long somebody waits for the question that another request has asked: its runtime may have ended with it. */
const SHARED_MS = 1_000;
/** Waits between streams, and the silence after which one is dead; for `follow` only. */
const STREAM = { retryMinMs: 500, retryMaxMs: 30_000, silenceMs: 45_000 };
/** LIMIT: errors that are remembered as told. Permissions may come from whoever sends requests. */
const REPORTED_MAX = 1_000;

/** Makes a guard. Nothing is loaded before the first question: edges allow no requests while they start. */
export function createGuard(options: GuardOptions): Guard {
  return new Guard(options);
}

/** One organization's permissions, for all of its subjects. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #base: URL;
  readonly #fetch: typeof fetch;
  readonly #maxAges: MaxAges;
  readonly #age = new Age();
  readonly #catalog: CatalogWatch;
  readonly #reported = new Set<string>();
  // Handles of permissions, good for the snapshot in force. Only keys of its catalog get here.
  readonly #permissions = new Map<string, number>();
  #holder: Holder<EngineState> | undefined;
  #connection: Connection | undefined;
  #following = false;
  #live = false;
  #closed = false;
  #asking: Promise<void> | undefined;
  // By the clock that only runs forward.
  #askedAt = -Infinity;
  #answeredAt = -Infinity;

  /** Internal: {@link createGuard} calls it. */
  constructor(options: GuardOptions) {
    this.#options = options;
    this.#base = new URL(options.gateway);
    if (!this.#base.pathname.endsWith("/")) this.#base.pathname += "/";
    if (this.#base.protocol !== "https:" && this.#base.protocol !== "http:")
      throw new PosternError(
        "protocol",
        `a gateway is reached over http or https, not \`${this.#base.protocol}\``,
      );
    this.#fetch = plain(options.fetch ?? globalThis.fetch);
    this.#maxAges = new MaxAges(options.maxAge ?? {});
    this.#catalog = new CatalogWatch(options);
  }

  /**
   * May the subject do it there? Without a resource: in the whole organization. Waits for a snapshot that is current
   * enough, if there is none. Never rejects: what has no answer is a no.
   */
  async check(
    subject: string,
    permission: Permission,
    resource?: Resource,
    facts?: Facts,
    demand?: Demand,
  ): Promise<EdgeDecision> {
    await this.#ready(this.#limitMs(permission, demand));
    return this.decide(subject, permission, resource, facts, demand);
  }

  /** The same at once, on what is held. */
  decide(
    subject: string,
    permission: Permission,
    resource?: Resource,
    facts?: Facts,
    demand?: Demand,
  ): EdgeDecision {
    const refused = this.#refusal(this.#limitMs(permission, demand));
    if (refused !== undefined) return this.#deny(refused);
    return this.#answer(permission, resource, (held, now) => {
      const at = facts === undefined ? this.#handles(held, subject, permission, resource) : undefined;
      if (at !== undefined) return held.check(...at, now);
      return codeOf(held.ask({ op: "check", subject, permission, resource, facts, now }));
    });
  }

  /** One subject's permissions on what is held: what `@postern/client/routes` asks. */
  as(subject: string, facts?: Facts): SubjectPermissions {
    const level = (op: "anywhere" | "everywhere", permission: Permission, stated = facts): boolean => {
      if (this.refusalOf(permission) !== undefined) return false;
      const decision = this.#answer(permission, undefined, (held, now) =>
        codeOf(held.ask({ op, subject, permission, facts: stated, now })),
      );
      return decision.decision === "allow";
    };
    return {
      can: (permission, resource, stated = facts) =>
        this.decide(subject, permission, resource, stated).decision === "allow",
      anywhere: (permission, stated) => level("anywhere", permission, stated),
      everywhere: (permission, stated) => level("everywhere", permission, stated),
    };
  }

  /** Why nothing may be decided about a permission now; `undefined` where it may. */
  refusalOf(permission: Permission): "no_snapshot" | "stale_snapshot" | undefined {
    return this.#refusal(this.#limitMs(permission));
  }

  /** Whose snapshot is held. */
  get organization(): string {
    return this.#options.organization;
  }

  /** How the catalog in force compares with the one that code was generated from: with `catalog` only. */
  get catalog(): CatalogState | undefined {
    return this.#catalog.state;
  }

  /** How current the snapshot is; revision 0 before there is one. */
  freshness(): Freshness {
    const { ms, fresh, statement } = this.#age;
    return { revision: this.#holder?.held?.revision ?? 0, asOf: statement?.asOf, ageMs: ms, fresh };
  }

  /**
   * Resolves when the snapshot is fresh, and young enough for what is asked, or when asking for it has not helped. Where it
   * does but is due, it is asked for meanwhile. Never rejects.
   */
  ready(permissions: readonly Permission[] = []): Promise<void> {
    return this.#ready(Math.min(Infinity, ...permissions.map((permission) => this.#limitMs(permission))));
  }

  /** Asks the gateway for what is new. For `waitUntil`, so that an edge does not end before it is heard. Never rejects. */
  refresh(): Promise<void> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    // What takes longer than it may has ended with its request.
    if (this.#asking === undefined || performance.now() - this.#askedAt > 2 * timeoutMs) {
      const asking = this.#ask().finally(() => {
        if (this.#asking === asking) this.#asking = undefined;
      });
      this.#asking = asking;
    }
    return this.#asking;
  }

  /** Ends the connection, and gives the memory back. Everything is denied from now on. */
  close(): void {
    this.#closed = true;
    this.#connection?.close();
    this.#holder?.close();
    this.#holder?.held?.free();
    this.#holder = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #ready(limitMs: number): Promise<void> {
    if (this.#closed) return;
    if (this.#options.follow === true && !this.#following) await this.#follow();
    const now = performance.now();
    const { pollSeconds = POLL_SECONDS } = this.#options;
    if (this.#refusal(limitMs) === undefined) {
      const due = now - this.#askedAt >= pollSeconds * 1000;
      if (due && !this.#live) void this.refresh();
      return;
    }
    // It was asked a moment ago, and what it said has not helped.
    if (this.#asking === undefined && now - this.#answeredAt < AGAIN_MS) return;
    const shared = this.#asking;
    if (shared === undefined) return this.refresh();
    await Promise.race([shared, new Promise((resolve) => setTimeout(resolve, SHARED_MS))]);
    // It ended with its request: nobody will hear of it.
    if (this.#asking === shared) this.#asking = undefined;
    if (this.#refusal(limitMs) !== undefined) await this.refresh();
  }

  async #ask(): Promise<void> {
    this.#askedAt = performance.now();
    try {
      await (await this.#connected())?.refresh();
    } catch (cause) {
      const error = cause instanceof PosternError;
      if (!this.#closed)
        this.#report(error ? cause : new PosternError("wasm", "the guard cannot start", cause));
    } finally {
      this.#answeredAt = performance.now();
    }
  }

  async #follow(): Promise<void> {
    this.#following = true;
    await this.refresh();
    const connection = this.#connection;
    if (connection === undefined || this.#closed) {
      this.#following = false;
      return;
    }
    void connection.follow().finally(() => (this.#following = false));
  }

  /** The connection, anew after one that was refused: the key may be another one by now. */
  async #connected(): Promise<Connection | undefined> {
    if (this.#connection !== undefined) return this.#connection;
    const engine = await loadEngine(this.#options.wasm);
    if (this.#closed || this.#connection !== undefined) return this.#connection;
    const holder = (this.#holder ??= this.#hold(engine));
    const folder = `v1/organizations/${encodeURIComponent(this.#options.organization)}`;
    this.#connection = new Connection(
      this.#base,
      { state: `${folder}/snapshot`, stream: `${folder}/stream` },
      this.#options.key,
      { ...STREAM, connectMs: this.#options.timeoutMs ?? TIMEOUT_MS },
      this.#owner(holder),
      this.#fetch,
    );
    return this.#connection;
  }

  #owner(holder: Holder<EngineState>): ConnectionOwner {
    return {
      holder,
      onLive: () => (this.#live = true),
      onHeard: () => undefined,
      onCatalog: (hash) => this.#catalog.saw(hash),
      onLost: (error) => {
        this.#live = false;
        this.#report(error);
      },
      onError: (error) => this.#report(error),
      onStopped: (error) => {
        this.#live = false;
        this.#connection = undefined;
        this.#report(error);
      },
    };
  }

  #hold(engine: Engine): Holder<EngineState> {
    const { verify = verified(), organization } = this.#options;
    return new Holder({
      open: (bytes) => engine.open(bytes),
      verify: verify(new URL(".well-known/jwks.json", this.#base), this.#fetch),
      organization,
      subject: null,
      age: this.#age,
      onSwap: () => {
        this.#permissions.clear();
        this.#reported.clear();
      },
      onError: (error) => this.#report(error),
    });
  }

  /** How old the snapshot may be, in milliseconds. What is no number is met by nothing. */
  #limitMs(permission: string, demand?: Demand): number {
    return Math.min((demand?.maxAge ?? Infinity) * 1000, this.#maxAges.of(String(permission)));
  }

  /** Why nothing may be decided now. */
  #refusal(limitMs: number): "no_snapshot" | "stale_snapshot" | undefined {
    if (this.#holder?.held === undefined) return "no_snapshot";
    return this.#age.fresh === true && this.#age.isWithin(limitMs) ? undefined : "stale_snapshot";
  }

  #answer(
    permission: string,
    resource: Resource | undefined,
    ask: (held: EngineState, now: number) => number,
  ): EdgeDecision {
    const held = this.#holder?.held;
    if (held === undefined) return this.#deny("no_snapshot");
    try {
      const code = ask(held, held.timed ? Date.now() * 1000 : 0);
      if (code >= 32 || code === 0) throw errorOf(code, describe(permission, resource));
      const reason = reasonOf(code, permission);
      if (!isAllow(code)) return this.#deny(reason as EdgeDenyReason);
      const { revision } = held;
      return { decision: "allow", reason: reason as AllowReason, revision, ageMs: this.#age.ms ?? 0 };
    } catch (cause) {
      const error =
        cause instanceof PosternError ? cause : new PosternError("invalid_request", "no question", cause);
      const key = `${error.code} ${permission}`;
      if (!this.#reported.has(key) && this.#reported.size < REPORTED_MAX) {
        this.#reported.add(key);
        this.#report(error);
      }
      return this.#deny(error.code === "unknown_permission" ? "unknown_permission" : "invalid_request");
    }
  }

  #deny(reason: EdgeDenyReason): EdgeDecision {
    const { revision, ageMs } = this.freshness();
    return { decision: "deny", reason, revision, ageMs };
  }

  /** The question in numbers; `undefined` where the snapshot does not name all of it. */
  #handles(
    held: EngineState,
    subject: string,
    permission: string,
    resource: Resource | undefined,
  ): [number, number, number] | undefined {
    let key = this.#permissions.get(permission);
    if (key === undefined) {
      key = held.permission(permission);
      if (key !== UNKNOWN_HANDLE) this.#permissions.set(permission, key);
    }
    const who = held.subjectHandle(subject);
    const where = resource === undefined ? 0 : held.resource(resource.type, resource.id);
    const all = [who, key, where] as [number, number, number];
    return all.includes(UNKNOWN_HANDLE) ? undefined : all;
  }

  #report(error: PosternError): void {
    try {
      this.#options.onError?.(error);
    } catch {
      // A reporter that fails has nobody to report to.
    }
  }
}

/**
 * Requests as every edge knows them. None has cookies or a cache that answers what is private, and not all can refuse a
 * redirection; that comes as an answer that is not 200 then, and is not followed either.
 */
function plain(fetcher: typeof fetch): typeof fetch {
  return (input, init = {}) => {
    const { cache: _, credentials: __, ...rest } = init;
    return fetcher(input, { ...rest, redirect: "manual" });
  };
}
