// The client: holds the slice in force, answers on it synchronously, and swaps it when a newer one arrives.
//
// INVARIANT: a slice is replaced only by one that opened without error, is of the same organization and subject, and
// has a higher revision. Whatever else arrives, the one in force stays, and nothing but time, silence or a refused
// token takes decisions away.

import { Connection, type ConnectionOwner, type Timing, type TokenSource } from "./connection.js";
import type { Engine } from "./engine.js";
import { PosternError } from "./errors.js";
import type { AllowReason, Decision, DenyReason, Facts, Permissions, Resource } from "./question.js";
import { describe, errorOf, isAllow, reasonOf, Slice } from "./slice.js";

/**
 * `connecting`: a slice is in force and the stream is being opened. `live`: the stream is open. `reconnecting`: it
 * was lost a moment ago. `stale`: nothing was heard for longer than `staleMs`. `closed`: no more changes will come, and
 * everything is denied.
 */
export type Status = "connecting" | "live" | "reconnecting" | "stale" | "closed";

/** Why answers may differ from now on. */
export interface Change {
  /** A newer slice is in force; a time bound of the one in force has passed; or nothing is allowed, or allowed again. */
  readonly cause: "revision" | "time" | "status";
  readonly revision: number;
}

/** What {@link connect} takes beside address and token; all optional. */
export interface Options extends Partial<Timing> {
  /** Refuse slices of any other organization. Default: that of the first slice. */
  readonly organization?: string;
  /** Told of everything that does not stop the client, and of what stopped it. Default: nothing is told. */
  readonly onError?: (error: PosternError) => void;
  /** Silence after which the status is `stale`, in milliseconds. Decisions go on. Default 60,000. */
  readonly staleMs?: number;
  /**
   * Silence after which everything is denied until the gateway is heard again, in milliseconds. Default: never, since
   * the page's decisions only decide what it offers, and whatever it calls is checked again.
   */
  readonly denyMs?: number;
  /** Closes the client when it aborts. */
  readonly signal?: AbortSignal;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof fetch;
}

const TIMING: Timing = { retryMinMs: 500, retryMaxMs: 30_000, silenceMs: 45_000, connectMs: 15_000 };
const STALE_MS = 60_000;
/** The longest delay that timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

/** One subject's permissions, current and local. Made by `connect`. */
export class Postern implements Permissions {
  readonly #engine: Engine;
  readonly #options: Options;
  readonly #connection: Connection;
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #statusListeners = new Set<(status: Status) => void>();
  readonly #reported = new Set<string>();
  #slice: Slice | undefined;
  #status: Status = "connecting";
  #error: PosternError | undefined;
  // Times by the monotonic clock: a change of the wall clock must neither hide silence nor feign it.
  #heardAt = performance.now();
  #expired = false;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  #boundTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #onOnline = (): void => this.#connection.hurry();
  readonly #onAbort = (): void => this.close();

  private constructor(engine: Engine, base: URL, token: TokenSource, options: Options) {
    this.#engine = engine;
    this.#options = options;
    const timing: Timing = { ...TIMING, ...withoutUndefined(options) };
    this.#connection = new Connection(base, token, timing, this.#owner(), options.fetch ?? globalThis.fetch);
  }

