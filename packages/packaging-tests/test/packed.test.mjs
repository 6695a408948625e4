// What is shipped: the packages as `npm pack` makes them, installed in an empty project that knows nothing of this
// repository, run in Node (and in Deno and Bun where they are), and bundled.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { FLEET, sliceOf } from "../../client/dist/test/worlds.js";

const PACKAGES = ["client", "react", "vue", "edge"];
/** What the packages leave to the application; linked, so that nothing is asked of a registry. */
const PEERS = ["react", "react-dom", "vue"];

/** LIMIT: what the code of a page costs, compressed, without React and Vue and without WebAssembly. */
const PAGE_GZIP_BYTES_MAX = {
  evaluator: 3_072,
  client: 10 * 1024,
  react: 14 * 1024,
  vue: 14 * 1024,
  edge: 12 * 1024,
};

const repository = fileURLToPath(new URL("../../..", import.meta.url));
let project;

before(() => {
  project = mkdtempSync(join(tmpdir(), "postern-packed-"));
  for (const name of PACKAGES) {
    npm(join(repository, "packages", name), "pack", "--silent", "--pack-destination", project);
  }
  const tarballs = readdirSync(project).filter((name) => name.endsWith(".tgz"));
  assert.equal(tarballs.length, PACKAGES.length);
  writeFileSync(join(project, "package.json"), '{"name": "application", "private": true, "type": "module"}');
  npm(
    project,
    "install",
    "--offline",
    "--legacy-peer-deps",
    "--no-audit",
    "--no-fund",
    ...tarballs.map((name) => `./${name}`),
  );
  for (const peer of PEERS)
    symlinkSync(join(repository, "node_modules", peer), join(project, "node_modules", peer));
  writeFileSync(join(project, "tom.slice"), sliceOf(FLEET, "user:tom"));
});

after(() => rmSync(project, { recursive: true, force: true }));

