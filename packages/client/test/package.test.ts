// What is shipped: the packed package, unpacked elsewhere, works in Node and bundles for browsers.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { TestGateway } from "./gateway.js";
import { FLEET, sliceOf } from "./worlds.js";

/**
 * LIMIT: JavaScript that a page loads for this package, compressed. Glue included, WebAssembly not. A quarter of a KiB of it
 * tells of a catalog that code was not generated from: every page needs that, and not only those that load another entry.
 */
const GZIP_BYTES_MAX = 10.75 * 1024;

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-pack-"));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: PACKAGE,
    stdio: ["ignore", "ignore", "ignore"],
  });
  const target = join(folder, "node_modules/@postern/client");
  mkdirSync(target, { recursive: true });
  const packed = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  assert.ok(packed);
  execFileSync("tar", ["-xzf", join(folder, packed), "--strip-components=1", "-C", target]);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("it holds what it needs and nothing else", () => {
  const files = readdirSync(join(folder, "node_modules/@postern/client"), {
    recursive: true,
    encoding: "utf8",
  });
  for (const needed of [
    "README.md",
    "dist/src/index.js",
    "dist/src/index.d.ts",
    "dist/src/wasm/postern_bg.wasm",
  ]) {
    assert.ok(files.includes(needed), needed);
  }
  assert.deepEqual(
    files.filter((name) => name.includes("test")),
    [],
  );
});

test("it connects and decides in Node, without anything else installed", async () => {
  const gateway = await TestGateway.start(sliceOf(FLEET, "user:ann"));
  const script = join(folder, "main.mjs");
  writeFileSync(
    script,
    `import { connect } from "@postern/client";
     import { manifest, visible } from "@postern/client/routes";
     const postern = await connect({ url: ${JSON.stringify(gateway.url)}, token: "t" });
     const pages = manifest([{ path: "/", label: "Home", allow: [[{ permission: "fleet:read", at: "anywhere" }]] }]);
     console.log(JSON.stringify([postern.can("user:manage"), visible(pages, postern).length]));
     postern.close();`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  assert.equal(stdout.trim(), "[true,1]");
  await gateway.stop();
});

test("it bundles for browsers without Node's own modules, and stays small", async () => {
  const entry = join(folder, "page.mjs");
  writeFileSync(entry, `export * from "@postern/client"; export * from "@postern/client/routes";`);
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    minify: true,
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  const code = outputFiles[0]?.text ?? "";
  assert.doesNotMatch(code, /node:/);
  const size = gzipSync(code).length;
  assert.ok(size <= GZIP_BYTES_MAX, `${size} bytes`);
});
