// Keeps the newest state coming, a slice or a snapshot: fetches it, follows its stream, and comes back after every loss.
//
// Not here: what the bytes mean, and whether they may replace those in force. The owner's holder decides that.

import { Backoff } from "./backoff.js";
import { decodeBase64 } from "./base64.js";
import { PosternError } from "./errors.js";
import { EventStreamParser, type StreamEvent } from "./event_stream.js";
import type { Holder, Opened } from "./holder.js";
import { startTimer, type Timer } from "./timer.js";

/** A token, or where to get the current one. Asked before every connection, and again after a 401. */
export type TokenSource = string | (() => string | Promise<string>);

/** Times in milliseconds. All have defaults. */
export interface Timing {
  /** First wait after a loss; doubles up to `retryMaxMs`, with jitter. */
  readonly retryMinMs: number;
  /** Longest wait between attempts. */
  readonly retryMaxMs: number;
  /** A stream that sends nothing for this long is taken for dead. The gateway sends a heartbeat every 15 s. */
  readonly silenceMs: number;
  /** Longest time that `connect` tries for. */
  readonly connectMs: number;
}

/** Where a state and its stream are, relative to the gateway's address. */
export interface Paths {
  readonly state: string;
  readonly stream: string;
}

/** What the connection needs from its owner. */
export interface ConnectionOwner {
  /** What is offered to: it decides what may replace what. */
  readonly holder: Pick<Holder<Opened>, "held" | "offer" | "stated">;
  /** The stream is open, and what is in force is current. */
  onLive(): void;
  /** The stream was lost; an attempt will follow. */
  onLost(error: PosternError): void;
  /** Something was heard from the gateway just now. */
  onHeard(): void;
  /** What was said of the catalog of what is in force now; anything, or nothing. */
  onCatalog(hash: unknown): void;
  /** A failure that does not end the connection. */
  onError(error: PosternError): void;
  /** The connection has ended for good. */
  onStopped(error: PosternError): void;
}

const FATAL = new Set<string>(["unauthorized", "forbidden", "closed"]);

/** The connection of one subject, or of one enforcement point, to one gateway. */
export class Connection {
  readonly #base: URL;
  readonly #paths: Paths;
  readonly #token: TokenSource;
  readonly #timing: Timing;
  readonly #owner: ConnectionOwner;
  readonly #fetch: typeof fetch;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  // The ETag, valid for the bytes that were accepted last over HTTP.
  #etag: string | undefined;
  // A statement about bytes that the stream has still to send.
  #announced: string | undefined;
  #wake: (() => void) | undefined;

  constructor(
    base: URL,
    paths: Paths,
    token: TokenSource,
    timing: Timing,
    owner: ConnectionOwner,
    fetcher: typeof fetch,
  ) {
    this.#base = base;
    this.#paths = paths;
    this.#token = token;
    this.#timing = timing;
    this.#owner = owner;
    // Called as a plain function: a browser's fetch refuses any other `this`.
    this.#fetch = (input, init) => fetcher(input, init);
    this.#backoff = new Backoff({ minMs: timing.retryMinMs, maxMs: timing.retryMaxMs });
  }

  /** Gets the first state, trying again after losses for as long as `connectMs`. Throws what stopped it. */
  async load(): Promise<void> {
    const deadline = performance.now() + this.#timing.connectMs;
    for (;;) {
      try {
        await this.#within(deadline - performance.now(), (signal) => this.#fetchState(signal));
        this.#backoff.reset();
        return;
      } catch (cause) {
        const error = this.#typed(cause);
        const wait = this.#backoff.next();
        if (error.code !== "unavailable" || performance.now() + wait >= deadline) throw error;
        await this.#sleep(wait);
      }
    }
  }

