// The entries for edges that compile nothing: bundled as their tools do, and run with the module that these hand over. In
// Node with what they forbid taken away; the one for Vercel in the Edge Runtime, and the one for Cloudflare in workerd,
// which this repository does not install, where `POSTERN_WORKERD` names it.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { EdgeVM } from "@edge-runtime/vm";
import { build } from "esbuild";
import { gatewayOf, shared, stateAll, type Gateway } from "./setup.js";

const { FLEET, fleetAt, Signer, snapshotOf } = shared;

/** LIMIT: JavaScript of a guard with its rules, compressed. WebAssembly not. */
const GZIP_BYTES_MAX = 12 * 1024;

const ENTRIES = { cloudflare: "postern_bg.wasm", vercel: "postern_bg.wasm?module" } as const;
const MODULE = createRequire(import.meta.url).resolve("@postern/client/postern_bg.wasm");

/** Bundles code that stands on an entry. `module`: what the tools make of the imported file, `path` or `contents`. */
async function bundle(
  entry: keyof typeof ENTRIES,
  contents: string,
  format: "esm" | "iife",
  module: { path: string } | { contents: string },
): Promise<string> {
  const modules: string[] = [];
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL("../..", import.meta.url)) },
    bundle: true,
    format,
    minify: true,
    platform: "browser",
    conditions: ["workerd", "worker", "edge-light"],
    target: "es2022",
    write: false,
    logLevel: "silent",
    plugins: [
      {
        // What their tools do: the file becomes a module of its own, compiled when it is deployed.
        name: "compiled",
        setup(of) {
          of.onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path }) => {
            modules.push(path);
            if ("path" in module) return { path: module.path, external: true };
            return { path, namespace: "compiled" };
          });
          of.onLoad({ filter: /.*/, namespace: "compiled" }, () => ({
            contents: "contents" in module ? module.contents : "",
          }));
        },
      },
    ],
  });
  assert.deepEqual(modules, [`@postern/client/${ENTRIES[entry]}`]);
  const code = outputFiles[0]?.text ?? "";
  assert.doesNotMatch(code, /node:/);
  return code;
}

/** In a folder of its own, with a gateway that has the fleet. */
async function served(
  work: (folder: string, gateway: Gateway, later: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "postern-edge-"));
  const signer = await Signer.random();
  const bytes = snapshotOf(FLEET);
  const gateway = await gatewayOf(bytes, signer, await stateAll(signer, bytes, {}));
  const later = async (): Promise<void> => {
    const six = snapshotOf(fleetAt(6, []));
    gateway.bytes = six;
    gateway.etag = '"6"';
    gateway.statement = await stateAll(signer, six, { revision: 6 });
  };
  try {
    await work(folder, gateway, later);
  } finally {
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a runtime for edges refuses: code from text, bytes as a module, and requests with what it does not know. */
const edge = (gateway: string): string => `
  // Node's own fetch compiles its parser at the first use.
  await (await fetch(${JSON.stringify(gateway)})).text();
  const refuse = (what) => () => { throw new Error(what + " is not allowed here"); };
  for (const name of ["compile", "compileStreaming", "instantiate", "instantiateStreaming", "validate"])
    WebAssembly[name] = refuse(name);
  globalThis.Function = refuse("Function");
  globalThis.eval = refuse("eval");
  const real = globalThis.fetch;
  globalThis.fetch = (input, init = {}) => {
    for (const member of ["cache", "credentials", "mode"]) if (member in init) refuse(member)();
    if (!["follow", "manual"].includes(init.redirect ?? "follow")) refuse("redirect")();
    return real(input, init);
  };
`;

for (const entry of ["cloudflare", "vercel"] as const) {
  test(`${entry} decides with the module that was deployed, and compiles nothing`, (context) =>
    served(async (folder, gateway) => {
      const exported = `export { createGuard, protect } from "@postern/edge/${entry}";`;
      const code = await bundle(entry, exported, "esm", { path: "./module.mjs" });
      const size = gzipSync(code, { level: 9 }).length;
      context.diagnostic(`${size} bytes of ${code.length}`);
      assert.ok(size <= GZIP_BYTES_MAX, `${size} bytes`);
      writeFileSync(join(folder, "guard.mjs"), code);
      writeFileSync(
        join(folder, "module.mjs"),
        `import { readFileSync } from "node:fs";
         export default new WebAssembly.Module(readFileSync(${JSON.stringify(MODULE)}));`,
      );
      writeFileSync(join(folder, "edge.mjs"), edge(gateway.url));
      writeFileSync(
        join(folder, "main.mjs"),
        `import "./edge.mjs";
         import { createGuard } from "./guard.mjs";
         const gateway = ${JSON.stringify(gateway.url)};
         const guard = createGuard({ gateway, organization: "acme", key: "key", onError: console.error });
         const { decision, reason, revision } = await guard.check("user:ann", "user:manage");
         console.log(JSON.stringify([decision, reason, revision, guard.freshness().fresh]));`,
      );
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, "main.mjs")]);
      assert.equal(stdout.trim(), '["allow","assignment",5,true]', stderr);
    }));
}

