// The gateway's management interface: requests in the session's name, and its refusals as errors with a code.

import type { Session } from "./session.js";
import type { Preview } from "./types.js";

/** A refusal (RFC 9457), or that there was no answer: then the code is `unreachable`. */
export class Refused extends Error {
  override readonly name = "Refused";
  constructor(
    readonly code: string,
    message: string,
    readonly status = 0,
    /** The members of the problem besides: what is missing, who holds it. */
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** An item with the tag that a change of it names. */
export interface Tagged<T> {
  readonly item: T;
  readonly etag: string;
}

export interface Write {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly etag?: string;
}

/** Below an organization; the empty path is itself. Paths have their ids encoded already: see {@link segments}. */
export class Management {
  readonly #base: string;
  readonly #token: string;
  readonly #fetch: typeof fetch;

  constructor(session: Session, fetcher: typeof fetch = (...request) => fetch(...request)) {
    this.#base = `/v1/organizations/${encodeURIComponent(session.organization)}/`;
    this.#token = session.token;
    this.#fetch = fetcher;
  }

  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await this.tagged<T>(path, signal)).item;
  }

  async tagged<T>(path: string, signal?: AbortSignal): Promise<Tagged<T>> {
    const response = await this.#send("GET", path, signal === undefined ? {} : { signal });
    return { item: (await response.json()) as T, etag: response.headers.get("etag") ?? "" };
  }

  /** Everything of a list, a page after the other, up to so many pages; whether there is more. */
  async all<T>(path: string, pages = 10, signal?: AbortSignal): Promise<{ items: T[]; more: boolean }> {
    const items: T[] = [];
    let cursor: string | null = "";
    for (let page = 0; page < pages && cursor !== null; page += 1) {
      const at: string = withQuery(path, { limit: "1000", ...(cursor === "" ? {} : { cursor }) });
      const answer: Page<T> = await this.get<Page<T>>(at, signal);
      items.push(...answer.items);
      cursor = answer.next_cursor;
    }
    return { items, more: cursor !== null };
  }

  /** Asks what a write would change, and writes nothing. */
  async preview(write: Write): Promise<Preview> {
    const response = await this.#write({ ...write, path: withQuery(write.path, { preview: "true" }) });
    return (await response.json()) as Preview;
  }

  /** Writes. `undefined`: nothing is left to show. */
  async write<T>(write: Write): Promise<{ item: T | undefined; etag: string; revision: string }> {
    const response = await this.#write(write);
    const item = response.status === 204 ? undefined : ((await response.json()) as T);
    return {
      item,
      etag: response.headers.get("etag") ?? "",
      revision: response.headers.get("postern-revision") ?? "",
    };
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    return (await (await this.#write({ method: "POST", path, body })).json()) as T;
  }

  #write({ method, path, body, etag }: Write): Promise<Response> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    if (etag !== undefined) headers["if-match"] = etag;
    return this.#send(method, path, {
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async #send(method: string, path: string, more: RequestInit): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}`, ...(more.headers as Record<string, string>) };
    let response: Response;
    try {
      const url = path === "" ? this.#base.slice(0, -1) : this.#base + path;
      response = await this.#fetch(url, { ...more, method, headers, cache: "no-store" });
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
      throw new Refused("unreachable", "The gateway does not answer.");
    }
    if (response.ok) return response;
    throw await refusal(response);
  }
}

async function refusal(response: Response): Promise<Refused> {
  try {
    const { code, detail, ...members } = (await response.json()) as Record<string, unknown>;
    if (typeof code === "string") return new Refused(code, String(detail ?? code), response.status, members);
  } catch {
    // Somebody between us and the gateway answered.
  }
  return new Refused("unreachable", `The answer has status ${response.status}.`, response.status);
}

/** Ids as segments of a path. */
export const segments = (...ids: string[]): string => ids.map(encodeURIComponent).join("/");

/** A path with parameters; those without a value are left out. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const [place = "", before] = path.split("?");
  const query = new URLSearchParams(before);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  const text = query.toString();
  return text === "" ? place : `${place}?${text}`;
}
