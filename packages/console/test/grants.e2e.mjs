// Grants, exclusions and shares in a browser: what was asked for is what the interface and the decisions then have.

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
  visit,
} from "./support.mjs";

begin(clean, clean);

const HOLDER = "user:noor";

/** What is given to Noor beside roles. */
const given = async () => (await call("GET", `grants?subject=${HOLDER}`)).items;

async function clean() {
  const whom = [HOLDER, "user:all"];
  await db.query("DELETE FROM grants WHERE organization_id = $1 AND subject_id = ANY ($2)", [
    organization,
    whom,
  ]);
}

const choose = (page, name) => page.getByRole("checkbox", { name }).check();

test("a grant under conditions is counted, given, found, and taken away again", async () => {
  await clean();
  try {
    await visit("user:sam", "/grants", async (page) => {
      await page.getByRole("button", { name: "New grant …" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("combobox", { name: "Subject", exact: true }).fill(HOLDER);
      await dialog.getByRole("searchbox", { name: "Find a permission" }).fill("blink");
      await choose(dialog, /^miner:blink_led/);
      await dialog.getByRole("searchbox").fill("");
      await dialog.getByRole("combobox", { name: "Where", exact: true }).selectOption("site");
      await dialog.getByLabel("Id of the site").fill("s03");
      await dialog.getByText("Under conditions").click();
      await dialog.getByLabel("Where, one a line").fill("env = test\nenv = live");
      await dialog.getByLabel("Until").fill("2031-05-01T10:00");
      await dialog.getByRole("button", { name: "Count what changes" }).click();
      // What could be read in two ways is not sent.
      await dialog.getByRole("alert").getByText("each name once", { exact: false }).waitFor();
      await accessible(page, "new grant");
      await picture(page, "grant-new");
      await dialog.getByLabel("Where, one a line").fill("env = test");
      await dialog.getByLabel("Only at what they own").check();
      await dialog.getByRole("button", { name: "Count what changes" }).click();
      await dialog.getByText("concerned under conditions", { exact: false }).waitFor();
      assert.deepEqual(await given(), []);
      await dialog.getByRole("button", { name: "Give", exact: true }).click();
      await page.getByText(`${HOLDER} has the grant at site s03.`).waitFor();
      const [grant] = await given();
      const { subject, effect, permissions, at, where, own, session, active } = grant;
      assert.deepEqual(
        { subject, effect, permissions, at, where, own, session, active },
        {
          subject: HOLDER,
          effect: "allow",
          permissions: ["miner:blink_led"],
          at: { type: "site", id: "s03" },
          where: { env: "test" },
          own: true,
          session: null,
          active: true,
        },
      );
      assert.equal(new Date(grant.expires_at).getFullYear(), 2031);
      const row = page.getByRole("row").filter({ hasText: HOLDER });
      await row.getByText("where env = test; only what they own").waitFor();
      await page.getByRole("searchbox", { name: "Find a grant or exclusion" }).fill("nothing is called so");
      await page.getByText("0 grants and exclusions").waitFor();
      assert.equal(await row.count(), 0);
      await page.getByRole("searchbox", { name: "Find a grant or exclusion" }).fill("s03");
      await row.getByRole("button", { name: /^Take away from user:noor/ }).click();
      await dialog.getByRole("button", { name: "Take away", exact: true }).click();
      await page.getByText(`${HOLDER} no longer has that grant`, { exact: false }).waitFor();
      assert.deepEqual(await given(), []);
    });
  } finally {
    await clean();
  }
});

test("an exclusion takes what a grant gives, and its end gives it back: both are told before", async () => {
  await clean();
  try {
    await call("POST", "grants", {
      body: { subject: HOLDER, effect: "allow", permissions: ["fleet:read"], at: null },
    });
    await visit("user:sam", "/grants", async (page) => {
      // What is written elsewhere is shown without a reload.
      await page.getByRole("row").filter({ hasText: HOLDER }).waitFor();
      await page.getByRole("button", { name: "New grant …" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("combobox", { name: "It" }).selectOption("exclude");
      await dialog.getByRole("combobox", { name: "Subject", exact: true }).fill(HOLDER);
      await choose(dialog, /^fleet:\*/);
      assert.equal(await dialog.getByRole("checkbox", { name: /^fleet:read/ }).isDisabled(), true);
      await dialog.getByRole("button", { name: "Count what changes" }).click();
      await dialog.getByText("1 subject loses", { exact: false }).waitFor();
      await picture(page, "exclusion-preview");
      await dialog.getByRole("button", { name: "Exclude", exact: true }).click();
      await page.getByText(`${HOLDER} is excluded at the whole organization.`).waitFor();
      const question = { subject: HOLDER, permission: "fleet:read", resource: null };
      const why = async () => (await call("POST", "explain", { body: question })).reason;
      await becomes(why, "excluded");
      await page.getByRole("button", { name: /^End the exclusion of user:noor/ }).click();
      await dialog.getByText("1 subject gains", { exact: false }).waitFor();
      await dialog.getByRole("button", { name: "End it" }).click();
      await page.getByText(`${HOLDER} is no longer excluded`, { exact: false }).waitFor();
      await becomes(why, "grant");
    });
  } finally {
    await clean();
  }
});

test("a resource is shared, is there for who received it, and is no longer", async () => {
  await clean();
  try {
    await visit("user:sam", "/grants?of=shares", async (page) => {
      await page.getByRole("button", { name: "Share …" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("combobox", { name: "What" }).selectOption("rack");
      await dialog.getByLabel("Id of the rack").fill("r028");
      await dialog.getByLabel("With whom").fill(HOLDER);
      await choose(dialog, /^rack:read/);
      await accessible(page, "new share");
      await picture(page, "share-new");
      await dialog.getByRole("button", { name: "Count what changes" }).click();
      await dialog.getByText("1 subject gains 1 permission", { exact: false }).waitFor();
      await dialog.getByRole("button", { name: "Share", exact: true }).click();
      await page.getByText(`rack r028 is shared with ${HOLDER}.`).waitFor();
      const { items } = await call("GET", `shares?subject=${HOLDER}`);
      assert.deepEqual(
        items.map(({ resource, permissions }) => [resource, permissions]),
        [[{ type: "rack", id: "r028" }, ["rack:read"]]],
      );
      // It is a grant as well, but stands and ends as a share only.
      await page.getByRole("button", { name: "Grants and exclusions" }).click();
      await page.getByRole("button", { name: "New grant …" }).waitFor();
      assert.equal(await page.getByRole("row").filter({ hasText: HOLDER }).count(), 0);
      await page.goBack();
      await page.getByRole("button", { name: `End the share of rack r028 with ${HOLDER}` }).click();
      await dialog.getByText("1 subject loses", { exact: false }).waitFor();
      await dialog.getByRole("button", { name: "End the share" }).click();
      await page.getByText(`rack r028 is no longer shared with ${HOLDER}.`).waitFor();
      assert.deepEqual((await call("GET", `shares?subject=${HOLDER}`)).items, []);
    });
  } finally {
    await clean();
  }
});

test("who may read and not write is told so at every button", async () => {
  await call("POST", "grants", {
    body: { subject: HOLDER, effect: "allow", permissions: ["fleet:read"], at: null },
  });
  try {
    await visit("user:ana", "/grants", async (page) => {
      for (const name of [/^New grant/, /^Take away from user:noor/]) {
        const button = page.getByRole("button", { name });
        assert.equal(await button.getAttribute("aria-disabled"), "true");
        assert.match(await button.getAttribute("title"), /Needs role:manage/);
        await button.click({ force: true });
        assert.equal(await page.getByRole("dialog").count(), 0);
      }
    });
  } finally {
    await clean();
  }
});

closed("/grants", "Grants", ["grants", "shares", "roles", "catalog"]);

test("grants and shares are shown", async () => {
  await call("POST", "grants", {
    body: {
      subject: HOLDER,
      effect: "allow",
      permissions: ["miner:blink_led", "miner:read"],
      at: { type: "site", id: "s03" },
      where: { env: "test" },
      expires_at: "2031-05-01T10:00:00Z",
    },
  });
  await call("POST", "grants", {
    body: {
      subject: "user:all",
      effect: "exclude",
      permissions: ["miner:delete"],
      at: { type: "site", id: "s07" },
    },
  });
  await call("POST", "shares", {
    body: { resource: { type: "rack", id: "r028" }, subject: HOLDER, permissions: ["rack:read"] },
  });
  await visit("user:sam", "/grants", async (page) => {
    await heading(page, "Grants").waitFor();
    await page.getByRole("row").filter({ hasText: "Everybody" }).getByText("takes").waitFor();
  });
});

presentable([
  ["/grants", "Grants", "grants"],
  ["/grants?of=shares", "Grants", "shares"],
]);
