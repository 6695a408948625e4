// Secrets in a browser, against a gateway with a vault: what is kept, who reads it, and that it stays nowhere.

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
  withVault,
} from "./support.mjs";

begin(async () => {
  await withVault();
  await clean();
}, clean);

async function clean() {
  for (const { id } of (await call("GET", "secrets?limit=1000")).items)
    await call("DELETE", `secrets/${id}`, { etag: "*" });
}

const VALUE = "correct horse\nbattery staple 7f3a";
const make = (fields) => call("POST", "secrets", { body: { kind: "password", value: VALUE, ...fields } });
const told = async (id) => await call("GET", `secrets/${id}`);
/** Whether somebody is given the value now, by the gateway. */
const mayRead = async (subject, id, session = "") => {
  const path = `/v1/organizations/${organization}/secrets/${id}/value${session && `?session=${session}`}`;
  const response = await fetch(new URL(path, process.env.BASE_URL), {
    headers: { authorization: `Bearer ${tokenOf(subject)}` },
  });
  return response.status;
};

test("a secret is kept, shown when it is asked for, hidden again, and is in no address and no page", async () => {
  await clean();
  const addresses = [];
  const listen = (page) => page.on("request", (request) => addresses.push(request.url()));
  await visit(
    "user:sam",
    "/secrets",
    async (page) => {
      await page.getByText("No secret is open to you").waitFor();
      await page.getByRole("button", { name: "New secret …" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Name").fill("db-primary");
      await dialog.getByLabel("Description").fill("The primary database");
      await dialog.getByRole("textbox", { name: "Value" }).fill(VALUE);
      const masked = await dialog
        .getByRole("textbox", { name: "Value" })
        .evaluate((field) => getComputedStyle(field).webkitTextSecurity);
      assert.equal(masked, "disc");
      await accessible(page, "new secret");
      await picture(page, "secret-new");
      await dialog.getByRole("button", { name: "Count what changes" }).click();
      await dialog.getByRole("button", { name: "Keep it" }).click();
      await page.getByRole("heading", { name: "db-primary", exact: true }).waitFor();
      const [secret] = (await call("GET", "secrets?name=db-primary")).items;
      assert.deepEqual([secret.owner, secret.visibility, secret.version], ["user:sam", { to: "user" }, 1]);
      // Its lines are as they were typed.
      const { rows } = await db.query("SELECT count(*) FROM secrets WHERE organization_id = $1", [
        organization,
      ]);
      assert.equal(rows[0].count, "1");
      assert.doesNotMatch(await page.content(), /battery staple/);
      await page.clock.install();
      const shown = page.getByRole("status", { name: "The value" });
      await page.getByRole("button", { name: "Show the value" }).click();
      assert.equal(await shown.textContent(), VALUE);
      await accessible(page, "secret shown");
      await picture(page, "secret-shown");
      await page.clock.fastForward(31_000);
      await shown.waitFor({ state: "detached" });
      assert.doesNotMatch(await page.content(), /battery staple/);
      await page.getByRole("button", { name: "Look again" }).click();
      await page.getByRole("row").filter({ hasText: "read its value" }).waitFor();
      await page.getByRole("button", { name: "Show the value" }).click();
      await shown.waitFor();
      await page.getByRole("link", { name: "Roles" }).click();
      await heading(page, "Roles").waitFor();
      await page.goBack();
      await page.getByRole("button", { name: "Show the value" }).waitFor();
      assert.equal(await shown.count(), 0);
      const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
      assert.doesNotMatch(kept, /battery/);
      assert.ok(addresses.length > 5);
      for (const address of addresses) assert.doesNotMatch(decodeURIComponent(address), /battery/);
    },
    { listen },
  );
});

test("who reads it is changed with what that changes, and counts at once; a share is made and ended", async () => {
  await clean();
  const { id } = await make({ name: "shared-key", description: "kept" });
  assert.equal(await mayRead("user:noor", id), 403);
  await visit("user:sam", `/secrets?id=${id}`, async (page) => {
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "Edit …" }).click();
    await dialog.getByRole("combobox", { name: "Who reads it" }).selectOption("organization");
    await dialog.getByRole("button", { name: "Count what changes" }).click();
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("whoever belongs to the organization", { exact: true }).waitFor();
    const after = await told(id);
    assert.deepEqual(
      [after.visibility, after.description, after.version],
      [{ to: "organization" }, "kept", 1],
    );
    await becomes(() => mayRead("user:noor", id), 200);
    await page.getByRole("button", { name: "Edit …" }).click();
    await dialog.getByRole("combobox", { name: "Who reads it" }).selectOption("user");
    await dialog.getByRole("button", { name: "Count what changes" }).click();
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await becomes(() => mayRead("user:noor", id), 403);
    await page.getByRole("button", { name: "Share …" }).click();
    await dialog.getByLabel("With whom").fill("user:noor");
    await dialog.getByRole("button", { name: "Count what changes" }).click();
    await dialog.getByText("1 subject gains 1 permission", { exact: false }).waitFor();
    await dialog.getByRole("button", { name: "Share", exact: true }).click();
    await page.getByText("shared-key is shared with user:noor.").waitFor();
    await becomes(() => mayRead("user:noor", id), 200);
    await page.getByRole("button", { name: "End the share with user:noor" }).click();
    await dialog.getByRole("button", { name: "End the share", exact: true }).click();
    await becomes(() => mayRead("user:noor", id), 403);
    // Denials are in the audit as well.
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByRole("row").filter({ hasText: "was not allowed to read its value" }).first().waitFor();
    await picture(page, "secret-audit");
  });
});

