// The console in a browser, against a running gateway and its Postgres. Nothing is stubbed. The pages that manage grants,
// invitations, presets, secrets and webhooks have files of their own beside this one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  accessible,
  baseUrl,
  begin,
  browser,
  call,
  cutLine,
  db,
  heading,
  organization,
  picture,
  presentable,
  tokenOf,
  visit,
  withRole,
} from "./support.mjs";

begin();

const rolePermissions = async (id) => (await call("GET", `roles/${encodeURIComponent(id)}`)).permissions;

test("a token in the address signs in, and is taken out of it at once", async () => {
  await visit("user:sam", "/", async (page) => {
    await heading(page, "Members").waitFor();
    assert.equal(page.url(), `${baseUrl}/console/`);
    assert.equal(await page.locator(".who").innerText(), "user:sam");
    await page.reload();
    await heading(page, "Members").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(page, "Sign in").waitFor();
    await page.reload();
    await heading(page, "Sign in").waitFor();
    await accessible(page, "sign in");
    await picture(page, "sign-in");
  });
});

test("a gateway that does not answer for a moment signs nobody out", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const slice = (url) => url.pathname === "/v1/me/slice";
  try {
    const fragment = new URLSearchParams({ organization, token: tokenOf("user:sam") });
    await page.route(slice, (route) => route.abort());
    await page.goto(`${baseUrl}/console/#${fragment}`);
    await page.getByText("The gateway cannot be reached.").waitFor();
    await page.unroute(slice);
    await page.reload();
    await page.locator(".currency.live").waitFor();
  } finally {
    await context.close();
  }
});

test("what is pasted signs in; what cannot is told, and stays", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  try {
    await page.goto(`${baseUrl}/console/`);
    const [where, token] = [page.getByLabel("Organization"), page.getByLabel("Token")];
    await where.fill(organization);
    await token.fill("postern_key_something");
    await page.getByRole("button", { name: "Sign in" }).click();
    assert.match(await page.getByRole("alert").innerText(), /That is an API key/);
    assert.equal(await where.inputValue(), organization);
    await token.fill("a.b.c");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The token is not good").waitFor();
    await where.fill(organization);
    await token.fill(tokenOf("user:sam"));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".currency.live").waitFor();
  } finally {
    await context.close();
  }
});

const PAGES = [
  ["/", "Members", "members"],
  ["/?subject=user:tess", "Members", "member"],
  ["/roles", "Roles", "roles"],
  ["/scopes", "Scopes", "scopes"],
  ["/scopes?type=site&id=s03", "Scopes", "scope"],
  ["/why?subject=user:tess&permission=miner:reboot&type=site&id=s03", "Why", "why"],
  ["/audit", "Audit", "audit"],
  ["/audit?of=decisions", "Audit", "decisions"],
  ["/edges", "Edges", "edges"],
];

presentable(PAGES);

test("a role is edited by the keyboard: what it changes is counted, saved, and gone elsewhere at once", async () => {
  await withRole("E2E keys", ["fleet:read", "rack:read"], async (role) => {
    await call("POST", "assignments", { body: { subject: "user:noor", role: role.id, at: null } });
    const context = await browser.newContext();
    const other = await context.newPage();
    try {
      await other.addInitScript(() => sessionStorage.setItem("fleet-demo-subject", "user:noor"));
      await other.goto(`${baseUrl}/racks`);
      await other.getByRole("heading", { level: 1, name: "Racks" }).waitFor();
      await visit("user:sam", "/roles", async (page) => {
        const edit = page.getByRole("button", { name: "Edit E2E keys" });
        await edit.focus();
        await page.keyboard.press("Enter");
        const box = page.getByRole("checkbox", { name: "E2E keys: rack:read" });
        await box.focus();
        await page.keyboard.press("Space");
        assert.equal(await box.isChecked(), false);
        await page.getByText("1 permission less not saved").waitFor();
        const save = page.getByRole("button", { name: "Save …" });
        await save.focus();
        await page.keyboard.press("Enter");
        const dialog = page.getByRole("dialog");
        await dialog.getByText("1 subject loses", { exact: false }).waitFor();
        await accessible(page, "preview");
        await picture(page, "preview");
        // Escape writes nothing and goes back to where it came from.
        await page.keyboard.press("Escape");
        assert.deepEqual(await rolePermissions(role.id), ["fleet:read", "rack:read"]);
        assert.equal(await save.evaluate((button) => button === document.activeElement), true);
        await page.keyboard.press("Enter");
        const confirm = dialog.getByRole("button", { name: "Save", exact: true });
        await confirm.waitFor();
        await confirm.focus();
        await page.keyboard.press("Enter");
        await page.getByText("Saved: revision", { exact: false }).waitFor();
        assert.deepEqual(await rolePermissions(role.id), ["fleet:read"]);
      });
      await other.waitForFunction(() => location.pathname !== "/racks");
    } finally {
      await context.close();
      await db.query("DELETE FROM assignments WHERE organization_id = $1 AND subject_id = 'user:noor'", [
        organization,
      ]);
    }
  });
});

