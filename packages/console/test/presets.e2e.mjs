// Presets and scopes in a browser: what a scope gets when it is made, what a sync changes, and how both end.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accessible,
  begin,
  call,
  closed,
  db,
  organization,
  picture,
  presentable,
  visit,
  withVault,
} from "./support.mjs";

begin(async () => {
  await withVault();
  await clean();
}, clean);

const SITE = "e2e-north";

async function clean() {
  // By SQL, and before everything else: a site narrows, so that an assignment there takes what is held from above.
  await db.query(
    "DELETE FROM assignments WHERE organization_id = $1 AND (subject_id = 'user:noor' OR at_id = $2)",
    [organization, SITE],
  );
  const { items } = await call("GET", "scopes?type=site&limit=1000");
  if (items.some(({ id }) => id === SITE)) await call("POST", `scopes/site/${SITE}/purge`, { etag: "*" });
  for (const { id, deleted_at: deleted } of (await call("GET", "presets?limit=1000")).items) {
    if (deleted === null) await call("DELETE", `presets/${id}`, { etag: "*" });
    await call("POST", `presets/${id}/purge`, { etag: "*" });
  }
}

const preset = (more = {}) =>
  call("POST", "presets", {
    body: {
      name: "Crew",
      type: "site",
      permissions: ["fleet:read", "miner:read"],
      auto_assign: true,
      ...more,
    },
  });
const scope = () => call("GET", `scopes/site/${SITE}`);

test("a preset is made, and a new scope gets its role, which whoever it is made for holds", async () => {
  await clean();
  await visit("user:sam", "/presets", async (page) => {
    await page.getByText("There are no presets").waitFor();
    await page.getByRole("button", { name: "New preset …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Crew");
    await dialog.getByLabel("Name of the role").fill("{scope.name} crew");
    await dialog.getByRole("checkbox", { name: /^miner:blink_led/ }).check();
    // What it needs besides is told, and added when wanted.
    await dialog
      .getByText("need others that are not chosen: fleet:read, miner:read", { exact: false })
      .waitFor();
    await dialog.getByRole("button", { name: "Add them" }).click();
    await dialog.getByLabel("Whoever joins the scope is assigned it").check();
    await accessible(page, "new preset");
    await picture(page, "preset-new");
    await dialog.getByRole("button", { name: "Go on" }).click();
    await dialog.getByRole("button", { name: "Make it" }).click();
    await page.getByRole("heading", { name: "Crew", exact: true }).waitFor();
    const [made] = (await call("GET", "presets")).items;
    assert.deepEqual(
      [made.name, made.type, made.role_name, made.auto_assign, made.for_creator, made.permissions],
      ["Crew", "site", "{scope.name} crew", true, false, ["fleet:read", "miner:blink_led", "miner:read"]],
    );
  });
  await visit("user:sam", "/scopes", async (page) => {
    await page.getByRole("button", { name: "New scope …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Id", { exact: true }).fill(SITE);
    await dialog.getByLabel("Name", { exact: true }).fill("North");
    await dialog.getByLabel("It is made for somebody", { exact: false }).check();
    await dialog.getByRole("combobox", { name: "For whom" }).fill("user:noor");
    await accessible(page, "new scope");
    await picture(page, "scope-new");
    await dialog.getByRole("button", { name: "Count what changes" }).click();
    await dialog
      .getByRole("row")
      .filter({ hasText: "user:noor" })
      .getByText("fleet:read, miner:blink_led, miner:read")
      .waitFor();
    await dialog.getByRole("button", { name: "Make it" }).click();
    await page.getByText(`site ${SITE} is made, with North crew.`).waitFor();
    await page.getByRole("row").filter({ hasText: "user:noor" }).getByText("North crew").waitFor();
    const { roles, attributes } = await scope();
    assert.deepEqual([roles.map(({ name }) => name), attributes], [["North crew"], { name: "North" }]);
    const { items } = await call("GET", "assignments?subject=user:noor");
    assert.deepEqual(
      items.map(({ role, at }) => [role, at]),
      [[roles[0].id, { type: "site", id: SITE }]],
    );
  });
});

test("a sync gives the roles of a preset what it says now, and tells before what that is", async () => {
  await clean();
  const { id } = await preset();
  await call("POST", "scopes", { body: { type: "site", id: SITE, creator: "user:noor" } });
  const role = (await scope()).roles[0].id;
  const permissions = async () => (await call("GET", `roles/${encodeURIComponent(role)}`)).permissions;
  await visit("user:sam", `/presets?id=${id}`, async (page) => {
    await page.getByText("1 role has its permissions.").waitFor();
    const sync = page.getByRole("button", { name: "Sync …" });
    assert.match(await sync.getAttribute("title"), /They have its permissions/);
    await page.getByRole("button", { name: "Edit …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("checkbox", { name: /^miner:blink_led/ }).check();
    await dialog.getByRole("checkbox", { name: /^fleet:read/ }).check();
    await dialog.getByRole("button", { name: "Go on" }).click();
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText("1 role differs from it.").waitFor();
    assert.deepEqual(await permissions(), ["fleet:read", "miner:read"]);
    const row = page.getByRole("row").filter({ hasText: `site ${SITE}` });
    await row.getByText("miner:blink_led", { exact: true }).waitFor();
    await accessible(page, "preset to sync");
    await picture(page, "preset-sync");
    await sync.click();
    await dialog.getByText("1 subject gains 1 permission", { exact: false }).waitFor();
    await dialog.getByRole("button", { name: "Sync", exact: true }).click();
    await page.getByText("1 role has the permissions of Crew.").waitFor();
    assert.deepEqual(await permissions(), ["fleet:read", "miner:blink_led", "miner:read"]);
  });
});

test("somebody joins a scope; it is deleted, restored, and deleted for good with what is counted", async () => {
  await clean();
  await preset();
  await call("POST", "scopes", { body: { type: "site", id: SITE, creator: "user:tess" } });
  const role = (await scope()).roles[0].id;
  await visit("user:sam", `/scopes?type=site&id=${SITE}`, async (page) => {
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "Add somebody …" }).click();
    await dialog.getByRole("combobox", { name: "Who" }).fill("user:noor");
    await dialog.getByRole("button", { name: "Count what changes" }).click();
    await dialog.getByText("1 subject gains 2 permissions", { exact: false }).waitFor();
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText(`user:noor has joined site ${SITE}.`).waitFor();
    assert.equal((await call("GET", "assignments?subject=user:noor")).items[0].role, role);
    await page.getByRole("button", { name: "Delete …" }).click();
    await dialog.getByText(/ lose [0-9,]+ permissions/).waitFor();
    await picture(page, "scope-delete");
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: "Restore …" }).click();
    assert.equal((await scope()).active, false);
    await dialog.getByRole("button", { name: "Restore", exact: true }).click();
    await page.getByText(`site ${SITE} is restored.`).waitFor();
    assert.deepEqual([(await scope()).active, (await scope()).deleted_at], [true, null]);
    await page.getByRole("button", { name: "Delete …" }).click();
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: "Purge …" }).click();
    await dialog.getByRole("button", { name: "Purge", exact: true }).click();
    await page.getByText(`site ${SITE} is gone for good, with 1 role, 2 assignments.`).waitFor();
    const { rows } = await db.query("SELECT 1 FROM roles WHERE organization_id = $1 AND role_id = $2", [
      organization,
      role,
    ]);
    assert.deepEqual(rows, []);
  });
});

