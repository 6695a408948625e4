// What the console's browser tests share: visits as somebody, calls of the interface, and what every page has to pass.
//
// The inputs are environment variables: see support.mjs of the example, whose page and people this gateway serves as well;
// and WEBHOOKS, an origin on this machine that the gateway tells.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  baseUrl,
  database,
  launch,
  organization,
  screenshots,
} from "../../../examples/fleet/test/support.mjs";

export { baseUrl, cutLine, organization } from "../../../examples/fleet/test/support.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export let browser;
export let db;
let tokens;

/** A browser, the database and everybody's tokens, for the tests of a file; `more` is made after them, and ended before. */
export function begin(more = async () => {}, end = async () => {}) {
  before(async () => {
    browser = await launch();
    db = await database();
    const personas = await (await fetch(new URL("/demo/personas.json", baseUrl))).json();
    tokens = new Map(personas.map(({ subject, token }) => [subject, token]));
    await more();
  });

  after(async () => {
    if (tokens !== undefined) await end();
    await browser?.close();
    await db?.end();
  });
}

/** Opens a page of the console as somebody, fails on every error that the page reports itself, and closes it afterwards. */
export async function visit(subject, path, work, { errors = [], at = baseUrl, listen, ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  listen?.(page);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !errors.some((known) => message.text().includes(known)))
      complaints.push(message.text());
  });
  try {
    const [place, query = ""] = path.split("?");
    const fragment = new URLSearchParams({ organization, token: tokens.get(subject) });
    await page.goto(`${at}/console${place}${query && `?${query}`}#${fragment}`);
    await page.locator(".currency.live").waitFor();
    await work(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

export async function picture(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

export async function accessible(page, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(found, [], name);
}

export const heading = (page, name) => page.getByRole("heading", { level: 1, name });
export const call = async (method, path, { token = tokens.get("user:sam"), body, etag } = {}) => {
  const response = await fetch(new URL(`/v1/organizations/${organization}/${path}`, baseUrl), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(etag === undefined ? {} : { "if-match": etag }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${response.ok ? "" : await response.text()}`);
  if (method !== "GET") await published(response.headers.get("postern-revision"), token);
  return response.status === 204 ? undefined : response.json();
};

/** Waits until pages that are opened from now on see what a write wrote. */
async function published(revision, token) {
  for (let turn = 0; turn < 100; turn += 1) {
    const response = await fetch(new URL("/v1/me/slice", baseUrl), {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(response.status, 200);
    await response.arrayBuffer();
    if (BigInt(response.headers.get("postern-revision")) >= BigInt(revision)) return;
    await setTimeout(50);
  }
  assert.fail(`revision ${revision} is not published`);
}

/** A role for one test; it is gone afterwards. */
export async function withRole(name, permissions, work) {
  const role = await call("POST", "roles", { body: { name, permissions } });
  try {
    await work(role);
  } finally {
    await db.query("DELETE FROM roles WHERE organization_id = $1 AND role_id = $2", [organization, role.id]);
  }
}

/** Asks until the answer is this one: what was written is published a moment later. */
export async function becomes(ask, expected) {
  let answer;
  for (let turn = 0; turn < 100; turn += 1) {
    answer = await ask();
    if (answer === expected) return;
    await setTimeout(50);
  }
  assert.equal(answer, expected);
}

/** The token of a persona. */
export const tokenOf = (subject) => tokens.get(subject);

/** Waits until nothing on the page is being read. */
export const settled = (page) => page.waitForFunction(() => !/Reading .* …/.test(document.body.innerText));

/** Each page in light and dark passes axe, and on a telephone nothing of it is wider than the window. */
export function presentable(pages, { subject = "user:sam" } = {}) {
  for (const colorScheme of ["light", "dark"])
    test(`every page is accessible and has no more to read, ${colorScheme}`, async () => {
      for (const [path, title, name] of pages)
        await visit(
          subject,
          path,
          async (page) => {
            await heading(page, title).waitFor();
            await settled(page);
            await accessible(page, `${name} ${colorScheme}`);
            await picture(page, `${name}-${colorScheme}`);
          },
          { colorScheme },
        );
    });

  test("on a telephone nothing is wider than the window", async () => {
    for (const [path, title, name] of pages)
      await visit(
        subject,
        path,
        async (page) => {
          await heading(page, title).waitFor();
          await settled(page);
          await fits(page, name);
          await picture(page, `${name}-narrow`);
        },
        { viewport: { width: 390, height: 844 } },
      );
  });
}

/** Nothing is wider than the window. */
export async function fits(page, name) {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${name}: ${wide} > ${window}`);
}

/** Who holds nothing sees no entry in the menu and is denied, and nothing below these paths is asked for. */
export function closed(path, title, collections, subject = "user:noor") {
  test(`${title}: for who may not it is not in the menu, and nothing of it is read`, async () => {
    const asked = [];
    const listen = (page) =>
      page.on("request", (request) => asked.push(decodeURIComponent(new URL(request.url()).pathname)));
    await visit(
      subject,
      path,
      async (page) => {
        await page.getByRole("heading", { name: "You may not see this" }).waitFor();
        assert.equal(await page.locator("nav[aria-label=Main]").getByText(title, { exact: true }).count(), 0);
        assert.equal(await page.locator("main button, main table, main input").count(), 0);
        const begins = collections.map((name) => `/v1/organizations/${organization}/${name}`);
        assert.deepEqual(
          asked.filter((place) => begins.some((begin) => place.startsWith(begin))),
          [],
        );
        assert.ok(asked.length > 0);
      },
      { listen },
    );
  });
}

/** What the catalog of the example lacks: by SQL, as docs/management.md says. It stays. */
export async function withVault() {
  await db.query(
    "INSERT INTO resource_types (organization_id, resource_type) VALUES ($1, 'secret') ON CONFLICT DO NOTHING",
    [organization],
  );
  await db.query(
    `INSERT INTO permissions (organization_id, permission_key, description, works_when_inactive)
     SELECT $1, key, about, key IN ('secret:describe', 'secret:manage') FROM unnest($2::text[], $3::text[]) AS entry (key, about)
     ON CONFLICT DO NOTHING`,
    [organization, CATALOG.map(([key]) => key), CATALOG.map(([, about]) => about)],
  );
  await db.query(
    "INSERT INTO owner_permissions (organization_id, resource_type, permission) VALUES ($1, 'secret', 'secret:*') ON CONFLICT DO NOTHING",
    [organization],
  );
  const { rows } = await db.query("SELECT revision FROM organization_heads WHERE organization_id = $1", [
    organization,
  ]);
  await published(rows[0].revision, tokens.get("user:sam"));
}

const CATALOG = [
  ["secret:create", "Make secrets of one's own"],
  ["secret:describe", "See what is told of a secret"],
  ["secret:read", "Read the value of a secret"],
  ["secret:write", "Give a secret another value"],
  ["secret:manage", "Change what is told of a secret, and when it counts; delete it"],
  ["secret:share", "Say who else reads a secret"],
  ["resource:manage", "Make, change and delete resources"],
  ["webhook:manage", "Say who is told of what is written"],
];
