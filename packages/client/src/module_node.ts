// Node: the module lies beside the code and is read. The only file that may import what Node alone has.

import { readFile } from "node:fs/promises";

/** The compiled module that this package ships. */
export async function defaultModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL("./wasm/postern_bg.wasm", import.meta.url)));
}
