// Invitations in a browser: sent by one person, answered by another, and nothing is held in between.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accessible,
  becomes,
  begin,
  call,
  closed,
  db,
  heading,
  organization,
  picture,
  presentable,
  tokenOf,
  visit,
} from "./support.mjs";

begin(clean, clean);

const GUEST = "user:noor";
const ROLE = "role:organization:0192f1c2-7a00-7000-8000-000000000003";
const SITE = { type: "site", id: "s03" };

async function clean() {
  for (const table of ["invitations", "assignments", "grants"])
    await db.query(`DELETE FROM ${table} WHERE organization_id = $1 AND subject_id = $2`, [
      organization,
      GUEST,
    ]);
}

const invite = (more = {}) =>
  call("POST", "invitations", { body: { assignment: { subject: GUEST, role: ROLE, at: SITE }, ...more } });
const state = async (id) => (await call("GET", `invitations/${id}`)).state;
const held = async () => (await call("GET", `assignments?subject=${GUEST}`)).items;

test("who is invited holds nothing, sees it in the menu, and holds it when they accept", async () => {
  await clean();
  let sent;
  await visit("user:sam", "/invitations", async (page) => {
    await page.getByText("Nobody is invited").waitFor();
    await page.getByRole("button", { name: "Invite …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("combobox", { name: "Who", exact: true }).fill(GUEST);
    await dialog.getByRole("combobox", { name: "Role" }).selectOption({ label: "FIELD_TECH" });
    await dialog.getByRole("combobox", { name: "Where", exact: true }).selectOption("site s03");
    await accessible(page, "invite");
    await picture(page, "invitation-new");
    await dialog.getByRole("button", { name: "Count what would change" }).click();
    await dialog.getByText("1 subject gains", { exact: false }).waitFor();
    await dialog.getByRole("button", { name: "Invite", exact: true }).click();
    await page.getByText(`${GUEST} is invited.`).waitFor();
    await page.getByRole("row").filter({ hasText: "pending" }).getByText("FIELD_TECH at site s03").waitFor();
    const { items } = await call("GET", `invitations?subject=${GUEST}`);
    assert.deepEqual(
      items.map(({ assignment, state }) => [assignment.role, assignment.at, state]),
      [[ROLE, SITE, "pending"]],
    );
    [sent] = items;
    assert.deepEqual(await held(), []);
  });
  const asked = [];
  const listen = (page) => page.on("request", (request) => asked.push(decodeURIComponent(request.url())));
  await visit(
    GUEST,
    "/",
    async (page) => {
      const menu = page.locator("nav[aria-label=Main]");
      await menu.getByRole("link", { name: "Invitations" }).click();
      await heading(page, "Invitations").waitFor();
      assert.equal(await menu.getByRole("link").count(), 1);
      await page.getByRole("button", { name: /^Accept/ }).waitFor();
      await accessible(page, "invited");
      await picture(page, "invitation-own");
      await page.getByRole("button", { name: /^Accept/ }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("1 subject gains", { exact: false }).waitFor();
      assert.deepEqual(await held(), []);
      await dialog.getByRole("button", { name: "Accept", exact: true }).click();
      await page.getByText("Accepted. It is yours now.").waitFor();
      assert.equal(await state(sent.id), "accepted");
      assert.deepEqual(
        (await held()).map(({ role, at }) => [role, at]),
        [[ROLE, SITE]],
      );
      // It stays to be looked at.
      await page.getByText("accepted", { exact: true }).waitFor();
      assert.equal(await page.getByRole("button", { name: /^Accept/ }).count(), 0);
      // Of what belongs to the organization nothing was read, and of invitations one's own alone.
      const below = asked.filter((url) => url.includes(`/v1/organizations/${organization}/`));
      assert.ok(below.length > 0);
      for (const url of below)
        assert.match(url, /\/invitations(\?subject=user:noor&limit=100$|\/[0-9a-f-]+\/accept)/);
    },
    { listen },
  );
});

test("what is rejected and what is cancelled is told to both, and gives nothing", async () => {
  await clean();
  const rejected = await invite();
  await visit(GUEST, "/invitations", async (page) => {
    await page.getByRole("button", { name: /^Reject/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Reject", exact: true }).click();
    await page.getByText("Rejected.", { exact: true }).waitFor();
    await becomes(() => state(rejected.id), "rejected");
  });
  const { id } = await invite();
  await visit("user:sam", "/invitations", async (page) => {
    const rows = page.getByRole("row").filter({ hasText: GUEST });
    const answered = rows.filter({ hasText: "rejected" }).getByRole("button", { name: /^Cancel/ });
    assert.match(await answered.getAttribute("title"), /It is rejected already/);
    await rows
      .filter({ hasText: "pending" })
      .getByRole("button", { name: /^Cancel/ })
      .click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel it" }).click();
    await page.getByText(`${GUEST} is no longer invited.`).waitFor();
    assert.equal(await state(id), "cancelled");
    // One that is sent meanwhile comes without a reload, though it raises no revision.
    await invite({ expires_at: "2031-01-01T00:00:00Z" });
    await rows.filter({ hasText: "pending" }).waitFor();
  });
  assert.deepEqual(await held(), []);
});

test("a share is offered, and is made when it is accepted", async () => {
  await clean();
  await visit("user:sam", "/invitations", async (page) => {
    await page.getByRole("button", { name: "Invite …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("combobox", { name: "Who", exact: true }).fill(GUEST);
    await dialog.getByRole("combobox", { name: "Is offered" }).selectOption("share");
    await dialog.getByRole("combobox", { name: "Of what" }).selectOption("rack");
    await dialog.getByLabel("Id of the rack").fill("r028");
    await dialog.getByRole("button", { name: "Count what would change" }).click();
    await dialog.getByRole("alert").getByText("Choose a permission.").waitFor();
    await dialog.getByRole("checkbox", { name: /^rack:read/ }).check();
    await dialog.getByRole("button", { name: "Count what would change" }).click();
    await dialog.getByRole("button", { name: "Invite", exact: true }).click();
    await page.getByText(`${GUEST} is invited.`).waitFor();
  });
  const shares = async () => (await call("GET", `shares?subject=${GUEST}`)).items;
  assert.deepEqual(await shares(), []);
  const { items } = await call("GET", `invitations?subject=${GUEST}&state=pending`);
  await call("POST", `invitations/${items[0].id}/accept`, { token: tokenOf(GUEST) });
  assert.deepEqual(
    (await shares()).map(({ resource }) => resource),
    [{ type: "rack", id: "r028" }],
  );
  await clean();
});

closed("/invitations", "Invitations", ["roles", "catalog", "scopes"]);

test("invitations are shown", async () => {
  await clean();
  await invite();
  await call("POST", "invitations", {
    body: {
      share: {
        subject: GUEST,
        resource: { type: "rack", id: "r028" },
        permissions: ["rack:read", "rack:manage"],
      },
    },
  });
  await visit("user:sam", "/invitations", async (page) => {
    await page.getByText("2 invitations", { exact: true }).waitFor();
  });
});

presentable([
  ["/invitations", "Invitations", "invitations"],
  ["/invitations?of=yours", "Invitations", "invitations-none"],
]);
