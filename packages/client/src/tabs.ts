// `@postern/client/tabs`: one stream for all tabs of a browser that show the same subject. One of them follows the gateway and
// passes on what it hears. Which one, a Web Lock decides, held for as long as its stream is open.
//
// To the client this is a `fetch`: a tab that does not follow the gateway gets a stream all the same, which begins with the slice
// as the tab fetches it with its own token, and goes on with the events that the other tab passes on. It judges them as if it had
// followed. When the other tab's stream ends, so does this one, and the client opens another: then the next tab may have the lock.
//
// Not here: tokens, which are never passed on.

import { EventStreamParser, type StreamEvent } from "./event_stream.js";
import { PosternError } from "./errors.js";
import { hash } from "./statement.js";

/** For `connect({ share })`: what stands in front of `fetch`, for whose permissions the client turns out to have. */
export type Share = (fetcher: typeof fetch, whose: Whose) => typeof fetch;

/** Known once a slice is in force, which is before a stream is opened. */
interface Whose {
  readonly organization: string;
  readonly subject: string;
}

/** What sharing needs of a browser; `navigator.locks` and `BroadcastChannel` are that. */
export interface TabsHost {
  readonly locks: {
    request(
      name: string,
      options: { ifAvailable?: boolean; signal?: AbortSignal },
      held: (lock: unknown) => Promise<void>,
    ): Promise<unknown>;
  };
  channel(name: string): TabsChannel;
}

/** A channel to all others of its name; a `BroadcastChannel` is one. */
export interface TabsChannel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

/** Silences after which a tab is given up that holds the lock. */
const SILENCES_MAX = 2;
const STREAM = /\/v1\/me\/stream$/;

/** Shares one stream between tabs. Where locks or channels are missing each tab follows for itself. */
export function tabs(host: TabsHost | undefined = browser()): Share {
  if (host === undefined) return (fetcher) => fetcher;
  return (fetcher, whose) => {
    const tab = new Tab(host, fetcher);
    return (input, init = {}) => {
      const url = new URL(String(input));
      return STREAM.test(url.pathname) ? tab.stream(url, init, whose) : fetcher(input, init);
    };
  };
}

function browser(): TabsHost | undefined {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  if (locks === undefined || typeof BroadcastChannel === "undefined") return undefined;
  return { locks, channel: (name) => new BroadcastChannel(name) };
}

class Tab {
  readonly #host: TabsHost;
  readonly #fetch: typeof fetch;
  /** Nothing is shared any more: the browser refuses it, or the tab that leads is frozen. */
  #alone = false;
  /** How often in a row nothing came for too long from the tab that leads. */
  #silences = 0;

  constructor(host: TabsHost, fetcher: typeof fetch) {
    this.#host = host;
    // Called as a plain function: a browser's fetch refuses any other `this`.
    this.#fetch = (input, init) => fetcher(input, init);
  }

  /** The gateway's stream, or one of what another tab hears of it. */
  async stream(url: URL, init: RequestInit, { organization, subject }: Whose): Promise<Response> {
    // A digest, since others of the origin see the name; nobody who lacks SHA-256 shares.
    const whose = new TextEncoder().encode(JSON.stringify([url.href, organization, subject]));
    const digest = this.#alone ? undefined : await hash(whose);
    if (digest === undefined) return this.#fetch(url, init);
    const name = `postern:${digest}`;
    let release: (() => void) | undefined;
    let channel: TabsChannel | undefined;
    try {
      channel = this.#host.channel(name);
      // Must not keep a Node process alive; browsers have no such thing.
      (channel as { unref?: () => void }).unref?.();
      release = await this.#lock(name);
    } catch {
      // A page without an origin is refused both.
      this.#alone = true;
      channel?.close();
      return this.#fetch(url, init);
    }
    return release === undefined
      ? this.#follow(name, channel, url, init)
      : this.#lead(channel, release, url, init);
  }

