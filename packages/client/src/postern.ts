// The client: holds the slice in force, answers on it synchronously, and swaps it when a newer one arrives.
//
// INVARIANT: nothing but time, age, silence or a refused token takes decisions away. What may replace the slice in force
// is the holder's to say.

import { Age, MaxAges, type Freshness } from "./age.js";
import { CatalogWatch, type CatalogState } from "./catalog.js";
import { Connection, type ConnectionOwner, type Timing, type TokenSource } from "./connection.js";
import type { Engine } from "./engine.js";
import { PosternError } from "./errors.js";
import { Holder } from "./holder.js";
import type { Shelf } from "./offline.js";
import type { Change, Options, Status } from "./options.js";
import type {
  AllowReason,
  Decision,
  Demand,
  DenyReason,
  Facts,
  Permission,
  Permissions,
  Resource,
  ResourceType,
} from "./question.js";
import { describe, errorOf, isAllow, reasonOf, Slice } from "./slice.js";
import { startTimer, type Timer } from "./timer.js";

const PATHS = { state: "v1/me/slice", stream: "v1/me/stream" };
const TIMING: Timing = { retryMinMs: 500, retryMaxMs: 30_000, silenceMs: 45_000, connectMs: 15_000 };
const STALE_MS = 60_000;

/** One subject's permissions, current and local. Made by `connect`. */
export class Postern implements Permissions {
  readonly #options: Options;
  readonly #connection: Connection;
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #statusListeners = new Set<(status: Status) => void>();
  readonly #reported = new Set<string>();
  readonly #maxAges: MaxAges | undefined;
  readonly #denyStale: boolean;
  readonly #age: Age;
  readonly #catalog: CatalogWatch;
  readonly #holder: Holder<Slice>;
  readonly #shelf: Shelf | undefined;
  #status: Status = "connecting";
  #error: PosternError | undefined;
  // Times by the monotonic clock: a change of the wall clock must neither hide silence nor feign it.
  #heardAt = performance.now();
  #expired = false;
  #silenceTimer: Timer | undefined;
  #boundTimer: Timer | undefined;
  readonly #onOnline = (): void => this.#connection.hurry();
  readonly #onAbort = (): void => this.close();

