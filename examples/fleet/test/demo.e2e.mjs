// The example in a browser, against a running gateway and its Postgres. Nothing is stubbed.
//
// The inputs are environment variables: see support.mjs. `cargo xtask test` sets them.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  assign,
  baseUrl,
  cutLine,
  database,
  launch,
  openAs,
  roleId,
  screenshots,
  takeAssignments,
} from "./support.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What each persona's menu must be. Written by hand, from the product's rules, not from the manifest. */
const FLEET = ["Dashboard", "Sites", "Racks", "Miners"];
const EVERYTHING = [...FLEET, "Curtailment", "Activity", "Team", "Settings"];
const MENUS = {
  "user:sam": EVERYTHING,
  "user:ana": EVERYTHING,
  "user:nils": EVERYTHING,
  "user:tess": FLEET,
  "user:noor": [],
};
const SETTINGS = [
  "Network",
  "Pools",
  "Firmware",
  "Fleet nodes",
  "Schedules",
  "Curtailment",
  "Alerts",
  "Integrations",
  "Server logs",
];

let browser;
let db;

before(async () => {
  browser = await launch();
  db = await database();
});

after(async () => {
  await browser?.close();
  await db?.end();
});

const menu = (page) => page.locator("nav[aria-label=Main] a").allInnerTexts();
const path = (page) => new URL(page.url()).pathname;
const heading = (page, name) => page.getByRole("heading", { level: 1, name });

/** Opens a page, fails on every error that the page reports itself, and closes it afterwards. */
async function visit(subject, address, work, options) {
  const page = await openAs(browser, subject, address, options);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  try {
    await work(page);
    assert.deepEqual(complaints, []);
  } finally {
    await page.context().close();
  }
}