  /** Internal: `connect` calls it. */
  static async start(engine: Engine, base: URL, token: TokenSource, options: Options): Promise<Postern> {
    const postern = new Postern(engine, base, token, options);
    if (options.signal?.aborted === true)
      throw new PosternError("closed", "the signal was aborted before the start");
    options.signal?.addEventListener("abort", postern.#onAbort, { once: true });
    try {
      await postern.#connection.load();
    } catch (error) {
      postern.close();
      throw error;
    }
    globalThis.addEventListener?.("online", postern.#onOnline);
    void postern.#connection.follow();
    return postern;
  }

  /** May the subject do it there? Without a resource: in the whole organization. Never throws; an error is a no. */
  can(permission: string, resource?: Resource, facts?: Facts): boolean {
    const slice = this.#current();
    if (slice === undefined) return false;
    try {
      const code = slice.check(permission, resource, facts, now(slice));
      return isAllow(code) || this.#denied(code, permission, resource);
    } catch (cause) {
      return this.#failed(cause);
    }
  }

  /** As {@link Postern.can}, with the reason. Throws `unknown_permission` and `invalid_request`. */
  decide(permission: string, resource?: Resource, facts?: Facts): Decision {
    const { revision } = this;
    const slice = this.#current();
    if (slice === undefined)
      return { decision: "deny", reason: this.#status === "closed" ? "closed" : "stale", revision };
    const code = slice.check(permission, resource, facts, now(slice));
    const reason = reasonOf(code, describe(permission, resource));
    if (isAllow(code)) return { decision: "allow", reason: reason as AllowReason, revision };
    return { decision: "deny", reason: reason as DenyReason, revision };
  }

  /** Held in the whole organization or at one scope at least? What a menu entry asks. Never throws. */
  anywhere(permission: string, facts?: Facts): boolean {
    return this.#level("anywhere", permission, facts);
  }

  /** Held in the whole organization and at every scope? What an operation on everything asks. Never throws. */
  everywhere(permission: string, facts?: Facts): boolean {
    return this.#level("everywhere", permission, facts);
  }

  /** The ids of a scope type at which the permission is held, sorted. Throws `not_in_slice` for other types. */
  filter(permission: string, type: string, facts?: Facts): string[] {
    const slice = this.#current();
    return slice === undefined ? [] : slice.filter(permission, type, facts, now(slice));
  }

  /** Every permission that is held on a resource, sorted; without one, in the whole organization. */
  actions(resource?: Resource, facts?: Facts): string[] {
    const slice = this.#current();
    return slice === undefined ? [] : slice.actions(resource, facts, now(slice));
  }

  /** Calls `listener` after answers may have changed; not for every message, and not at once. Returns how to stop. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` after the status changed. Returns how to stop. */
  onStatus(listener: (status: Status) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  /** The revision in force. It never goes back. */
  get revision(): number {
    return this.#slice?.revision ?? 0;
  }

  /** Whose permissions these are: `user:7f…`. */
  get subject(): string {
    return this.#slice?.subject ?? "";
  }

  /** The organization that they hold in. */
  get organization(): string {
    return this.#slice?.organization ?? "";
  }

  get status(): Status {
    return this.#status;
  }

  /** What stopped the client, where something did. */
  get error(): PosternError | undefined {
    return this.#error;
  }

  /** Ends the connection. Everything is denied from now on. */
  close(): void {
    this.#end(undefined);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #level(question: "anywhere" | "everywhere", permission: string, facts: Facts | undefined): boolean {
    const slice = this.#current();
    if (slice === undefined) return false;
    try {
      const code = slice.level(question, permission, facts, now(slice));
      return isAllow(code) || this.#denied(code, permission, undefined);
    } catch (cause) {
      return this.#failed(cause);
    }
  }

  /** The resolver itself has failed, or was given what is no text: a no, and a report. */
  #failed(cause: unknown): false {
    this.#report(
      cause instanceof PosternError ? cause : new PosternError("invalid_request", "no question", cause),
    );
    return false;
  }

  /** Reports an error code once for each question and slice: a typing mistake must not be silent, nor a flood. */
  #denied(code: number, permission: string, resource: Resource | undefined): false {
    if (code < 32) return false;
    const question = describe(permission, resource);
    const key = `${code} ${permission}`;
    if (!this.#reported.has(key)) {
      this.#reported.add(key);
      this.#report(errorOf(code, question));
    }
    return false;
  }

  #current(): Slice | undefined {
    return this.#status === "closed" || this.#expired ? undefined : this.#slice;
  }

  #offer(bytes: Uint8Array): boolean {
    const offered = new Slice(this.#engine, bytes);
    const held = this.#slice;
    const organization = held?.organization ?? this.#options.organization ?? offered.organization;
    if (offered.organization !== organization || (held !== undefined && offered.subject !== held.subject)) {
      offered.free();
      const code = offered.organization !== organization ? "organization_mismatch" : "subject_mismatch";
      throw new PosternError(
        code,
        `a slice of \`${offered.organization}\` for \`${offered.subject}\` was refused`,
      );
    }
    if (held !== undefined && offered.revision <= held.revision) {
      offered.free();
      // The same revision again is what a new stream begins with: current, only nothing new.
      return offered.revision === held.revision;
    }
    this.#slice = offered;
    held?.free();
    this.#reported.clear();
    this.#armBound();
    if (held !== undefined) this.#announce("revision");
    return true;
  }

