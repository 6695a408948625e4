// What the client answers, against the specification: every question about the small fleet, for every subject, through
// the shipped WebAssembly module on a slice of real bytes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, PosternError, type Facts, type Postern, type Resource } from "../src/index.js";
import { TestGateway } from "./gateway.js";
import { FLEET, oracle, sliceOf, type World } from "./worlds.js";

const PERMISSIONS = ["fleet:read", "miner:read", "miner:reboot", "user:manage", "secret:read", "chat:join"];
const SUBJECTS = ["user:ann", "user:tom", "user:eve", "user:zed", "user:unheard"];
const SITES: Resource[] = ["s1", "s2", "s3"].map((id) => ({ type: "site", id }));
const NOW = "2026-06-01T00:00:00Z";

const clients = new Map<string, Postern>();
const gateways: TestGateway[] = [];

async function clientOf(world: World, subject: string): Promise<Postern> {
  const gateway = await TestGateway.start(sliceOf(world, subject));
  gateways.push(gateway);
  return connect({ url: gateway.url, token: "t" });
}

const client = (subject: string): Postern => {
  const found = clients.get(subject);
  assert.ok(found);
  return found;
};

before(async () => {
  for (const subject of SUBJECTS) clients.set(subject, await clientOf(FLEET, subject));
});

after(async () => {
  for (const each of clients.values()) each.close();
  for (const gateway of gateways) await gateway.stop();
});

test("checks at organization level and at every scope the slice may know equal the specification's", () => {
  const questions = SUBJECTS.flatMap((subject) =>
    PERMISSIONS.flatMap((permission) =>
      [undefined, ...SITES].map((resource) => ({ subject, permission, resource })),
    ),
  );
  const expected = oracle(
    FLEET,
    questions.map(({ subject, permission, resource }) => ({
      op: "check",
      subject,
      permission,
      resource: resource ?? null,
      now: NOW,
    })),
  );
  let allowed = 0;
  for (const [index, { subject, permission, resource }] of questions.entries()) {
    const { decision, reason, revision } = client(subject).decide(permission, resource);
    const name = `${subject} ${permission} ${resource?.id}`;
    assert.equal(decision, expected[index]?.["decision"], name);
    // A scope at which the subject holds nothing is not in its slice, which is a deny of its own.
    if (reason !== "not_in_slice") assert.equal(reason, expected[index]?.["reason"], name);
    assert.equal(revision, 5);
    assert.equal(client(subject).can(permission, resource), decision === "allow", name);
    if (decision === "allow") allowed += 1;
  }
  assert.ok(allowed > 20, `${allowed} allowed`);
});

test("resources beyond the slice are asked about with stated facts", () => {
  const minerAt = (subject: string, site: string, permission: string): boolean =>
    client(subject).can(permission, { type: "miner", id: "m9" }, { in: [{ type: "site", id: site }] });
  assert.equal(minerAt("user:tom", "s1", "miner:read"), true);
  assert.equal(minerAt("user:tom", "s2", "miner:read"), false);
  assert.equal(minerAt("user:ann", "s1", "miner:reboot"), true);
  assert.equal(minerAt("user:ann", "s2", "miner:reboot"), false, "narrowed at s2");
  assert.equal(
    client("user:ann").can("miner:reboot", { type: "miner", id: "m9" }),
    true,
    "an admin of everything",
  );
});

test("session, dimensions and owner count where they are stated", () => {
  const tom = client("user:tom");
  const chat = { type: "chat", id: "c1" };
  assert.equal(tom.can("chat:join", chat), false);
  assert.equal(tom.can("chat:join", chat, { session: "call-7" }), true);
  assert.equal(tom.can("chat:join", chat, { session: "call-8" }), false);
  const s1 = { type: "site", id: "s1" };
  assert.equal(tom.can("miner:reboot", s1, { where: { shift: "day" } }), false);
  assert.equal(tom.can("miner:reboot", s1, { where: { shift: "night" } }), true);
  const mine: Facts = { owner: "user:zed" };
  assert.deepEqual(client("user:zed").decide("secret:read", { type: "secret", id: "k1" }), {
    decision: "allow",
    reason: "owner",
    revision: 5,
  });
  assert.equal(client("user:zed").can("secret:read", { type: "secret", id: "k2" }, mine), true);
  assert.equal(client("user:tom").can("secret:read", { type: "secret", id: "k2" }, mine), false);
});

test("anywhere, everywhere, filter and actions equal the specification's", () => {
  const levels = SUBJECTS.flatMap((subject) =>
    PERMISSIONS.flatMap((permission) =>
      (["anywhere", "everywhere"] as const).map((op) => ({ op, subject, permission })),
    ),
  );
  const expectedLevels = oracle(
    FLEET,
    levels.map((level) => ({ ...level, now: NOW })),
  );
  for (const [index, { op, subject, permission }] of levels.entries()) {
    const allowed = client(subject)[op](permission);
    assert.equal(
      allowed ? "allow" : "deny",
      expectedLevels[index]?.["decision"],
      `${op} ${subject} ${permission}`,
    );
  }
  const lists = SUBJECTS.flatMap((subject) => PERMISSIONS.map((permission) => ({ subject, permission })));
  const expectedLists = oracle(
    FLEET,
    lists.map((list) => ({ op: "filter", ...list, type: "site", now: NOW })),
  );
  for (const [index, { subject, permission }] of lists.entries()) {
    assert.deepEqual(
      client(subject).filter(permission, "site"),
      expectedLists[index]?.["ids"],
      `${subject} ${permission}`,
    );
  }
  const places = SUBJECTS.flatMap((subject) => SITES.map((resource) => ({ subject, resource })));
  const expectedActions = oracle(
    FLEET,
    places.map((place) => ({ op: "actions", ...place, now: NOW })),
  );
  for (const [index, { subject, resource }] of places.entries()) {
    assert.deepEqual(
      client(subject).actions(resource),
      expectedActions[index]?.["permissions"],
      `${subject} ${resource.id}`,
    );
  }
  assert.deepEqual(client("user:ann").actions(), [...PERMISSIONS].sort());
});

test("a question that has no decision is a typed error, and for `can` a no that is reported once", async () => {
  const gateway = await TestGateway.start(sliceOf(FLEET, "user:ann"));
  gateways.push(gateway);
  const errors: PosternError[] = [];
  const ann = await connect({ url: gateway.url, token: "t", onError: (error) => errors.push(error) });
  const code = (expected: string) => (error: unknown) =>
    error instanceof PosternError && error.code === expected;
  assert.throws(() => ann.decide("miner:explode"), code("unknown_permission"));
  assert.throws(() => ann.decide(""), code("invalid_request"));
  assert.throws(() => ann.decide("fleet:read", { type: "site", id: "*" }), code("invalid_request"));
  assert.throws(
    () => ann.decide("fleet:read", { type: "", id: "" }),
    code("invalid_request"),
    "no way to organization level",
  );
  assert.throws(() => ann.filter("miner:read", "miner"), code("not_in_slice"));
  assert.equal(ann.can("miner:explode"), false);
  assert.equal(ann.can("miner:explode"), false);
  assert.equal(ann.anywhere("miner:explode"), false);
  assert.deepEqual(
    errors.map((error) => error.code),
    ["unknown_permission"],
  );
  ann.close();
});

test("a client knows whose it is", () => {
  assert.equal(client("user:ann").subject, "user:ann");
  assert.equal(client("user:ann").organization, "acme");
  assert.equal(client("user:ann").revision, 5);
});
