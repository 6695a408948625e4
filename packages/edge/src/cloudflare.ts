// `@postern/edge/cloudflare`: Workers compile no bytes; their bundler makes a compiled module of an imported file.

import module from "@postern/client/postern_bg.wasm";
import { Guard, type GuardOptions } from "./guard.js";

export * from "./index.js";

/** As `createGuard` of `@postern/edge`, with the module that was deployed with the Worker. */
export function createGuard(options: GuardOptions): Guard {
  return new Guard({ wasm: module, ...options });
}