function npm(cwd, ...args) {
  execFileSync("npm", args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
}

test("each holds what its entries name, a README, and nothing of the tests", () => {
  for (const name of PACKAGES) {
    const folder = join(project, "node_modules/@postern", name);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const { exports: entries, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    assert.equal(version, "0.1.0");
    for (const entry of Object.values(entries)) {
      for (const file of typeof entry === "string" ? [entry] : [entry.types, entry.default])
        assert.ok(statSync(join(folder, file)).size > 100, `${name}: ${file}`);
    }
    assert.ok(files.includes("README.md"));
    assert.deepEqual(
      files.filter((file) => /(^|\/)test(\/|$)|\.tsx?$(?<!\.d\.ts)|tsconfig/.test(file)),
      [],
    );
  }
});

/** Uses every entry of every package, without a network and without WebAssembly. */
const SMOKE = `
  import { readFileSync } from "node:fs";
  import { open, check, anywhere } from "@postern/client/evaluator";
  import { Evaluator } from "@postern/client/evaluator/full";
  import { manifest, visible } from "@postern/client/routes";
  import { inStorage } from "@postern/client/offline";
  import { Source } from "@postern/client/source";
  import { KeySet } from "@postern/client/statements";
  import { tabs } from "@postern/client/tabs";
  import { connect, PosternError } from "@postern/client";
  import { Can, PosternProvider, useFilter } from "@postern/react";
  import { guard as loader } from "@postern/react/react-router";
  import { guard as beforeLoad } from "@postern/react/tanstack-router";
  import { createGuard } from "@postern/edge";
  import { receiveWebhooks } from "@postern/edge/webhook";
  import { createPostern, useCan } from "@postern/vue";
  import { guard as beforeEach } from "@postern/vue/router";
  import { createElement as h } from "react";
  import { renderToString } from "react-dom/server";
  import * as vue from "vue";
  import * as vueServer from "vue/server-renderer";

  const bytes = new Uint8Array(readFileSync(new URL("./tom.slice", import.meta.url)));
  const at = { type: "site", id: "s1" };
  const slice = open(bytes);
  const tom = new Evaluator(bytes);
  const pages = manifest([
    { path: "/", label: "Home", allow: [[{ permission: "fleet:read", at: "anywhere" }]] },
    { path: "/team", label: "Team", allow: [[{ permission: "user:manage", at: "organization" }]] },
  ]);
  const thrown = async (work) => { try { return await work(); } catch (error) { return error; } };
  const List = () => useFilter("miner:read", "site").join();
  const react = renderToString(h(PosternProvider, { initial: bytes },
    h(Can, { permission: "miner:read", at, otherwise: "no" }, h(List))));
  const app = vue.createSSRApp({ setup() { const can = useCan("miner:read", at); return () => String(can.value); } });
  app.use(createPostern({ initial: bytes }));
  const refused = await thrown(() => loader(pages, () => tom)({ request: { url: "http://a.example/team" } }));
  const moved = await thrown(() => beforeLoad(pages, () => tom, (to) => to)({ location: { pathname: "/team" } }));
  const offline = inStorage(new Map(), { organization: "acme", subject: "user:tom" });
  const away = { url: "http://127.0.0.1:1/", token: "t", connectMs: 50, share: tabs(), offline };
  const unreachable = await thrown(() => connect(away));
  const noKeys = await thrown(() => KeySet.of({}));
  const guard = createGuard({ gateway: "http://127.0.0.1:1/", organization: "acme", key: "k" });
  console.log(JSON.stringify([
    check(slice, "miner:read", at, { now: 0 }),
    anywhere(slice, "user:manage", { now: 0 }),
    visible(pages, tom).map(({ label }) => label),
    new Source(undefined, tom).current.revision,
    react,
    await vueServer.renderToString(app),
    refused.headers.get("Location"),
    moved,
    await beforeEach(pages, () => tom)({ path: "/team" }),
    unreachable instanceof PosternError && unreachable.code,
    noKeys.refusal,
    (await guard.check("user:tom", "miner:read", at)).reason,
    (await receiveWebhooks(guard, { secret: "whsec_AAAA" })(new Request("http://a.example/", { method: "POST" }))).status,
  ]));
`;

const EXPECTED = [
  { decision: "allow", reason: "assignment" },
  false,
  ["Home"],
  5,
  "s1",
  "true",
  "/",
  { to: "/", replace: true },
  { path: "/" },
  "unavailable",
  "malformed",
  "no_snapshot",
  400,
];

test("every entry works in Node, rendering on a server included", () => {
  writeFileSync(join(project, "smoke.mjs"), SMOKE);
  const printed = execFileSync(process.execPath, ["smoke.mjs"], { cwd: project, encoding: "utf8" });
  assert.deepEqual(JSON.parse(printed), EXPECTED);
});

// Not installed by this repository: their programs are larger than everything else together.
for (const [runtime, args] of [
  ["deno", ["run", "--no-prompt", "--allow-read", "--allow-net=127.0.0.1", "--allow-env"]],
  ["bun", ["run"]],
]) {
  const program = process.env[`POSTERN_${runtime.toUpperCase()}`];
  test(
    `every entry works in ${runtime}`,
    { skip: program === undefined && `POSTERN_${runtime.toUpperCase()} names no program` },
    () => {
      writeFileSync(join(project, "smoke.mjs"), SMOKE);
      const printed = execFileSync(program, [...args, "smoke.mjs"], { cwd: project, encoding: "utf8" });
      assert.deepEqual(JSON.parse(printed), EXPECTED);
    },
  );
}

/** A page of each kind, as little of it as uses the package. */
const PAGE = {
  evaluator: `import { anywhere, check, everywhere, open } from "@postern/client/evaluator";
    globalThis.page = { anywhere, check, everywhere, open };`,
  client: `import { connect } from "@postern/client"; import { visible } from "@postern/client/routes";
    globalThis.page = { connect, visible };`,
  react: `export * from "@postern/react"; export * from "@postern/react/react-router"; export * from "@postern/client";`,
  edge: `export * from "@postern/edge";`,
  vue: `export * from "@postern/vue"; export * from "@postern/vue/router"; export * from "@postern/client";`,
};

for (const [name, source] of Object.entries(PAGE)) {
  test(`a page with ${name} is bundled by Vite into at most ${PAGE_GZIP_BYTES_MAX[name]} bytes`, async (context) => {
    const root = join(project, name);
    mkdirSync(root);
    writeFileSync(join(root, "page.js"), source);
    await build({
      root,
      configFile: false,
      logLevel: "error",
      build: {
        target: "es2022",
        minify: true,
        rolldownOptions: {
          input: join(root, "page.js"),
          external: [/^react/, /^vue/],
          preserveEntrySignatures: "strict",
          output: { entryFileNames: "page.js" },
        },
      },
    });
    const code = readFileSync(join(root, "dist/page.js"), "utf8");
    const size = gzipSync(code, { level: 9 }).length;
    context.diagnostic(`${name}: ${size} bytes of ${code.length}`);
    assert.doesNotMatch(code, /node:/);
    assert.ok(size <= PAGE_GZIP_BYTES_MAX[name], `${size} bytes`);
    assert.ok(size > 1_000, `${size} bytes cannot be all of it`);
    // Vite finds the module beside the client's code, by its address, and ships it with the page.
    const assets = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" });
    assert.equal(
      assets.some((asset) => asset.endsWith(".wasm")),
      name !== "evaluator",
    );
  });
}
