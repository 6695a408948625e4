// Webhooks in a browser, against a receiver on this machine that the gateway really tells.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";
import {
  accessible,
  becomes,
  begin,
  call,
  closed,
  db,
  organization,
  picture,
  presentable,
  visit,
  withRole,
  withVault,
} from "./support.mjs";

const origin = new URL(process.env.WEBHOOKS ?? "");
/** What was told, and what is answered. */
const told = [];
let status = 204;
const receiver = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  told.push({ headers: request.headers, body, status });
  response.writeHead(status).end();
});

// Whoever ends without a word must not be kept by it.
receiver.unref();

begin(
  async () => {
    await new Promise((resolve, reject) => {
      receiver.on("error", reject);
      receiver.listen(Number(origin.port), origin.hostname, resolve);
    });
    await withVault();
    await clean();
  },
  async () => {
    await clean();
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  },
);

async function clean() {
  await db.query("DELETE FROM webhooks WHERE organization_id = $1", [organization]);
}

/** Whether something is signed with a secret, as Standard Webhooks has it. */
function signed({ headers, body }, secret) {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const text = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const signature = createHmac("sha256", key).update(text).digest("base64");
  return headers["webhook-signature"].split(" ").includes(`v1,${signature}`);
}

const make = (path, events) =>
  call("POST", "webhooks", { body: { url: new URL(path, origin).href, events, description: path } });

test("a webhook is made, its secret is shown and hidden, and what it is told is signed with it", async () => {
  await visit("user:sam", "/webhooks", async (page) => {
    await page.getByText("Nobody is told of anything").waitFor();
    await page.getByRole("button", { name: "New webhook …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Address").fill(new URL("/made", origin).href);
    await dialog.getByRole("checkbox", { name: /^revision/ }).uncheck();
    await dialog.getByRole("button", { name: "Make it" }).click();
    await dialog.getByRole("alert").getByText("Choose what it hears of.").waitFor();
    await dialog.getByRole("checkbox", { name: /^role roles/ }).check();
    await accessible(page, "new webhook");
    await picture(page, "webhook-new");
    await dialog.getByRole("button", { name: "Make it" }).click();
    const shown = page.getByRole("status", { name: "The secret" });
    const secret = await shown.innerText();
    assert.match(secret, /^whsec_/);
    assert.doesNotMatch(page.url(), /whsec/);
    await picture(page, "webhook-secret");
    await page.getByRole("button", { name: "Hide" }).click();
    assert.doesNotMatch(await page.content(), /whsec_/);
    await withRole("E2E told", ["fleet:read"], async (role) => {
      await becomes(() => told.some(({ body }) => body.includes(role.id)), true);
      const message = told.find(({ body }) => body.includes(role.id));
      assert.equal(JSON.parse(message.body).type, "role.create");
      assert.equal(signed(message, secret), true);
      assert.equal(signed(message, "whsec_AAAA"), false);
    });
    // How it goes is read again without a reload.
    await page.getByText("nothing yet").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Change the secret …" }).click();
    await dialog.getByRole("button", { name: "Change the secret", exact: true }).click();
    await shown.waitFor();
    assert.notEqual(await shown.innerText(), secret);
  });
  await clean();
});

test("what is shown goes by itself, and when the page is looked away from", async () => {
  const webhook = await make("/shown", ["role"]);
  await visit("user:sam", `/webhooks?id=${webhook.id}`, async (page) => {
    await page.clock.install();
    const shown = page.getByRole("status", { name: "The secret" });
    await page.getByRole("button", { name: "Show the secret" }).click();
    await shown.waitFor();
    await page.clock.fastForward(29_000);
    assert.equal(await shown.count(), 1);
    await page.clock.fastForward(2_000);
    await shown.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Show the secret" }).click();
    await shown.waitFor();
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await shown.waitFor({ state: "detached" });
    assert.doesNotMatch(await page.content(), /whsec_/);
  });
  await clean();
});

test("what was refused and given up is shown with why, and told once more when it is wanted", async () => {
  const webhook = await make("/failing", ["role"]);
  status = 500;
  told.length = 0;
  await db.query(
    `INSERT INTO audit_events (organization_id, occurred_at, revision, actor, operation, target)
     SELECT $1, now() - interval '4 days', 1, 'user:sam', 'role.create', 'role:e2e-given-up'`,
    [organization],
  );
  await visit("user:sam", `/webhooks?id=${webhook.id}`, async (page) => {
    const letter = page.getByRole("row").filter({ hasText: "role.create" });
    await letter.getByText("it answers with status 500").waitFor();
    await accessible(page, "dead letter");
    await picture(page, "webhook-given-up");
    const told200 = () => told.some(({ body, status }) => status === 204 && body.includes("e2e-given-up"));
    assert.equal(told200(), false);
    status = 204;
    await page.getByRole("button", { name: "Tell once more …" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Tell once more", exact: true }).click();
    await page.getByText("1 event given up", { exact: false }).waitFor();
    await becomes(told200, true);
    await letter.waitFor({ state: "detached" });
  });
  status = 204;
  await clean();
});

test("it is switched off, changed and deleted; an address that is not allowed is refused in words", async () => {
  const webhook = await make("/changed", ["role"]);
  await visit(
    "user:sam",
    `/webhooks?id=${webhook.id}`,
    async (page) => {
      await page.getByRole("button", { name: "Edit …" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Address").fill("https://elsewhere.example/hook");
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog
        .getByRole("alert")
        .getByText("The gateway tells nobody at this address.", { exact: false })
        .waitFor();
      await dialog.getByLabel("Address").fill(webhook.url);
      await dialog.getByLabel("It is told (on)").uncheck();
      await dialog.getByRole("checkbox", { name: /^grant/ }).check();
      await dialog.getByRole("button", { name: "Save" }).click();
      await page.getByText("told nothing").waitFor();
      const now = await call("GET", `webhooks/${webhook.id}`);
      assert.deepEqual([now.active, now.events, now.url], [false, ["role", "grant"], webhook.url]);
      await page.getByRole("button", { name: "Delete …" }).click();
      await dialog.getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByText("Nobody is told of anything").waitFor();
      assert.deepEqual((await call("GET", "webhooks")).items, []);
    },
    { errors: ["403"] },
  );
});

// She reads roles and members; webhooks are for who holds webhook:manage.
closed("/webhooks", "Webhooks", ["webhooks"], "user:ana");

test("webhooks are shown", async () => {
  const { id } = await make("/a", ["*", "revision"]);
  await make("/b", ["secret"]);
  await visit("user:sam", `/webhooks?id=${id}`, async (page) => {
    await page.getByText("Hears of everything that is written, revision").waitFor();
  });
  PAGES[1][0] = `/webhooks?id=${id}`;
});

const PAGES = [
  ["/webhooks", "Webhooks", "webhooks"],
  ["/webhooks", "Webhooks", "webhook"],
];
presentable(PAGES);