test("what somebody else saved meanwhile stays, and so does what was not saved", async () => {
  await withRole("E2E both", ["fleet:read"], async (role) => {
    await visit(
      "user:sam",
      "/roles",
      async (page) => {
        await page.getByRole("button", { name: "Edit E2E both" }).click();
        await page.getByRole("checkbox", { name: "E2E both: site:read" }).check();
        await call("PUT", `roles/${encodeURIComponent(role.id)}`, {
          etag: "*",
          body: { name: role.name, permissions: ["fleet:read", "rack:read"] },
        });
        // The new state comes late: nothing may be said of it before it is there.
        await page.route(
          (url) => decodeURIComponent(url.pathname).endsWith(`/roles/${role.id}`),
          async (route) => {
            await setTimeout(300);
            await route.continue();
          },
        );
        await page.getByRole("button", { name: "Save …" }).click();
        await page.getByText("Somebody saved this role since you opened it", { exact: false }).waitFor();
        assert.equal(await page.getByRole("checkbox", { name: "E2E both: rack:read" }).isChecked(), true);
        assert.equal(await page.getByRole("checkbox", { name: "E2E both: site:read" }).isChecked(), true);
        await picture(page, "conflict");
        await page.getByRole("button", { name: "Save …" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
        await page.getByText("Saved: revision", { exact: false }).waitFor();
        assert.deepEqual(await rolePermissions(role.id), ["fleet:read", "rack:read", "site:read"]);
      },
      { errors: ["412"] },
    );
  });
});

test("a role is made, and one that is held is deleted with another one in its place", async () => {
  const removed = ["E2E made"];
  try {
    await visit(
      "user:sam",
      "/roles",
      async (page) => {
        await page.getByRole("button", { name: "New role" }).click();
        await page.getByLabel("Name").fill("E2E made");
        await page.getByRole("button", { name: "Make it" }).click();
        await page.getByRole("checkbox", { name: "E2E made: miner:reboot" }).check();
        // What it needs besides is told, and added when wanted.
        await page.getByText("need others that it lacks: fleet:read, miner:read", { exact: false }).waitFor();
        await page.getByRole("button", { name: "Add them" }).click();
        await page.getByRole("button", { name: "Save …" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
        await page.getByText("Saved: revision", { exact: false }).waitFor();
        const { items } = await call("GET", "roles?limit=1000");
        const made = items.find(({ name }) => name === "E2E made");
        assert.deepEqual(made.permissions, ["fleet:read", "miner:read", "miner:reboot"]);
        await call("POST", "assignments", { body: { subject: "user:noor", role: made.id, at: null } });

        await page.getByRole("button", { name: "Edit E2E made" }).click();
        await page.getByRole("button", { name: "Delete the role …" }).click();
        await page.getByText("Which one do they get instead?", { exact: false }).waitFor();
        await page.getByRole("combobox", { name: "Instead" }).selectOption({ label: "Auditor" });
        await page.getByRole("button", { name: "Count what changes" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
        await page.getByText("E2E made is deleted.").waitFor();
        const { items: left } = await call("GET", "assignments?subject=user:noor");
        assert.equal(left.length, 1);
        assert.notEqual(left[0].role, made.id);
      },
      { errors: ["409"] },
    );
  } finally {
    await db.query("DELETE FROM assignments WHERE organization_id = $1 AND subject_id = 'user:noor'", [
      organization,
    ]);
    await db.query("DELETE FROM roles WHERE organization_id = $1 AND name = ANY ($2)", [
      organization,
      removed,
    ]);
  }
});

test("a former id stands for a role until it is ended", async () => {
  await withRole("E2E former", ["fleet:read"], async (role) => {
    await visit("user:sam", "/roles", async (page) => {
      const dialog = page.getByRole("dialog");
      await page.getByRole("button", { name: "Add a former id …" }).click();
      await dialog.getByLabel("Former id").fill("role:e2e-former");
      await dialog.getByRole("combobox", { name: "Stands for" }).selectOption({ label: "E2E former" });
      await accessible(page, "former id");
      await dialog.getByRole("button", { name: "Go on" }).click();
      await dialog.getByRole("button", { name: "Add it" }).click();
      await page.getByRole("row").filter({ hasText: "role:e2e-former" }).getByText("E2E former").waitFor();
      const named = async () => (await call("GET", `role-aliases?role=${encodeURIComponent(role.id)}`)).items;
      assert.deepEqual(await named(), [{ id: "role:e2e-former", role: role.id }]);
      await page.getByRole("region", { name: "Former ids", exact: true }).scrollIntoViewIfNeeded();
      await picture(page, "role-former");
      await page.getByRole("button", { name: "End role:e2e-former" }).click();
      await dialog.getByRole("button", { name: "End it" }).click();
      await page.getByText("role:e2e-former stands for nothing.").waitFor();
      assert.deepEqual(await named(), []);
    });
  });
});

test("a role is assigned and taken away again, with what that changes before it is done", async () => {
  await visit("user:sam", "/?subject=user:noor", async (page) => {
    await page.getByText("No role of their own.").waitFor();
    await page.getByRole("button", { name: "Assign a role …" }).click();
    await page.getByRole("combobox", { name: "Role" }).selectOption({ label: "FIELD_TECH" });
    await page.getByRole("combobox", { name: "Where" }).selectOption("site s03");
    await page.getByRole("button", { name: "Count what changes" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 subject gains", { exact: false }).waitFor();
    await dialog.getByRole("button", { name: "Assign" }).click();
    await page.getByText("user:noor holds FIELD_TECH at site s03.").waitFor();
    await page.getByRole("button", { name: "Take away FIELD_TECH at site s03" }).click();
    await dialog.getByText("1 subject loses", { exact: false }).waitFor();
    await dialog.getByRole("button", { name: "Take away" }).click();
    await page.getByText("No role of their own.").waitFor();
    const { items } = await call("GET", "assignments?subject=user:noor");
    assert.deepEqual(items, []);
  });
});

test("who may not is told what it needs, and sees nothing more", async () => {
  for (const subject of ["user:tess", "user:noor"])
    for (const path of ["/", "/roles", "/scopes", "/why", "/audit", "/edges"])
      await visit(subject, path, async (page) => {
        await page.getByRole("heading", { name: "You may not see this" }).waitFor();
        assert.equal(await page.locator("nav[aria-label=Main] a").count(), 0);
        assert.equal(await page.locator("main button, main table, main input").count(), 0, path);
        if (path === "/roles") {
          await accessible(page, "denied");
          await picture(page, "denied");
        }
      });
});

test("who may read and not write is told so at every button", async () => {
  await visit("user:ana", "/roles", async (page) => {
    const made = page.getByRole("button", { name: "New role" });
    assert.equal(await made.getAttribute("aria-disabled"), "true");
    await made.click({ force: true });
    assert.equal(await page.getByRole("dialog").count(), 0);
    const edit = page.getByRole("button", { name: "Edit Auditor" });
    assert.equal(await edit.getAttribute("aria-disabled"), "true");
    assert.match(await edit.getAttribute("title"), /role:manage/);
  });
});

test("why somebody may not is told with what would let them, and follows the facts", async () => {
  await withRole("E2E why", ["fleet:read", "miner:read", "miner:reboot"], async (role) => {
    await visit("user:sam", "/why", async (page) => {
      await page.getByRole("textbox", { name: "Who" }).fill("user:noor");
      await page.getByRole("combobox", { name: "may" }).fill("miner:reboot");
      await page.getByRole("button", { name: "Explain" }).click();
      const answer = page.getByRole("region", { name: "Answer" });
      await answer.getByText("may not", { exact: true }).waitFor();
      await answer.getByText("Give user:noor a role with miner:reboot", { exact: false }).waitFor();
      await call("POST", "assignments", { body: { subject: "user:noor", role: role.id, at: null } });
      await answer.getByText("may", { exact: true }).waitFor();
      await answer.getByText("user:noor holds E2E why", { exact: false }).waitFor();
      await picture(page, "why-allowed");
    });
    await db.query("DELETE FROM assignments WHERE organization_id = $1 AND subject_id = 'user:noor'", [
      organization,
    ]);
  });
});

test("the audit has what was written, and older pages are read when they are asked for", async () => {
  const name = `E2E audited ${Date.now()}`;
  await withRole(name, ["fleet:read"], async (role) => {
    await visit("user:sam", "/audit", async (page) => {
      const row = page.getByRole("row").filter({ hasText: role.id }).first();
      await row.waitFor();
      assert.match(await row.innerText(), /user:sam/);
      assert.match(await row.innerText(), /role\.create/);
      await row.locator("summary").click();
      await row.getByText(name).waitFor();
    });
  });
});

test("a change is in the feed of revisions, without a reload", async () => {
  await visit("user:sam", "/edges", async (page) => {
    await page.getByRole("list", { name: "Revisions, newest first" }).waitFor();
    await withRole("E2E feed", [], async (role) => {
      await page.getByText(`roles of ${role.id}`, { exact: false }).first().waitFor();
    });
  });
});

test("while the gateway cannot be reached it is said, and nothing can be changed", async () => {
  const line = await cutLine(baseUrl);
  try {
    await visit(
      "user:sam",
      "/roles",
      async (page) => {
        const edit = page.getByRole("button", { name: "Edit Auditor" });
        await edit.waitFor();
        line.cut();
        await page.getByText("The gateway cannot be reached.").first().waitFor();
        assert.equal(await edit.getAttribute("aria-disabled"), "true");
        assert.match(await edit.getAttribute("title"), /cannot be reached/);
        await accessible(page, "offline");
        await picture(page, "offline");
        line.mend();
        await page.locator(".currency.live").waitFor();
        assert.equal(await edit.getAttribute("aria-disabled"), null);
      },
      { at: line.url, errors: ["net::"] },
    );
  } finally {
    await line.close();
  }
});

test("it runs under a policy without inline script or style", async () => {
  const response = await fetch(new URL("/console/", baseUrl));
  const policy = response.headers.get("content-security-policy");
  assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';/);
  assert.match(policy, /style-src 'self';/);
  assert.doesNotMatch(await response.text(), /<style|style=|<script(?![^>]*src=)/);
});
