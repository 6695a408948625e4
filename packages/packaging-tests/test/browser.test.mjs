// What only a browser has: locks and channels between tabs, and IndexedDB. In Chromium, with real pages.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import {
  FLEET,
  fleetAt,
  sha256,
  Signer,
  sliceOf,
  TestGateway,
  until,
} from "../../client/dist/test/embedding.js";

const { CHROMIUM = "/usr/bin/chromium" } = process.env;
const skip = !existsSync(CHROMIUM) && `${CHROMIUM} is not there; CHROMIUM names another`;

const PAGE = `
  import { connect } from "@postern/client";
  import { indexedDb } from "@postern/client/offline";
  import { verified } from "@postern/client/statements";
  import { tabs } from "@postern/client/tabs";
  window.start = async ({ share, offline, ...options }) => {
    window.postern = await connect({
      url: location.origin, token: "t", wasm: "/postern_bg.wasm", verify: verified(), retryMinMs: 20, retryMaxMs: 100,
      ...(share && { share: tabs() }),
      ...(offline && { offline: indexedDb({ organization: "acme", subject: "user:tom" }) }),
      ...options,
    });
  };
  window.told = () => {
    const { revision, status } = window.postern;
    return { revision, status, fresh: window.postern.freshness().fresh };
  };
`;

let browser, site, origin, gateway, signer;

before(async () => {
  if (skip) return;
  const { outputFiles } = await build({
    stdin: { contents: PAGE, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
  });
  const wasm = readFileSync(new URL("../../client/dist/src/wasm/postern_bg.wasm", import.meta.url));
  const files = {
    "/": ["text/html", `<!doctype html><script type="module" src="/page.js"></script>`],
    "/page.js": ["text/javascript", outputFiles[0].text],
    "/postern_bg.wasm": ["application/wasm", wasm],
  };
  // The page and the gateway have one origin, as behind a proxy.
  site = createServer((near, answer) => {
    const file = files[near.url];
    if (file !== undefined) {
      answer.writeHead(200, { "Content-Type": file[0] }).end(file[1]);
      return;
    }
    const far = request(new URL(near.url, gateway.url), { headers: near.headers }, (response) => {
      answer.writeHead(response.statusCode, response.headers);
      answer.flushHeaders();
      response.pipe(answer);
      response.on("error", () => answer.destroy());
    });
    far.on("error", () => answer.destroy());
    answer.on("close", () => far.destroy());
    far.end();
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${site.address().port}/`;
  signer = await Signer.random();
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
});

after(async () => {
  await browser?.close();
  site?.closeAllConnections();
  site?.close();
});

function stated(bytes, revision) {
  const iat = Math.floor(Date.now() / 1000);
  const whose = { organization: "acme", subject: "user:tom" };
  const state = { epoch: "e1", revision, as_of: revision, hash: sha256(bytes) };
  return signer.sign({ ...whose, ...state, iat, exp: iat + 60 });
}

/** A gateway with Tom's slice, for one test. */
async function serve(work) {
  const five = sliceOf(FLEET, "user:tom");
  gateway = await TestGateway.start(five);
  gateway.statement = await stated(five, 5);
  gateway.keys = { keys: [signer.jwk] };
  const context = await browser.newContext();
  try {
    await work(context);
  } finally {
    await context.close();
    await gateway.stop();
  }
}

async function open(context, options) {
  const page = await context.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => "start" in window);
  await page.evaluate((with_) => window.start(with_), options);
  return page;
}

const told = (page) => page.evaluate(() => window.told());
const reaches = (page, revision) => page.waitForFunction((at) => window.postern.revision === at, revision);

async function push(revision) {
  const bytes = sliceOf(fleetAt(revision), "user:tom");
  gateway.bytes = bytes;
  gateway.statement = await stated(bytes, revision);
  gateway.push(revision, bytes, gateway.statement);
}

test("tabs hold one stream, and when the one that holds it is closed the next takes over", { skip }, () =>
  serve(async (context) => {
    const [first, second, third] = [
      await open(context, { share: true }),
      await open(context, { share: true }),
      await open(context, { share: true }),
    ];
    await until(() => gateway.streams === 1, "a stream");
    await push(6);
    for (const page of [first, second, third]) {
      await reaches(page, 6);
      assert.deepEqual(await told(page), { revision: 6, status: "live", fresh: true });
    }
    const opened = () => gateway.seen.filter(({ path }) => path.endsWith("/stream")).length;
    assert.equal(opened(), 1);
    await first.close();
    await until(() => opened() === 2 && gateway.streams === 1, "another stream");
    await push(7);
    for (const page of [second, third]) await reaches(page, 7);
    // Without `share` each has one of its own.
    await open(context, {});
    await until(() => gateway.streams === 2, "a stream of its own");
  }),
);

test("a page begins without its gateway, verified, until the user is forgotten", { skip }, () =>
  serve(async (context) => {
    const first = await open(context, { offline: true });
    await first.waitForFunction(() => window.told().status === "live");
    await first.close();
    gateway.refuse = 503;
    const second = await open(context, { offline: true });
    const { revision, fresh } = await told(second);
    assert.deepEqual([revision, fresh], [5, true], "of a moment ago");
    const can = () => window.postern.can("miner:read", { type: "site", id: "s1" });
    assert.equal(await second.evaluate(can), true);
    gateway.refuse = undefined;
    await second.waitForFunction(() => window.told().status === "live");
    await second.evaluate(() => window.postern.forget());
    await second.close();
    gateway.refuse = 503;
    await assert.rejects(open(context, { offline: true, connectMs: 200 }), /cannot be reached|503/);
  }),
);
