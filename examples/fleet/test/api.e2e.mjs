// The fleet's API against a running gateway: the rules of a role at a site, each under its id of docs/systems.md.
// BASE_URL and DATABASE_URL as in support.mjs; no browser.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { api } from "../api/server.mjs";
import { assign, baseUrl, cutLine, database, organization, roleId, takeAssignments } from "./support.mjs";

// Site s03 is Juniper Flats, where Tess is a technician and Nils is nothing else.
const HERE = "s03";
const ELSEWHERE = "s07";
const PATIENCE_MS = 10_000;

let db, line, fleet, address, tokens, here, elsewhere;

/** A key of the organization, as `postern key create` makes one. */
async function key() {
  const secret = `postern_key_${randomBytes(32).toString("base64url")}`;
  const digest = createHash("sha256").update(secret).digest();
  await db.query("INSERT INTO api_keys (organization_id, name, prefix, digest) VALUES ($1, 'api', $2, $3)", [
    organization,
    secret.slice(0, 18),
    digest,
  ]);
  return secret;
}

async function started(options = {}) {
  const made = api({ gateway: baseUrl, organization, key: await key(), ...options });
  await new Promise((resolve) => made.server.listen(0, "127.0.0.1", resolve));
  return { ...made, address: `http://127.0.0.1:${made.server.address().port}` };
}

function ended({ guard, server }) {
  guard.close();
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}