/** A function behind a guard: answers who asks for `/<subject>` whether it manages users, and on which revision. */
const GUARDED = (gateway: string): string => `
  const errors = [];
  const guard = createGuard({
    gateway: ${JSON.stringify(gateway)}, organization: "acme", key: "key", pollSeconds: 0,
    onError: (error) => errors.push(String(error)),
  });
  const judge = protect(guard, [
    { method: "GET", path: "/:who", allow: [[{ permission: "user:manage", at: "organization" }]] },
  ], { subject: (request) => "user:" + new URL(request.url).pathname.slice(1) });
  const handle = async (request, waitUntil) => {
    const refused = refusal(await judge(request));
    waitUntil(guard.refresh());
    const { status } = refused ?? { status: 200 };
    return new Response(JSON.stringify([status, guard.freshness().revision, ...errors.splice(0)]));
  };
`;

/** What is asked of such a function, in requests of their own. */
async function exercise(ask: (path: string) => Promise<string>, later: () => Promise<void>): Promise<void> {
  assert.equal(await ask("/ann"), "[200,5]");
  assert.equal(await ask("/tom"), "[403,5]");
  await later();
  // Whoever asks first may still be answered on what was held.
  for (let turn = 0; turn < 20 && (await ask("/ann")) !== "[403,6]"; turn += 1);
  assert.equal(await ask("/ann"), "[403,6]");
}

test("the entry for Vercel decides in the Edge Runtime, and hears of changes", () =>
  served(async (_, gateway, later) => {
    const source = `import { createGuard, protect, refusal } from "@postern/edge/vercel";
      ${GUARDED(gateway.url)}
      globalThis.ask = async (path) => {
        const all = [];
        const answer = await handle(new Request("https://app.example" + path), (work) => all.push(work));
        await Promise.all(all);
        return answer.text();
      };`;
    const code = await bundle("vercel", source, "iife", { contents: "export default globalThis.MODULE;" });
    const runtime = new EdgeVM({
      extend: (context) => Object.assign(context, { MODULE: new WebAssembly.Module(readFileSync(MODULE)) }),
    });
    runtime.evaluate(code);
    await exercise((path) => runtime.evaluate<Promise<string>>(`ask(${JSON.stringify(path)})`), later);
  }));

const { POSTERN_WORKERD } = process.env;

test(
  "the entry for Cloudflare decides in workerd, and hears of changes",
  { skip: POSTERN_WORKERD === undefined && "POSTERN_WORKERD names no program" },
  () =>
    served(async (folder, gateway, later) => {
      const source = `import { createGuard, protect, refusal } from "@postern/edge/cloudflare";
        ${GUARDED(gateway.url)}
        export default { fetch: (request, _, context) => handle(request, (work) => context.waitUntil(work)) };`;
      writeFileSync(
        join(folder, "worker.js"),
        await bundle("cloudflare", source, "esm", { path: "./module.wasm" }),
      );
      copyFileSync(MODULE, join(folder, "module.wasm"));
      writeFileSync(
        join(folder, "config.capnp"),
        `using Workerd = import "/workerd/workerd.capnp";
         const config :Workerd.Config = (
           services = [
             (name = "main", worker = .worker),
             (name = "internet", network = (allow = ["private"])),
           ],
           sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
         );
         const worker :Workerd.Worker = (
           modules = [
             (name = "worker.js", esModule = embed "worker.js"),
             (name = "module.wasm", wasm = embed "module.wasm"),
           ],
           compatibilityDate = "2024-06-01",
         );`,
      );
      const port = await freePort();
      const workerd = spawn(
        POSTERN_WORKERD ?? "",
        ["serve", "config.capnp", "--socket-addr", `http=127.0.0.1:${port}`],
        { cwd: folder, stdio: ["ignore", "inherit", "inherit"] },
      );
      try {
        const ask = async (path: string): Promise<string> => {
          for (let turn = 0; ; turn += 1) {
            try {
              return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
            } catch (error) {
              // It has not started yet.
              if (turn === 100 || workerd.exitCode !== null) throw error;
              await new Promise((resolve) => setTimeout(resolve, 50));
            }
          }
        };
        await exercise(ask, later);
      } finally {
        workerd.kill();
      }
    }),
);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
