// `@postern/edge/vercel`: the Edge Runtime compiles no bytes; a file that is imported with `?module` is compiled already.

import module from "@postern/client/postern_bg.wasm?module";
import { Guard, type GuardOptions } from "./guard.js";

export * from "./index.js";

/** As `createGuard` of `@postern/edge`, with the module that was deployed with the function. */
export function createGuard(options: GuardOptions): Guard {
  return new Guard({ wasm: module, ...options });
}
