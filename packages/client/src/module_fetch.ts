// Browsers, Deno, Bun: the module lies beside the code and is fetched.

import { fetchModule } from "./wasm_engine.js";

/** The compiled module that this package ships. */
export function defaultModule(): Promise<WebAssembly.Module> {
  return fetchModule(new URL("./wasm/postern_bg.wasm", import.meta.url));
}
