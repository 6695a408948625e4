// What the browser test and the latency benchmark share: a browser, the database, and the people.
//
//   BASE_URL       the running gateway that serves the example, such as http://127.0.0.1:8080
//   DATABASE_URL   its Postgres, for changes by plain SQL
//   CHROMIUM       the browser; default /usr/bin/chromium
//   SCREENSHOTS    a folder for pictures; default: none are taken

import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import pg from "pg";
import { chromium } from "playwright-core";

const { BASE_URL, DATABASE_URL, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!BASE_URL || !DATABASE_URL)
  throw new Error("set BASE_URL and DATABASE_URL to a running gateway and its database");

export const baseUrl = BASE_URL;
export const screenshots = process.env.SCREENSHOTS;

const world = JSON.parse(readFileSync(new URL("../world.json", import.meta.url), "utf8"));
export const organization = world.organization;

/** The id of a role by its name. */
export const roleId = (name) => world.roles.find((role) => role.name === name).id;

/** Chromium, with what a closed network and a root user need. */
export function launch() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A connection to the database. */
export async function database() {
  const client = new pg.Client({ connectionString: DATABASE_URL });
  await client.connect();
  return client;
}

/** Takes every assignment of a subject away; returns how to give them back. One transaction each. */
export async function takeAssignments(db, subject) {
  const { rows } = await db.query(
    "DELETE FROM assignments WHERE organization_id = $1 AND subject_id = $2 RETURNING role_id, at_type, at_id",
    [organization, subject],
  );
  return async () => {
    await db.query("BEGIN");
    for (const { role_id, at_type, at_id } of rows) await assign(db, subject, role_id, at_type, at_id);
    await db.query("COMMIT");
  };
}

/** Gives a subject a role, in the whole organization or somewhere. */
export async function assign(db, subject, role, atType = null, atId = null) {
  await db.query(
    "INSERT INTO assignments (organization_id, subject_id, role_id, at_type, at_id) VALUES ($1, $2, $3, $4, $5)",
    [organization, subject, role, atType, atId],
  );
}

/** Puts a persona into a new page's tab before it starts, and opens an address. */
export async function openAs(browser, subject, path = "/", options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1320, height: 860 },
    reducedMotion: "reduce",
    ...options,
  });
  await context.addInitScript(
    (who) =>
      sessionStorage.getItem("fleet-demo-subject") ?? sessionStorage.setItem("fleet-demo-subject", who),
    subject,
  );
  const page = await context.newPage();
  await page.goto(new URL(path, options.baseURL ?? baseUrl).href);
  await page.locator(".revision.live").waitFor();
  return page;
}

/** A line to the gateway that can be cut and mended: everything passes, until nothing does. */
export async function cutLine(to) {
  const { hostname, port } = new URL(to);
  const open = new Set();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => {});
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    whole = false;
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut,
    mend: () => (whole = true),
    close: () => {
      cut();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