test("a preset is deleted, restored and purged", async () => {
  await clean();
  const { id } = await preset();
  await visit("user:sam", `/presets?id=${id}`, async (page) => {
    const dialog = page.getByRole("dialog");
    const end = async (verb, said) => {
      await page.getByRole("button", { name: `${verb} …` }).click();
      await dialog.getByRole("button", { name: verb, exact: true }).click();
      await page.getByText(said).waitFor();
    };
    await end("Delete", "Crew is deleted. It can be restored.");
    assert.notEqual((await call("GET", `presets/${id}`)).deleted_at, null);
    await end("Restore", "Crew is restored.");
    assert.equal((await call("GET", `presets/${id}`)).deleted_at, null);
    await end("Delete", "Crew is deleted. It can be restored.");
    await end("Purge", "Crew is gone for good.");
    await page.getByText("There are no presets").waitFor();
    assert.deepEqual((await call("GET", "presets")).items, []);
  });
});

test("who may read and not write is told so at every button", async () => {
  await clean();
  const { id } = await preset();
  await visit("user:ana", `/presets?id=${id}`, async (page) => {
    for (const name of ["New preset …", "Edit …", "Delete …", "Sync …"]) {
      const button = page.getByRole("button", { name });
      assert.match(await button.getAttribute("title"), /Needs role:manage/, name);
      await button.click({ force: true });
      assert.equal(await page.getByRole("dialog").count(), 0);
    }
  });
});

closed("/presets", "Presets", ["presets", "roles", "catalog"]);

test("presets are shown", async () => {
  await clean();
  const { id } = await preset();
  await preset({
    name: "Lead",
    auto_assign: false,
    for_creator: true,
    permissions: ["fleet:read", "miner:*"],
  });
  await call("POST", "scopes", { body: { type: "site", id: SITE, creator: "user:noor" } });
  await call("PUT", `presets/${id}`, {
    etag: "*",
    body: { name: "Crew", permissions: ["fleet:read", "miner:read", "miner:blink_led"], auto_assign: true },
  });
  PAGES[1][0] = `/presets?id=${id}`;
  await visit("user:sam", "/presets", async (page) => {
    await page.getByText("2 presets", { exact: true }).waitFor();
  });
});

const PAGES = [
  ["/presets", "Presets", "presets"],
  ["/presets", "Presets", "preset"],
  [`/scopes?type=site&id=${SITE}`, "Scopes", "scope-made"],
];
presentable(PAGES);