  private constructor(engine: Engine, base: URL, token: TokenSource, options: Options) {
    this.#options = options;
    const timing: Timing = { ...TIMING, ...withoutUndefined(options) };
    const fetcher = options.fetch ?? globalThis.fetch;
    const onError = (error: PosternError): void => this.#report(error);
    const keys = new URL(".well-known/jwks.json", base);
    this.#shelf = options.offline?.open(base, options, onError, () => this.#holder.drop());
    this.#maxAges = options.maxAge && new MaxAges(options.maxAge);
    this.#catalog = new CatalogWatch(options);
    this.#denyStale = options.whenStale === "deny";
    this.#age = new Age(this.#maxAges?.all ?? [], () => this.#announce("freshness"));
    this.#holder = new Holder({
      open: (bytes) => new Slice(engine, bytes),
      verify: (this.#shelf?.verifier ?? options.verify)?.(keys, fetcher),
      organization: options.organization ?? options.offline?.organization,
      subject: options.offline?.subject,
      age: this.#age,
      // The first time nobody listens yet.
      onSwap: () => {
        this.#reported.clear();
        this.#armBound();
        this.#announce("revision");
      },
      onTaken: (text, bytes) => this.#shelf?.save(text, bytes),
      onError,
    });
    const shared = options.share?.(fetcher, this) ?? fetcher;
    this.#connection = new Connection(base, PATHS, token, timing, this.#owner(), shared);
  }

  /** Internal: `connect` calls it. */
  static async start(engine: Engine, base: URL, token: TokenSource, options: Options): Promise<Postern> {
    const postern = new Postern(engine, base, token, options);
    if (options.signal?.aborted === true)
      throw new PosternError("closed", "the signal was aborted before the start");
    options.signal?.addEventListener("abort", postern.#onAbort, { once: true });
    try {
      const begun = await postern.#shelf?.restore((...kept) => postern.#holder.offer(...kept));
      // The silence since the authority was last sure counts.
      if (begun === true) postern.#heard(postern.#age.ms);
      else await postern.#connection.load();
    } catch (error) {
      postern.close();
      throw error;
    }
    globalThis.addEventListener?.("online", postern.#onOnline);
    void postern.#connection.follow();
    return postern;
  }

  /** May the subject do it there? Without a resource: in the whole organization. Never throws; an error is a no. */
  can(permission: Permission, resource?: Resource, facts?: Facts, demand?: Demand): boolean {
    const slice = this.#current();
    if (slice === undefined || this.#tooOld(permission, demand)) return false;
    try {
      const code = slice.check(permission, resource, facts, now(slice));
      return isAllow(code) || this.#denied(code, permission, resource);
    } catch (cause) {
      return this.#failed(cause);
    }
  }

  /** As {@link Postern.can}, with the reason. Throws `unknown_permission` and `invalid_request`. */
  decide(permission: Permission, resource?: Resource, facts?: Facts, demand?: Demand): Decision {
    const { revision } = this;
    const slice = this.#current();
    if (slice === undefined || this.#tooOld(permission, demand))
      return { decision: "deny", reason: this.#status === "closed" ? "closed" : "stale", revision };
    const code = slice.check(permission, resource, facts, now(slice));
    const reason = reasonOf(code, describe(permission, resource));
    if (isAllow(code)) return { decision: "allow", reason: reason as AllowReason, revision };
    return { decision: "deny", reason: reason as DenyReason, revision };
  }

  /** Held in the whole organization or at one scope at least? What a menu entry asks. Never throws. */
  anywhere(permission: Permission, facts?: Facts): boolean {
    return this.#level("anywhere", permission, facts);
  }

  /** Held in the whole organization and at every scope? What an operation on everything asks. Never throws. */
  everywhere(permission: Permission, facts?: Facts): boolean {
    return this.#level("everywhere", permission, facts);
  }

  /** The ids of a scope type at which the permission is held, sorted. Throws `not_in_slice` for other types. */
  filter(permission: Permission, type: ResourceType, facts?: Facts): string[] {
    const slice = this.#current();
    if (slice === undefined || this.#tooOld(permission)) return [];
    return slice.filter(permission, type, facts, now(slice));
  }

  /** Every permission that is held on a resource, sorted; without one, in the whole organization. */
  actions(resource?: Resource, facts?: Facts): string[] {
    const slice = this.#current();
    if (slice === undefined) return [];
    const held = slice.actions(resource, facts, now(slice));
    return this.#maxAges === undefined ? held : held.filter((permission) => !this.#tooOld(permission));
  }

  /** How current the answers are. A new object each time. */
  freshness(): Freshness {
    const { ms, fresh, statement } = this.#age;
    return { revision: this.revision, asOf: statement?.asOf, ageMs: ms, fresh };
  }

  /**
   * Asks the gateway now whether the slice is still in force: before what must not be decided on an older one. Rejects
   * with a PosternError where that cannot be known, also `unverified`; the slice in force and its age stay then.
   */
  async refresh(): Promise<void> {
    await this.#connection.refresh();
  }

  /** Deletes what is kept for an offline start, and keeps nothing any more: for when the user signs out. */
  async forget(): Promise<void> {
    await this.#shelf?.forget();
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

  /** The revision in force. It goes back only when the authority begins another epoch, as after a restored backup. */
  get revision(): number {
    return this.#holder.held?.revision ?? 0;
  }

  /** Whose permissions these are: `user:7f…`. */
  get subject(): string {
    return this.#holder.held?.subject ?? "";
  }

  /** The organization that they hold in. */
  get organization(): string {
    return this.#holder.held?.organization ?? "";
  }

  /**
   * How the catalog in force compares with the one that code was generated from: with `catalog` only. A new object each
   * time.
   */
  get catalog(): CatalogState | undefined {
    return this.#catalog.state;
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
    if (slice === undefined || this.#tooOld(permission)) return false;
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
    if (this.#status === "closed" || this.#expired) return undefined;
    // An age that nobody states is not a young one.
    return this.#denyStale && this.#age.fresh !== true ? undefined : this.#holder.held;
  }

  /** Looks at no clock where nobody asks for an age. */
  #tooOld(permission: string, demand?: Demand): boolean {
    if (this.#maxAges === undefined && demand?.maxAge === undefined) return false;
    // One that is no number is met by nothing.
    const asked = (demand?.maxAge ?? Infinity) * 1000;
    return !this.#age.isWithin(Math.min(asked, this.#maxAges?.of(String(permission)) ?? Infinity));
  }

  #owner(): ConnectionOwner {
    return {
      holder: this.#holder,
      onLive: () => {
        this.#heard();
        this.#setStatus("live");
      },
      onLost: (error) => {
        if (this.#status !== "stale") this.#setStatus("reconnecting");
        this.#report(error);
      },
      onHeard: () => this.#heard(),
      onCatalog: (hash) => this.#catalog.saw(hash) && this.#announce("catalog"),
      onError: (error) => this.#report(error),
      onStopped: (error) => this.#end(error),
    };
  }

  #heard(agoMs = 0): void {
    if (this.#status === "closed") return;
    this.#heardAt = performance.now() - agoMs;
    if (this.#expired) {
      this.#expired = false;
      this.#announce("status");
    }
    if (this.#silenceTimer === undefined) this.#watchSilence();
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
    this.#silenceTimer = startTimer(() => this.#watchSilence(), wait + 1);
  }

  /** Fires once the next time bound of the slice has passed. */
  #armBound(): void {
    this.#boundTimer?.stop();
    this.#boundTimer = undefined;
    const slice = this.#holder.held;
    if (slice === undefined || !slice.timed) return;
    const next = slice.nextChange(now(slice));
    if (next === Infinity) return;
    const wait = Math.max(0, Math.ceil(next / 1000 - Date.now()));
    const passed = (): void => {
      const due = next <= now(slice);
      this.#armBound();
      if (due) this.#announce("time");
    };
    this.#boundTimer = startTimer(passed, wait);
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
    this.#holder.close();
    this.#silenceTimer?.stop();
    this.#boundTimer?.stop();
    this.#age.stop();
    globalThis.removeEventListener?.("online", this.#onOnline);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#error = error;
    // Whoever is refused must not begin with it another time.
    if (error !== undefined) void this.#shelf?.forget();
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