  #owner(): ConnectionOwner {
    return {
      offer: (bytes) => this.#offer(bytes),
      revision: () => this.#slice?.revision,
      onLive: () => {
        this.#heard();
        this.#setStatus("live");
      },
      onLost: (error) => {
        if (this.#status !== "stale") this.#setStatus("reconnecting");
        this.#report(error);
      },
      onHeard: () => this.#heard(),
      onError: (error) => this.#report(error),
      onStopped: (error) => this.#end(error),
    };
  }

  #heard(): void {
    if (this.#status === "closed") return;
    this.#heardAt = performance.now();
    if (this.#silenceTimer === undefined) this.#watchSilence();
    if (this.#expired) {
      this.#expired = false;
      this.#announce("status");
    }
  }

  /** One timer that looks how long the silence has lasted, instead of one that every heartbeat restarts. */
  #watchSilence(): void {
    const { staleMs = STALE_MS, denyMs = Infinity } = this.#options;
    const silence = performance.now() - this.#heardAt;
    if (silence >= staleMs && this.#status !== "live") this.#setStatus("stale");
    if (silence >= denyMs && !this.#expired) {
      this.#expired = true;
      this.#announce("status");
    }
    const ahead = [staleMs, denyMs].filter((at) => at > silence).map((at) => at - silence);
    // While the stream is live its own watchdog ends it before anything grows stale; look again soon after.
    const wait = ahead.length > 0 ? Math.min(...ahead) : staleMs;
    this.#silenceTimer = unref(setTimeout(() => this.#watchSilence(), Math.min(wait + 1, TIMER_MS_MAX)));
  }

  /** Fires once the next time bound of the slice has passed. */
  #armBound(): void {
    clearTimeout(this.#boundTimer);
    this.#boundTimer = undefined;
    const slice = this.#slice;
    if (slice === undefined || !slice.timed) return;
    const next = slice.nextChange(now(slice));
    if (next === Infinity) return;
    const wait = Math.max(0, Math.ceil(next / 1000 - Date.now()));
    const passed = (): void => {
      const due = next <= now(slice);
      this.#armBound();
      if (due) this.#announce("time");
    };
    this.#boundTimer = unref(setTimeout(passed, Math.min(wait, TIMER_MS_MAX)));
  }

  #setStatus(status: Status): void {
    if (this.#status === status || this.#status === "closed") return;
    this.#status = status;
    for (const listener of [...this.#statusListeners]) this.#call(() => listener(status));
  }

  #announce(cause: Change["cause"]): void {
    const change: Change = Object.freeze({ cause, revision: this.revision });
    for (const listener of [...this.#listeners]) this.#call(() => listener(change));
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (cause) {
      this.#report(new PosternError("listener", "a listener threw", cause));
    }
  }

  #report(error: PosternError): void {
    try {
      this.#options.onError?.(error);
    } catch {
      // A reporter that fails has nobody to report to.
    }
  }

  #end(error: PosternError | undefined): void {
    if (this.#status === "closed") return;
    this.#connection.close();
    clearTimeout(this.#silenceTimer);
    clearTimeout(this.#boundTimer);
    globalThis.removeEventListener?.("online", this.#onOnline);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#error = error;
    if (error !== undefined) this.#report(error);
    this.#setStatus("closed");
    this.#announce("status");
    this.#listeners.clear();
    this.#statusListeners.clear();
  }
}

/** The moment to decide at, in microseconds. A slice without time bounds does not need the clock. */
function now(slice: Slice): number {
  return slice.timed ? Date.now() * 1000 : 0;
}

function withoutUndefined(options: Options): Partial<Timing> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<Timing>;
}

/** A timer of ours must not keep a Node process alive; in browsers timers are numbers. */
function unref(timer: ReturnType<typeof setTimeout>): ReturnType<typeof setTimeout> {
  if (typeof timer === "object") timer.unref();
  return timer;
}
