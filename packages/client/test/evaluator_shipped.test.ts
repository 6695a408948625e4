// What a page gets of the evaluator: so many bytes, and code that the strictest content security policy lets run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { FLEET, sliceOf } from "./worlds.js";

/** LIMIT: the small entry, minified and compressed: what a page may put into its head without a thought. */
const CORE_GZIP_BYTES_MAX = 3_072;
/** LIMIT: with the other questions and the client's interface. */
const FULL_GZIP_BYTES_MAX = 3_700;

async function bundled(entry: string, format: "esm" | "iife"): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../src/${entry}.js`, import.meta.url))],
    bundle: true,
    format,
    globalName: "evaluator",
    minify: true,
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

for (const [entry, max] of [
  ["evaluator", CORE_GZIP_BYTES_MAX],
  ["evaluator/full", FULL_GZIP_BYTES_MAX],
] as const) {
  test(`${entry} is at most ${max} bytes`, async (context) => {
    const code = await bundled(entry, "esm");
    const size = gzipSync(code, { level: 9 }).length;
    context.diagnostic(`${size} bytes of ${code.length}`);
    assert.ok(size <= max, `${size} bytes`);
    assert.ok(size > 1_000, `${size} bytes cannot be all of it`);
  });
}

test("it decides where neither eval nor WebAssembly may run, with nothing but the text codecs", async () => {
  const page = createContext(
    { TextDecoder, TextEncoder, bytes: sliceOf(FLEET, "user:ann") },
    { codeGeneration: { strings: false, wasm: false } },
  );
  assert.throws(() => runInContext("new Function('return 1')()", page), /Code generation from strings/);
  runInContext(await bundled("evaluator/full", "iife"), page);
  const answers: unknown = runInContext(
    `const ann = new evaluator.Evaluator(bytes, { now: () => 0 });
     JSON.stringify([ann.can("user:manage"), ann.filter("miner:reboot", "site"),
       ann.decide("miner:reboot", { type: "site", id: "s2" })])`,
    page,
  );
  const narrowed = { decision: "deny", reason: "narrowed", revision: 5 };
  assert.deepEqual(JSON.parse(String(answers)), [true, ["s1", "s3"], narrowed]);
});