async function picture(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

/** No serious violation, by axe. It is evaluated through the debugger, which the page's own policy does not bind. */
async function accessible(page, what) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { resultTypes: ["violations"] }),
  );
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = serious.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map((node) => `${node.html} ${node.any.map((check) => check.message)}`).join(" | ")}`,
  );
  assert.deepEqual(told, [], what);
}

for (const [subject, expected] of Object.entries(MENUS)) {
  test(`the menu of ${subject} is ${expected.length === 0 ? "empty" : expected.join(", ")}`, () =>
    visit(subject, "/", async (page) => {
      await heading(page, expected.length === 0 ? "No access yet" : "Dashboard").waitFor();
      assert.deepEqual(await menu(page), expected);
      await picture(page, `dashboard-${subject.slice(5)}`);
    }));
}

test("the sub-pages of the settings are those that the product gives", () =>
  visit("user:sam", "/settings", async (page) => {
    const inside = page.locator("nav[aria-label=Settings] a");
    assert.deepEqual(await inside.allInnerTexts(), [...SETTINGS, "Updates"]);
    await page.goto(new URL("/settings/updates", baseUrl).href);
    await page.getByRole("heading", { level: 2, name: "Updates" }).waitFor();
  }).then(() =>
    visit("user:ana", "/settings", async (page) => {
      assert.deepEqual(await page.locator("nav[aria-label=Settings] a").allInnerTexts(), SETTINGS);
      await page.goto(new URL("/settings/updates", baseUrl).href);
      await heading(page, "Dashboard").waitFor();
      assert.equal(path(page), "/");
    }),
  ));

test("the field technician sees one site and its hundreds of miners, and nothing of the others", () =>
  visit("user:tess", "/sites", async (page) => {
    await page.getByRole("link", { name: "Juniper Flats" }).waitFor();
    assert.equal(await page.locator(".tile").count(), 1);
    await page.getByRole("link", { name: "Juniper Flats" }).click();
    await heading(page, "Juniper Flats").waitFor();
    assert.equal(path(page), "/sites/s03");
    await page.getByRole("region", { name: "Table of miners" }).waitFor();
    await picture(page, "site-tess");
    await page.getByRole("link", { name: "Miners", exact: true }).click();
    await heading(page, "Miners").waitFor();
    assert.deepEqual(await page.locator("select option").allInnerTexts(), ["All sites", "Juniper Flats"]);
  }));

test("hidden routes that are opened by their address lead to the first visible page", async () => {
  const hidden = [
    "/team",
    "/curtailment",
    "/activity",
    "/settings",
    "/settings/network",
    "/sites/s01",
    "/sites/nowhere",
    "/nothing",
    "/no-access",
  ];
  for (const address of hidden) {
    await visit("user:tess", address, async (page) => {
      await heading(page, "Dashboard").waitFor();
      assert.equal(path(page), "/", address);
    });
  }
  await visit("user:noor", "/racks", async (page) => {
    await heading(page, "No access yet").waitFor();
    assert.equal(path(page), "/no-access");
    await picture(page, "no-access");
  });
});

test("a denied action stays in place, can be reached by keyboard, and says why", () =>
  visit("user:nils", "/sites/s03", async (page) => {
    const reboot = page.getByRole("button", { name: "Reboot" }).first();
    await reboot.waitFor();
    assert.equal(await reboot.getAttribute("aria-disabled"), "true");
    assert.equal(await reboot.getAttribute("data-reason"), "narrowed");
    await reboot.focus();
    const tip = page.locator(`[id="${await reboot.getAttribute("aria-describedby")}"]`);
    assert.match(
      await tip.innerText(),
      /Needs miner:reboot at Juniper Flats\. Your role for this site replaces/,
    );
    await picture(page, "denied-nils");
    await page.keyboard.press("Enter");
    assert.match(await page.locator(".toast").innerText(), /Needs miner:reboot/);
    const blink = page.getByRole("button", { name: "Blink light" }).first();
    assert.equal(await blink.getAttribute("aria-disabled"), "false");
    await page.getByRole("link", { name: "Sites", exact: true }).first().click();
    await page.getByRole("link", { name: "Copper Ridge" }).click();
    await heading(page, "Copper Ridge").waitFor();
    assert.equal(
      await page.getByRole("button", { name: "Reboot" }).first().getAttribute("data-reason"),
      "assignment",
    );
  }));

test("a miner's panel keeps the focus and gives it back", () =>
  visit("user:tess", "/miners", async (page) => {
    const opener = page.getByRole("button", { name: /^All actions for/ }).first();
    await opener.focus();
    await page.keyboard.press("Enter");
    const panel = page.getByRole("dialog");
    await panel.waitFor();
    assert.equal(
      await panel.getByRole("button", { name: "Delete" }).getAttribute("data-reason"),
      "not_granted",
    );
    assert.equal(
      await panel.getByRole("button", { name: "Download logs" }).getAttribute("data-reason"),
      "assignment",
    );
    await accessible(page, "panel");
    await picture(page, "miner-tess");
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "hidden" });
    assert.ok(await opener.evaluate((element) => element === document.activeElement));
  }));

/** Runs `change` on an open page and checks that the document stayed the same one. */
async function withoutReload(page, change) {
  let loads = 0;
  const onLoad = () => (loads += 1);
  page.on("domcontentloaded", onLoad);
  await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
  await change();
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true, "the document was replaced");
  assert.equal(loads, 0, "the page was loaded again");
  assert.equal(await page.evaluate(() => performance.getEntriesByType("navigation").length), 1);
  page.off("domcontentloaded", onLoad);
}

test("an assignment that is deleted in Postgres closes the page that was open, without a reload", () =>
  visit("user:tess", "/racks", async (page) => {
    await page.getByRole("region", { name: "Table of racks" }).waitFor();
    const revision = Number(await page.getByTestId("revision").innerText());
    await withoutReload(page, async () => {
      const giveBack = await takeAssignments(db, "user:tess");
      try {
        await heading(page, "No access yet").waitFor();
        assert.deepEqual(await menu(page), []);
        assert.equal(path(page), "/no-access");
        assert.equal(Number(await page.getByTestId("revision").innerText()), revision + 1);
        assert.match(await page.locator(".toast").innerText(), /no longer have access/);
        await picture(page, "lost-tess");
      } finally {
        await giveBack();
      }
      await heading(page, "Dashboard").waitFor();
      assert.deepEqual(await menu(page), FLEET);
      assert.equal(path(page), "/");
    });
  }));

test("a role that is exchanged in Postgres takes the entries that it held, without a reload", () =>
  visit("user:ana", "/settings/integrations", async (page) => {
    await page.getByRole("heading", { level: 2, name: "Integrations" }).waitFor();
    await withoutReload(page, async () => {
      const exchange = (role, atType, atId) =>
        db.query(
          "UPDATE assignments SET role_id = $1, at_type = $2, at_id = $3 WHERE subject_id = 'user:ana'",
          [roleId(role), atType, atId],
        );
      await exchange("FIELD_TECH", "site", "s01");
      try {
        await heading(page, "Dashboard").waitFor();
        assert.deepEqual(await menu(page), FLEET);
        assert.equal(path(page), "/");
        assert.deepEqual(await page.locator("main tbody a").allInnerTexts(), ["Copper Ridge"]);
      } finally {
        await exchange("ADMIN", null, null);
      }
      await page.getByRole("link", { name: "Team" }).waitFor();
      assert.deepEqual(await menu(page), EVERYTHING);
    });
  }));

test("a new role reaches somebody who had none", () =>
  visit("user:noor", "/", async (page) => {
    await heading(page, "No access yet").waitFor();
    await withoutReload(page, async () => {
      await assign(db, "user:noor", roleId("Energy desk"));
      try {
        await heading(page, "Dashboard").waitFor();
        assert.deepEqual(await menu(page), ["Dashboard", "Sites", "Miners", "Curtailment", "Settings"]);
        await picture(page, "gained-noor");
      } finally {
        await takeAssignments(db, "user:noor");
      }
      await heading(page, "No access yet").waitFor();
    });
  }));

test("a page that loses the gateway says so, goes on, and recovers", async () => {
  const line = await cutLine(baseUrl);
  const page = await openAs(browser, "user:tess", "/racks", { baseURL: line.url });
  await page.getByRole("region", { name: "Table of racks" }).waitFor();
  await withoutReload(page, async () => {
    line.cut();
    await page.locator(".revision.reconnecting").waitFor();
    await page.getByText("Reconnecting …").waitFor();
    await page.getByText("You are offline.").waitFor({ timeout: 30_000 });
    await picture(page, "offline-tess");
    assert.deepEqual(await menu(page), FLEET);
    await page.getByRole("link", { name: "Sites" }).click();
    await heading(page, "Sites").waitFor();
    line.mend();
    await page.locator(".revision.live").waitFor({ timeout: 60_000 });
    assert.equal(await page.getByText("You are offline.").count(), 0);
  });
  await page.context().close();
  await line.close();
});

test("every page of the super admin is accessible, in light and in dark", async () => {
  const pages = [
    "/",
    "/sites",
    "/sites/s03",
    "/racks",
    "/miners",
    "/curtailment",
    "/activity",
    "/team",
    "/settings/pools",
  ];
  for (const colorScheme of ["light", "dark"]) {
    await visit(
      "user:sam",
      "/",
      async (page) => {
        for (const address of pages) {
          await page.evaluate((to) => {
            history.pushState(null, "", to);
            dispatchEvent(new PopStateEvent("popstate"));
          }, address);
          await page.locator("main h1").waitFor();
          await page.locator(".loading").waitFor({ state: "hidden" });
          await accessible(page, `${address} ${colorScheme}`);
          await picture(page, `sam-${colorScheme}${address.replaceAll("/", "-")}`);
        }
      },
      { colorScheme },
    );
  }
});

test("a site of the narrowed admin, the sign-in and the page without access are accessible", async () => {
  await visit("user:nils", "/sites/s03", async (page) => {
    await page.getByRole("region", { name: "Table of miners" }).waitFor();
    await accessible(page, "denied actions");
  });
  await visit("user:noor", "/", (page) => accessible(page, "no access"));
  const page = await browser.newPage({ viewport: { width: 1320, height: 860 } });
  await page.goto(baseUrl);
  await page.getByRole("button", { name: /Tess Moreau/ }).waitFor();
  await accessible(page, "sign-in");
  await picture(page, "sign-in");
  await page.getByRole("button", { name: /Tess Moreau/ }).click();
  await heading(page, "Dashboard").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: /Sam Okafor/ }).waitFor();
  await page.close();
});

test("on a telephone the menu is behind a button, and nothing is wider than the window", () =>
  visit(
    "user:sam",
    "/",
    async (page) => {
      await heading(page, "Dashboard").waitFor();
      await page.locator(".figures").waitFor();
      await picture(page, "telephone-dashboard");
      await page.getByRole("button", { name: "Menu" }).click();
      await picture(page, "telephone-menu");
      await page.getByRole("link", { name: "Team" }).click();
      await heading(page, "Team").waitFor();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      await picture(page, "telephone-team");
    },
    { viewport: { width: 390, height: 844 } },
  ));

test("the page runs under a policy without inline script or style", async () => {
  const response = await fetch(baseUrl);
  const policy = response.headers.get("Content-Security-Policy") ?? "";
  assert.match(policy, /'wasm-unsafe-eval'/);
  assert.doesNotMatch(policy, /'unsafe-inline'|'unsafe-eval'/);
});
