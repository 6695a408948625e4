// Builds the package: types and JavaScript by tsc, the WebAssembly module and its glue from where
// `cargo xtask wasm` has put them.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const built = join(here, "../../wasm/dist/client");
const dist = join(here, "dist");

if (!existsSync(join(built, "postern_bg.wasm"))) {
  console.error("the WebAssembly module is missing: run `cargo xtask wasm`");
  process.exit(1);
}
rmSync(dist, { recursive: true, force: true });
const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
execFileSync(process.execPath, [join(typescript, "bin/tsc"), "--project", here], { stdio: "inherit" });
const target = join(dist, "src/wasm");
mkdirSync(target, { recursive: true });
for (const name of ["postern_bg.js", "postern_bg.wasm"]) copyFileSync(join(built, name), join(target, name));
copyFileSync(join(here, "src/wasm/postern_bg.d.ts"), join(target, "postern_bg.d.ts"));
