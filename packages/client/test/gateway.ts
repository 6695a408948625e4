// The gateway's two addresses over real HTTP on a free port, with a hand on everything that can go wrong.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a request was, for assertions. */
export interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly lastEventId: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** A gateway that serves what it is told to. */
export class TestGateway {
  readonly seen: Seen[] = [];
  /** Answers every request with this status instead. */
  refuse: number | undefined;
  /** The tokens that are good; any, where absent. */
  tokens: Set<string> | undefined;
  /** What a new stream begins with. */
  greeting = ": hello\n\n";
  /** Slices are served with this prefix of the address only. */
  prefix = "/";
  /** What is stated of the slice at its address; nothing, where absent. */
  statement: string | undefined;
  /** The hash of the catalog, in headers and events; not told, where absent. */
  catalog: string | undefined;
  /** The published keys; 404, where absent. */
  keys: object | undefined;
  /** The tag of what is served. */
  etag = '"now"';
  /** Whether a caller gets a 304: one that holds any tag, or only one that holds the right one. */
  conditional: boolean | "right" = false;
  /** Where the state and its stream are. */
  paths = { state: "v1/me/slice", stream: "v1/me/stream" };
  #bytes: Uint8Array = new Uint8Array();
  #server: Server;
  #streams = new Set<ServerResponse>();

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(bytes: Uint8Array): Promise<TestGateway> {
    const gateway = new TestGateway();
    gateway.#bytes = bytes;
    await new Promise<void>((resolve) => gateway.#server.listen(0, "127.0.0.1", resolve));
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.prefix}`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** What the slice's address answers from now on. */
  set bytes(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Sends a `state` event on every open stream, after one about it where a statement is given. */
  push(revision: number, bytes: Uint8Array, statement?: string): void {
    if (statement !== undefined) this.state(statement);
    const data = JSON.stringify({
      revision,
      etag: `"${revision}"`,
      catalog: this.catalog,
      bytes: Buffer.from(bytes).toString("base64"),
    });
    this.send(`id: ${revision}\nevent: state\ndata: ${data}\n\n`);
  }

  /** Sends a `statement` event on every open stream. */
  state(statement: string): void {
    this.send(`event: statement\ndata: ${JSON.stringify({ statement })}\n\n`);
  }

  /** Sends text on every open stream. */
  send(text: string): void {
    for (const stream of this.#streams) stream.write(text);
  }

  /** Ends every open stream. */
  drop(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  async stop(): Promise<void> {
    this.drop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const header = (name: string): string | undefined => request.headers[name] as string | undefined;
    const path = request.url ?? "";
    this.seen.push({
      path,
      authorization: header("authorization"),
      lastEventId: header("last-event-id"),
      ifNoneMatch: header("if-none-match"),
    });
    if (this.refuse !== undefined) {
      response.writeHead(this.refuse).end();
      return;
    }
    if (path === `${this.prefix}.well-known/jwks.json`) {
      response.writeHead(this.keys === undefined ? 404 : 200).end(JSON.stringify(this.keys ?? {}));
      return;
    }
    const token = header("authorization")?.replace("Bearer ", "");
    if (this.tokens !== undefined && !this.tokens.has(token ?? "")) {
      response.writeHead(401, { "WWW-Authenticate": "Bearer" }).end();
    } else if (path === `${this.prefix}${this.paths.state}`) {
      const stated = this.statement === undefined ? {} : { "Postern-Statement": this.statement };
      const catalog = this.catalog === undefined ? {} : { "Postern-Catalog": this.catalog };
      const tag = header("if-none-match");
      const held = this.conditional === "right" ? tag === this.etag : this.conditional && tag !== undefined;
      response.writeHead(held ? 304 : 200, {
        "Content-Type": "application/octet-stream",
        ETag: this.etag,
        ...stated,
        ...catalog,
      });
      response.end(held ? undefined : this.#bytes);
    } else if (path === `${this.prefix}${this.paths.stream}`) {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(this.greeting);
      this.#streams.add(response);
      response.on("close", () => this.#streams.delete(response));
    } else {
      response.writeHead(404).end();
    }
  }
}

/** Waits until something holds; fails after five seconds. */
export async function until(holds: () => boolean, what = "it"): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits long enough for what must not happen to have happened. */
export const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 80));