  /** Follows the stream until {@link Connection.close} or a failure that no attempt can mend. Never rejects. */
  async follow(): Promise<void> {
    for (;;) {
      try {
        await this.#within(this.#timing.silenceMs, (signal, heard) => this.#stream(signal, heard));
        // The gateway ends streams when it restarts and when a token expires: an ordinary end, but still a loss.
        this.#owner.onLost(new PosternError("unavailable", "the gateway ended the stream"));
      } catch (cause) {
        const error = this.#typed(cause);
        if (this.#stop.signal.aborted) return;
        if (FATAL.has(error.code)) {
          this.#stop.abort();
          this.#owner.onStopped(error);
          return;
        }
        this.#owner.onLost(error);
      }
      if (this.#stop.signal.aborted) return;
      await this.#sleep(this.#backoff.next());
      if (this.#stop.signal.aborted) return;
    }
  }

  /** Asks for the state now, beside the stream; what is held need not be sent again. Throws a PosternError. */
  async refresh(): Promise<void> {
    try {
      await this.#within(this.#timing.connectMs, (signal) => this.#fetchState(signal));
    } catch (cause) {
      throw this.#typed(cause);
    }
  }

  /** Ends a wait between attempts now: for when the device is online again. */
  hurry(): void {
    this.#wake?.();
  }

  /** Ends everything; nothing is called on the owner afterwards. */
  close(): void {
    this.#stop.abort();
    this.#wake?.();
  }

  async #fetchState(signal: AbortSignal): Promise<void> {
    const headers: Record<string, string> = { Accept: "application/octet-stream" };
    if (this.#etag !== undefined) headers["If-None-Match"] = this.#etag;
    const response = await this.#request(this.#paths.state, headers, signal);
    const statement = response.headers.get("Postern-Statement") ?? undefined;
    if (response.status === 304) {
      this.#owner.onHeard();
      if (statement === undefined || (await this.#owner.holder.stated(statement))) return;
      // What is in force is not what the gateway took it for.
      this.#etag = undefined;
      return this.#fetchState(signal);
    }
    if (response.status !== 200) throw unexpected(response);
    await this.#offer(
      new Uint8Array(await response.arrayBuffer()),
      statement,
      response.headers.get("ETag"),
      response.headers.get("Postern-Catalog"),
    );
    this.#owner.onHeard();
  }

  /** Does work that ends with the connection, and when it has heard nothing for `ms`. */
  async #within(ms: number, work: (signal: AbortSignal, heard: () => void) => Promise<void>): Promise<void> {
    // By hand, since not every edge has `AbortSignal.any`.
    const control = new AbortController();
    const stop = (): void => control.abort();
    const late = (): void =>
      control.abort(new PosternError("unavailable", "the gateway was silent for too long"));
    let timer: Timer | undefined;
    const heard = (): void => {
      timer?.stop();
      timer = startTimer(late, ms);
    };
    this.#stop.signal.addEventListener("abort", stop);
    if (this.#stop.signal.aborted) stop();
    heard();
    try {
      await work(control.signal, heard);
    } finally {
      timer?.stop();
      this.#stop.signal.removeEventListener("abort", stop);
      // Releases the socket whichever way this ended; it has no effect on one that is done.
      stop();
    }
  }

  /** A silent stream is a dead one: a laptop that slept holds a socket that will never say anything again. */
  async #stream(signal: AbortSignal, heard: () => void): Promise<void> {
    this.#announced = undefined;
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    const revision = this.#owner.holder.held?.revision;
    if (revision !== undefined) headers["Last-Event-ID"] = String(revision);
    // Spares the gateway from sending again what is in force.
    if (this.#etag !== undefined) headers["If-None-Match"] = this.#etag;
    const response = await this.#request(this.#paths.stream, headers, signal);
    if (response.status !== 200) throw unexpected(response);
    const type = response.headers.get("Content-Type") ?? "";
    if (!type.startsWith("text/event-stream") || response.body === null) {
      throw new PosternError("protocol", `the stream is \`${type}\`, not \`text/event-stream\``);
    }
    this.#owner.onLive();
    const parser = new EventStreamParser();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      this.#owner.onHeard();
      for (const event of parser.push(value)) await this.#event(event, signal);
      if (parser.retryMs !== undefined) this.#backoff.setMinMs(parser.retryMs);
      this.#backoff.reset();
    }
  }

  async #event(event: StreamEvent, signal: AbortSignal): Promise<void> {
    try {
      if (event.type === "statement") await this.#stated(event);
      // Event types that this version does not know are for later versions.
      if (event.type === "state") await this.#state(event);
    } catch (cause) {
      if (this.#stop.signal.aborted) return;
      this.#owner.onError(this.#typed(cause));
      // What is in force stays. Whether the event or the state itself is damaged, the address of the state tells.
      this.#etag = undefined;
      await this.#heal(signal);
    }
  }

  async #stated(event: StreamEvent): Promise<void> {
    const waited = this.#announced !== undefined;
    this.#announced = undefined;
    const { statement } = membersOf(event);
    if (typeof statement !== "string") throw new PosternError("protocol", "a `statement` event carries none");
    if (await this.#owner.holder.stated(statement)) return;
    this.#announced = statement;
    if (waited)
      throw new PosternError("protocol", "the stream did not send the bytes that a statement names");
  }

  async #state(event: StreamEvent): Promise<void> {
    const statement = this.#announced;
    this.#announced = undefined;
    const { bytes: text, etag, catalog } = membersOf(event);
    const bytes = typeof text === "string" ? decodeBase64(text) : undefined;
    if (bytes === undefined) throw new PosternError("protocol", "a `state` event carries no base64 `bytes`");
    await this.#offer(bytes, statement, etag, catalog);
  }

  async #offer(
    bytes: Uint8Array,
    statement: string | undefined,
    etag: unknown,
    catalog: unknown,
  ): Promise<void> {
    if (!(await this.#owner.holder.offer(bytes, statement))) return;
    this.#etag = typeof etag === "string" ? etag : undefined;
    this.#owner.onCatalog(catalog);
  }

  /** What is fetched may be refused again; the stream goes on then, since another one would say the same. */
  async #heal(signal: AbortSignal): Promise<void> {
    try {
      await this.#fetchState(signal);
    } catch (cause) {
      const error = this.#typed(cause);
      if (error.code !== "unverified") throw error;
      this.#owner.onError(error);
    }
  }

  async #request(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const target = new URL(path, this.#base);
    for (let attempt = 0; ; attempt += 1) {
      const authorization = `Bearer ${await this.#currentToken()}`;
      const response = await this.#fetch(target, {
        headers: { ...headers, Authorization: authorization },
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal,
      });
      if (response.status !== 401) return response;
      await response.body?.cancel();
      // A function may have a fresher token than the one that has just expired. A string has not.
      if (typeof this.#token === "string" || attempt > 0) {
        throw new PosternError("unauthorized", "the gateway refused the token");
      }
    }
  }

  async #currentToken(): Promise<string> {
    if (typeof this.#token === "string") return this.#token;
    try {
      return await this.#token();
    } catch (cause) {
      // Whoever cannot be reached has refused nothing: a page without a network asks again later. `fetch` rejects so.
      if (cause instanceof TypeError) throw cause;
      throw new PosternError("unauthorized", "no token could be had", cause);
    }
  }

  #typed(cause: unknown): PosternError {
    if (this.#stop.signal.aborted) return new PosternError("closed", "the client was closed", cause);
    if (cause instanceof PosternError) return cause;
    if (cause instanceof RangeError) return new PosternError("protocol", cause.message, cause);
    // fetch reports every network failure as a TypeError, and a timeout as a DOMException.
    return new PosternError("unavailable", "the gateway cannot be reached", cause);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

function membersOf({ type, data }: StreamEvent): Record<string, unknown> {
  try {
    return (JSON.parse(data) ?? {}) as Record<string, unknown>;
  } catch (cause) {
    throw new PosternError("protocol", `a \`${type}\` event is no JSON`, cause);
  }
}

function unexpected(response: Response): PosternError {
  void response.body?.cancel();
  if (response.status === 403) return new PosternError("forbidden", "the gateway refused this subject");
  if (response.status === 429 || response.status >= 500) {
    return new PosternError("unavailable", `the gateway answered ${response.status}`);
  }
  return new PosternError("protocol", `the gateway answered ${response.status}`);
}