async function call(who, method, path, { body, headers = {}, at = address } = {}) {
  if (who !== undefined) headers = { authorization: `Bearer ${tokens.get(who)}`, ...headers };
  if (body !== undefined) headers = { "content-type": "application/json", ...headers };
  const response = await fetch(new URL(path, at), { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return {
    status: response.status,
    headers: response.headers,
    body: text !== "" && /json/.test(type) ? JSON.parse(text) : text,
  };
}

const get = (who, path) => call(who, "GET", path);
const act = (who, miner, action) => call(who, "POST", `/api/miners/${miner.id}/${action}`);

/** Waits until what was written in Postgres is what is answered: moments. */
async function eventually(what, ask, wanted) {
  const begun = performance.now();
  let last;
  while (performance.now() - begun < PATIENCE_MS) {
    last = await ask();
    if (last === wanted) return performance.now() - begun;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(last, wanted, what);
}

/** Assigns roles to Noor, who has none; until what this returns is called. */
async function noor(roles) {
  for (const [role, site] of roles) await assign(db, "user:noor", role, site && "site", site);
  return () =>
    db.query("DELETE FROM assignments WHERE organization_id = $1 AND subject_id = 'user:noor'", [
      organization,
    ]);
}

/** A role of some permissions, until it is deleted. */
async function role(...permissions) {
  const id = `role:organization:${crypto.randomUUID()}`;
  await db.query("INSERT INTO roles (organization_id, role_id, name) VALUES ($1, $2, $3)", [
    organization,
    id,
    "of the API's test",
  ]);
  for (const permission of permissions)
    await db.query("INSERT INTO role_permissions VALUES ($1, $2, $3)", [organization, id, permission]);
  return id;
}

const statusOf = (ask) => async () => (await ask()).status;
const denial = (permission, site) => ({
  required: permission,
  scope: site === undefined ? {} : { site_id: site },
});

function refused(answer, permission, site) {
  assert.equal(answer.status, 403);
  assert.deepEqual(answer.body, denial(permission, site));
}

before(async () => {
  db = await database();
  const personas = await (await fetch(new URL("/demo/personas.json", baseUrl))).json();
  tokens = new Map(personas.map(({ subject, token }) => [subject.slice("user:".length), token]));
  line = await cutLine(baseUrl);
  fleet = await started();
  address = fleet.address;
  await eventually(
    "ready",
    statusOf(() => get("sam", "/api/me")),
    200,
  );
  here = (await get("sam", `/api/miners?site=${HERE}&limit=1`)).body.items[0];
  elsewhere = (await get("sam", `/api/miners?site=${ELSEWHERE}&limit=1`)).body.items[0];
});

after(async () => {
  await ended(fleet);
  await line.close();
  await db.query("DELETE FROM assignments WHERE organization_id = $1 AND subject_id = 'user:noor'", [
    organization,
  ]);
  await db.query("DELETE FROM roles WHERE organization_id = $1 AND name = 'of the API''s test'", [
    organization,
  ]);
  await db.query("DELETE FROM api_keys WHERE organization_id = $1 AND name = 'api'", [organization]);
  await db.end();
});

test("PF-1: a role in the organization counts everywhere", async () => {
  for (const miner of [here, elsewhere]) assert.equal((await act("ana", miner, "reboot")).status, 200);
  assert.equal((await get("ana", "/api/team")).status, 200);
});

test("PF-2, PF-3: a role at a site counts there, and not for the organization", async () => {
  assert.equal((await act("tess", here, "blink_led")).status, 200);
  assert.equal((await act("tess", elsewhere, "blink_led")).status, 404);
  refused(await act("tess", here, "reboot"), "miner:reboot", HERE);
  refused(await get("tess", "/api/team"), "user:read");
  // Two permissions for one action: the one that is lacking is named.
  refused(await act("tess", here, "firmware_update"), "miner:firmware_update", HERE);
});

test("PF-4: a role at a site replaces those of the organization there", async () => {
  refused(await act("nils", here, "reboot"), "miner:reboot", HERE);
  assert.equal((await act("nils", elsewhere, "reboot")).status, 200);
  assert.equal((await act("nils", here, "blink_led")).status, 200);
  assert.equal((await get("nils", "/api/team")).status, 200);
});

test("PF-5, PF-7, PF-10: sites do not mix, roles at one site add up, and a site's may be the wider", async () => {
  const [reads, reboots, blinks] = [
    await role("fleet:read", "miner:read"),
    await role("miner:reboot"),
    await role("fleet:read", "miner:read", "miner:blink_led"),
  ];
  const undo = await noor([
    [reads, HERE],
    [reboots, HERE],
    [blinks, ELSEWHERE],
  ]);
  await eventually(
    "two roles at one site",
    statusOf(() => act("noor", here, "reboot")),
    200,
  );
  refused(await act("noor", here, "blink_led"), "miner:blink_led", HERE);
  await eventually(
    "the other site",
    statusOf(() => act("noor", elsewhere, "blink_led")),
    200,
  );
  refused(await act("noor", elsewhere, "reboot"), "miner:reboot", ELSEWHERE);
  await undo();
  await eventually(
    "taken away",
    statusOf(() => act("noor", here, "reboot")),
    404,
  );
});

test("PF-6: an empty role takes everything away at its site", async () => {
  const [wide, empty] = [await role("fleet:read", "miner:read", "miner:reboot"), roleId("No entry")];
  const undo = await noor([[wide], [empty, HERE]]);
  await eventually(
    "elsewhere",
    statusOf(() => act("noor", elsewhere, "reboot")),
    200,
  );
  assert.equal((await act("noor", here, "reboot")).status, 404);
  assert.equal((await get("noor", `/api/miners/${here.id}`)).status, 404);
  await undo();
  await eventually(
    "taken away",
    statusOf(() => act("noor", elsewhere, "reboot")),
    404,
  );
});

test("PF-8: nobody is too high to be narrowed", async () => {
  await assign(db, "user:sam", roleId("FIELD_TECH"), "site", HERE);
  await eventually(
    "narrowed",
    statusOf(() => act("sam", here, "reboot")),
    403,
  );
  assert.equal((await act("sam", elsewhere, "reboot")).status, 200);
  // What is about the whole organization needs all of it.
  refused(await get("sam", "/api/miners.csv"), "miner:export_csv");
  await db.query(
    "DELETE FROM assignments WHERE organization_id = $1 AND subject_id = 'user:sam' AND at_id = $2",
    [organization, HERE],
  );
  await eventually(
    "widened",
    statusOf(() => act("sam", here, "reboot")),
    200,
  );
  assert.equal((await get("sam", "/api/miners.csv")).body.split("\n").length, 10_002);
});

test("PF-9: nothing held, nothing allowed", async () => {
  assert.equal((await get("noor", `/api/miners/${here.id}`)).status, 404);
  assert.equal((await act("noor", here, "reboot")).status, 404);
  refused(await get("noor", "/api/team"), "user:read");
  refused(await get("noor", "/api/curtailment"), "curtailment:read");
});

test("PF-20: lists have what one may see, and count no more", async () => {
  const all = (await get("sam", "/api/miners")).body;
  assert.deepEqual([all.total, all.items.length], [10_000, 100]);
  const mine = (await get("tess", "/api/miners?limit=500")).body;
  assert.ok(mine.total > 0 && mine.total < 1_000 && mine.items.every(({ site }) => site === HERE));
  // Where nothing is left there is an empty list, and not everything.
  assert.deepEqual((await get("tess", `/api/miners?site=${ELSEWHERE}`)).body, { total: 0, items: [] });
  assert.deepEqual((await get("noor", "/api/miners")).body, { total: 0, items: [] });
  assert.deepEqual(
    (await get("tess", "/api/sites")).body,
    { total: 0, items: [] },
    "a technician does not read sites",
  );
  const racks = (await get("tess", "/api/racks")).body;
  assert.ok(racks.total > 0 && racks.items.every(({ site }) => site === HERE));
  const pages = [];
  for (let offset = 0; offset < mine.total; offset += 7)
    pages.push(...(await get("tess", `/api/miners?limit=7&offset=${offset}`)).body.items);
  assert.deepEqual(new Set(pages.map(({ id }) => id)).size, mine.total);
  assert.equal((await get("tess", "/api/miners?limit=x")).status, 400);
});

test("PF-21: what lies at a site that one was narrowed away from is not there", async () => {
  const empty = roleId("No entry");
  await assign(db, "user:ana", empty, "site", HERE);
  await eventually(
    "narrowed",
    statusOf(() => get("ana", `/api/miners/${here.id}`)),
    404,
  );
  const [hidden, unknown] = [
    await get("ana", `/api/miners/${here.id}`),
    await get("ana", "/api/miners/m99999"),
  ];
  assert.deepEqual([hidden.status, hidden.body], [unknown.status, unknown.body]);
  // An event over several sites needs all of them.
  const seen = (await get("ana", "/api/curtailment")).body.items.map(({ id }) => id);
  assert.deepEqual(seen, ["c1", "c3", "c4"]);
  await db.query(
    "DELETE FROM assignments WHERE organization_id = $1 AND subject_id = 'user:ana' AND at_id = $2",
    [organization, HERE],
  );
  await eventually(
    "there again",
    statusOf(() => get("ana", `/api/miners/${here.id}`)),
    200,
  );
  assert.equal((await get("ana", "/api/curtailment")).body.total, 5);
});

test("PF-30 to PF-43: who manages roles is held to the gateway's rules, in their own name", async () => {
  const make = (who, name, permissions) => call(who, "POST", "/api/roles", { body: { name, permissions } });
  const name = `Night ${crypto.randomUUID()}`;
  const code = (answer, status, wanted) =>
    assert.deepEqual([answer.status, answer.body.code], [status, wanted]);
  code(await make("sam", "API unknown", ["miner:fly"]), 400, "unknown_permissions");
  const unpaired = await make("sam", "API unpaired", ["miner:reboot"]);
  code(unpaired, 400, "missing_permissions");
  const made = await make("sam", name, ["fleet:read", "miner:read"]);
  assert.equal(made.status, 201);
  code(await make("sam", `  ${name.toUpperCase()} `, []), 409, "name_taken");
  code(await make("sam", "Admin", []), 400, "reserved_name");
  // PF-33: an admin composes no roles; a technician even less.
  for (const who of ["ana", "tess", "noor"])
    assert.equal((await make(who, "API other", [])).status, 403, who);
  const give = (who, subject, id) =>
    call(who, "POST", "/api/assignments", { body: { subject, role: id, at: null } });
  const given = await give("sam", "user:noor", made.body.id);
  assert.equal(given.status, 201);
  const path = `/api/roles/${encodeURIComponent(made.body.id)}`;
  const any = { "if-match": "*" };
  code(await call("sam", "DELETE", path, { headers: any }), 409, "role_held");
  code(
    await give("sam", "user:noor", "role:organization:0192f1c2-7a00-7000-8000-0000000000ff"),
    400,
    "unknown_role",
  );
  // PF-36
  const superAdmin = encodeURIComponent(roleId("SUPER_ADMIN"));
  code(
    await call("sam", "DELETE", `/api/roles/${superAdmin}`, { headers: any }),
    403,
    "BUILTIN_ROLE_IMMUTABLE",
  );
  // PF-40, PF-43: nobody gives more than they hold, nor manages who may do more.
  assert.equal((await give("ana", "user:noor", roleId("SUPER_ADMIN"))).status, 403);
  assert.equal((await give("tess", "user:noor", roleId("FIELD_TECH"))).status, 403);
  assert.equal(
    (await call("sam", "DELETE", `/api/assignments/${given.body.id}`, { headers: any })).status,
    204,
  );
  assert.equal((await call("sam", "DELETE", path, { headers: any })).status, 204);
});

test("who sends a request is known, or it goes nowhere", async () => {
  const path = `/api/miners/${here.id}`;
  assert.equal((await get(undefined, path)).status, 401);
  const cookie = `fleet_session=${tokens.get("sam")}`;
  assert.equal((await call(undefined, "GET", path, { headers: { cookie } })).status, 200);
  assert.equal((await call("sam", "GET", path, { headers: { cookie } })).status, 401, "both are none");
  const [head, payload, signature] = tokens.get("tess").split(".");
  const forged = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), sub: "user:sam" };
  const bent = [head, Buffer.from(JSON.stringify(forged)).toString("base64url"), signature].join(".");
  for (const bearer of [bent, "x", "a.b.c", `${tokens.get("sam")}x`, ""])
    assert.equal(
      (await call(undefined, "GET", path, { headers: { authorization: `Bearer ${bearer}` } })).status,
      401,
    );
  // What no rule is about is not there, whoever asks.
  for (const [method, where] of [
    ["GET", "/api/secrets"],
    ["DELETE", path],
    ["POST", `${path}/explode`],
    ["POST", `${path}/constructor`],
  ])
    assert.equal((await call("sam", method, where)).status, 404, `${method} ${where}`);
  const large = await call("sam", "POST", "/api/roles", {
    body: { name: "x".repeat(70_000), permissions: [] },
  });
  assert.equal(large.status, 413);
  const page = { origin: "http://evil.example" };
  const lured = await call(undefined, "POST", `${path}/reboot`, { headers: { ...page, cookie } });
  assert.deepEqual([lured.status, lured.body.code], [403, "other_origin"]);
  for (const origin of [address, undefined]) {
    const headers = origin === undefined ? { cookie } : { origin, cookie };
    assert.equal((await call(undefined, "POST", `${path}/reboot`, { headers })).status, 200, origin);
  }
  assert.equal(
    (await call("sam", "GET", path, { headers: page })).headers.get("access-control-allow-origin"),
    null,
  );
});

test("a revocation by SQL is enforced in moments", async () => {
  assert.equal((await act("tess", here, "blink_led")).status, 200);
  const restore = await takeAssignments(db, "user:tess");
  const took = await eventually(
    "revoked",
    statusOf(() => act("tess", here, "blink_led")),
    404,
  );
  assert.ok(took < 5_000, `${took} ms`);
  await restore();
  await eventually(
    "given back",
    statusOf(() => act("tess", here, "blink_led")),
    200,
  );
});

test("without its gateway it decides on what it has, and without anything on nothing", async () => {
  const maxAge = { "miner:*": 2 };
  const apart = await started({ gateway: line.url, guardOptions: { maxAge, timeoutMs: 500 } });
  const at = apart.address;
  const blink = () => call("tess", "POST", `/api/miners/${here.id}/blink_led`, { at });
  await eventually("connected", statusOf(blink), 200);
  line.cut();
  assert.equal((await blink()).status, 200, "it is young enough still");
  await eventually("too old", statusOf(blink), 503);
  assert.deepEqual((await blink()).body, { code: "stale_snapshot" });
  line.mend();
  await eventually("current again", statusOf(blink), 200);
  line.cut();
  await ended(apart);
  const nothing = await started({ gateway: line.url, guardOptions: { timeoutMs: 500 } });
  // It cannot even know who asks.
  assert.equal((await call("tess", "GET", `/api/miners/${here.id}`, { at: nothing.address })).status, 401);
  assert.equal((await call(undefined, "GET", "/livez", { at: nothing.address })).status, 200);
  await ended(nothing);
  line.mend();
});
