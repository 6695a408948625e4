// The way in: loads the resolver once for the page, gets the first slice, and hands out the client.

import type { TokenSource } from "./connection.js";
import { PosternError } from "./errors.js";
import type { Options } from "./options.js";
import { Postern } from "./postern.js";
import { loadEngine, type WasmSource } from "./wasm_engine.js";

/** What `connect` takes. */
export interface ConnectOptions extends Options {
  /** The gateway's address. A path in it stays: `https://app.example/authz/` asks `/authz/v1/me/slice`. */
  readonly url: string | URL;
  /** A token, or a function that gives the current one; asked again after a 401. */
  readonly token: TokenSource;
  /** Where the WebAssembly module is. Default: beside this package's own file. Only the first call's is used. */
  readonly wasm?: WasmSource;
}

/**
 * Resolves when the first slice is in force; decisions are synchronous from then on.
 *
 * Rejects with a PosternError: `unauthorized` or `forbidden` for the token, `unavailable` when the gateway could not
 * be reached within `connectMs`, `wasm` when the module cannot be loaded, `bad_slice` or `organization_mismatch` for
 * what the gateway sent.
 */
export async function connect(options: ConnectOptions): Promise<Postern> {
  const base = new URL(options.url, globalThis.location?.href);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  if (base.protocol !== "https:" && base.protocol !== "http:") {
    throw new PosternError("protocol", `a gateway is reached over http or https, not \`${base.protocol}\``);
  }
  const engine = await loadEngine(options.wasm);
  return Postern.start(engine, base, options.token, options);
}
