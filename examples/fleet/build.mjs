// Builds the example into dist/: one script, one style sheet, the resolver's module, and the made-up telemetry.
// Everything in it can be served as it is; `cargo xtask demo` adds demo/personas.json with a token for each persona.

import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeTelemetry } from "./telemetry.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = join(here, "dist");
const client = dirname(createRequire(import.meta.url).resolve("@postern/client"));

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await build({
  entryPoints: [
    { in: join(here, "src/main.tsx"), out: "app" },
    { in: join(here, "src/styles.css"), out: "app" },
  ],
  outdir: dist,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
for (const name of ["index.html", "favicon.svg"]) copyFileSync(join(here, name), join(dist, name));
copyFileSync(join(client, "wasm/postern_bg.wasm"), join(dist, "postern_bg.wasm"));
const read = (name) => JSON.parse(readFileSync(join(here, name), "utf8"));
writeTelemetry(join(dist, "demo/data"), read("world.json"), read("personas.json"));