  /** How to give the lock back; `undefined` where another tab has it. */
  #lock(name: string): Promise<(() => void) | undefined> {
    return new Promise((resolve, reject) => {
      const held = (lock: unknown): Promise<void> => {
        if (lock !== null) return new Promise((release) => resolve(release));
        resolve(undefined);
        return Promise.resolve();
      };
      this.#host.locks.request(name, { ifAvailable: true }, held).catch(reject);
    });
  }

  async #lead(channel: TabsChannel, release: () => void, url: URL, init: RequestInit): Promise<Response> {
    const end = (): void => {
      channel.close();
      release();
    };
    try {
      const response = await this.#fetch(url, init);
      if (response.status !== 200 || response.body === null) {
        end();
        return response;
      }
      // Whoever has opened it aborts it at its end, whichever that is.
      init.signal?.addEventListener("abort", end);
      if (init.signal?.aborted === true) end();
      const parser = new EventStreamParser();
      const reader = response.body.getReader();
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          // Also none: then it is heard that the gateway is there.
          channel.postMessage(parser.push(value));
          controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      });
      return new Response(body, { headers: response.headers });
    } catch (error) {
      end();
      throw error;
    }
  }

  async #follow(name: string, channel: TabsChannel, url: URL, init: RequestInit): Promise<Response> {
    const { signal } = init;
    const leave = new AbortController();
    let over = false;
    let stream!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (stream = controller) });
    const end = (close: () => void): void => {
      if (over) return;
      over = true;
      channel.close();
      leave.abort();
      close();
    };
    signal?.addEventListener("abort", () =>
      end(() => {
        // Whoever leads may have lost the gateway just now; if it is frozen, it would be waited for again and again.
        if (signal.reason instanceof PosternError) this.#alone = ++this.#silences === SILENCES_MAX;
        stream.error(signal.reason);
      }),
    );
    // What comes before the slice has to wait for it.
    let early: string[] | undefined = [];
    const push = (text: string): void => {
      if (!over) stream.enqueue(new TextEncoder().encode(text));
    };
    channel.onmessage = ({ data }) => {
      this.#silences = 0;
      const text = textOf(data);
      if (early === undefined) push(text);
      else early.push(text);
    };
    // Granted when the other tab's stream has ended. All who wait are granted it, one after the other, and so told.
    this.#host.locks
      .request(name, { signal: leave.signal }, () => Promise.resolve())
      .then(() => end(() => stream.close()))
      .catch(() => undefined);
    try {
      const headers = new Headers(init.headers);
      headers.set("Accept", "application/octet-stream");
      headers.delete("Last-Event-ID");
      const response = await this.#fetch(new URL("slice", url), { ...init, headers });
      // Refused, or away: that is what whoever asks for a stream has to hear.
      if (response.status !== 200 && response.status !== 304) {
        end(() => stream.close());
        return response;
      }
      push(await greetingOf(response));
      early.forEach(push);
      early = undefined;
      return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
    } catch (error) {
      end(() => stream.close());
      throw error;
    }
  }
}

/** What the gateway's own stream would begin with. */
async function greetingOf(response: Response): Promise<string> {
  const statement = response.headers.get("Postern-Statement");
  const events: StreamEvent[] = [];
  if (statement !== null) events.push({ type: "statement", data: JSON.stringify({ statement }) });
  if (response.status === 200) {
    let binary = "";
    for (const byte of new Uint8Array(await response.arrayBuffer())) binary += String.fromCharCode(byte);
    const { headers } = response;
    const state = { etag: headers.get("ETag"), catalog: headers.get("Postern-Catalog"), bytes: btoa(binary) };
    events.push({ type: "state", data: JSON.stringify(state) });
  }
  return textOf(events);
}

/** Events as text of a stream. What is none is left out; a comment stands for nothing. */
function textOf(events: unknown): string {
  let text = ":\n\n";
  for (const event of Array.isArray(events) ? (events as (Partial<StreamEvent> | null)[]) : []) {
    const { type, data } = event ?? {};
    if ((type === "statement" || type === "state") && typeof data === "string")
      text += `event: ${type}\ndata: ${data.replaceAll("\n", "\ndata: ")}\n\n`;
  }
  return text;
}