test("what is off or has expired is told so, and its value is not asked for; another value is another version", async () => {
  await clean();
  const { id } = await make({ name: "rotated" });
  await visit("user:sam", `/secrets?id=${id}`, async (page) => {
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "Another value …" }).click();
    await dialog.getByRole("textbox", { name: "Value" }).fill("second");
    await dialog.getByRole("button", { name: "Go on" }).click();
    await dialog.getByRole("button", { name: "Write it" }).click();
    await page.getByText("version 2", { exact: false }).waitFor();
    await page.getByRole("button", { name: "Switch off …" }).click();
    await dialog.getByRole("button", { name: "Switch off", exact: true }).click();
    const show = page.getByRole("button", { name: "Show the value" });
    await page.waitForFunction(() => document.body.innerText.includes("Switch on"));
    assert.equal((await told(id)).active, false);
    assert.equal(await show.getAttribute("aria-disabled"), "true");
    assert.match(await show.getAttribute("title"), /switched off/);
    await page.getByRole("button", { name: "Switch on …" }).click();
    await dialog.getByRole("button", { name: "Switch on", exact: true }).click();
    await show.click();
    assert.equal(await page.getByRole("status", { name: "The value" }).textContent(), "second");
    await page.getByRole("button", { name: "Delete …" }).click();
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("rotated is deleted, with its value.").waitFor();
    assert.equal(await mayRead("user:sam", id), 404);
    const { rows } = await db.query("SELECT 1 FROM secrets WHERE secret_id = $1", [id]);
    assert.deepEqual(rows, []);
  });
});

test("who may make secrets sees their own and no other's", async () => {
  await clean();
  await make({ name: "not-hers" });
  const { id: role } = await call("POST", "roles", {
    body: { name: "E2E keeps", permissions: ["secret:create"] },
  });
  await call("POST", "assignments", { body: { subject: "user:noor", role, at: null } });
  try {
    await visit("user:noor", "/secrets", async (page) => {
      await page.getByText("No secret is open to you").waitFor();
      await page.getByRole("button", { name: "New secret …" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Name").fill("hers");
      await dialog.getByRole("textbox", { name: "Value" }).fill("of noor");
      await dialog.getByRole("button", { name: "Count what changes" }).click();
      await dialog.getByRole("button", { name: "Keep it" }).click();
      await page.getByRole("heading", { name: "hers", exact: true }).waitFor();
      assert.equal(await page.getByText("not-hers").count(), 0);
      await page.getByRole("button", { name: "Show the value" }).click();
      assert.equal(await page.getByRole("status", { name: "The value" }).textContent(), "of noor");
      // She owns it: she may do everything with it, and sees no audit.
      assert.equal(await page.getByRole("button", { name: "Delete …" }).getAttribute("aria-disabled"), null);
      assert.equal(await page.getByText("What was done with it").count(), 0);
      await db.query("DELETE FROM assignments WHERE organization_id = $1 AND role_id = $2", [
        organization,
        role,
      ]);
      await page.getByRole("heading", { name: "You may not see this" }).waitFor();
    });
  } finally {
    await db.query("DELETE FROM assignments WHERE organization_id = $1 AND role_id = $2", [
      organization,
      role,
    ]);
    await db.query("DELETE FROM roles WHERE organization_id = $1 AND role_id = $2", [organization, role]);
  }
});

closed("/secrets", "Secrets", ["secrets", "shares", "audit"]);

test("secrets are shown", async () => {
  await clean();
  const { id } = await make({
    name: "db-primary",
    description: "The primary database",
    visibility: { to: "group", groups: ["group:crew-s03", "group:crew-s04"] },
  });
  await make({ name: "deploy-key", kind: "ssh_key", expires_at: "2020-01-01T00:00:00Z" });
  await make({ name: "smtp", active: false });
  await call("POST", "shares", {
    body: { resource: { type: "secret", id }, subject: "user:tess", permissions: ["secret:read"] },
  });
  PAGES[1][0] = `/secrets?id=${id}`;
  await visit("user:sam", "/secrets", async (page) => {
    await page
      .getByRole("button", { name: /deploy-key/ })
      .getByText("expired")
      .waitFor();
    await page.getByRole("button", { name: /smtp/ }).getByText("off").waitFor();
    await page.getByRole("searchbox", { name: "Find a secret" }).fill("ssh");
    await page.getByText("1 secret", { exact: true }).waitFor();
  });
});

const PAGES = [
  ["/secrets", "Secrets", "secrets"],
  ["/secrets", "Secrets", "secret"],
];
presentable(PAGES);
