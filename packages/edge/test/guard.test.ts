// A guard on real snapshots, served over HTTP with statements that are signed here: what it decides is what the
// specification says, and it decides nothing that it does not know.

import assert from "node:assert/strict";
import { afterEach, before, test } from "node:test";
import { atLeast } from "@postern/client/at-least";
import { StatementError } from "@postern/client/statements";
import { createGuard, verified, type EdgeDecision, type Guard, type GuardOptions } from "../src/index.js";
import { gatewayOf, seconds, shared, stateAll, type Gateway, type Signer as SignerOf } from "./setup.js";

const { aWhile, FLEET, fleetAt, oracle, Signer, sliceOf, snapshotOf, technician, until } = shared;

const S1 = { type: "site", id: "s1" };
const S3 = { type: "site", id: "s3" };
const MINUTE = 60_000;

let five: Uint8Array;
let six: Uint8Array;
let authority: SignerOf;
const open: (() => Promise<void> | void)[] = [];

before(async () => {
  five = snapshotOf(FLEET);
  six = snapshotOf(fleetAt(6, [technician("user:tom", "s3")]));
  authority = await Signer.random();
});

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Guarded {
  gateway: Gateway;
  guard: Guard;
  errors: string[];
}

async function guarded(
  options: Partial<GuardOptions> = {},
  said: { iat?: number; exp?: number } = {},
): Promise<Guarded> {
  const statement = await stateAll(authority, five, { revision: 5, ...said });
  const gateway = await gatewayOf(five, authority, statement);
  open.push(() => gateway.stop());
  const errors: string[] = [];
  const guard = createGuard({
    gateway: gateway.url,
    organization: "acme",
    key: "key",
    timeoutMs: 2_000,
    onError: (error) =>
      errors.push(error instanceof StatementError ? `unverified ${error.refusal}` : error.code),
    ...options,
  });
  open.unshift(() => guard.close());
  return { gateway, guard, errors };
}

const asked = (gateway: Gateway): number =>
  gateway.seen.filter(({ path }) => path.endsWith("/snapshot")).length;

test("another catalog than code was generated from is told, and decided on", async () => {
  const [ours, other] = ["a".repeat(64), "b".repeat(64)];
  const told: unknown[] = [];
  const { gateway, guard, errors } = await guarded({
    catalog: ours,
    onCatalogMismatch: (state) => told.push(state),
  });
  gateway.catalog = ours;
  assert.deepEqual(guard.catalog, { expected: ours, current: undefined, matches: undefined });
  assert.equal((await guard.check("user:tom", "miner:read", S1)).decision, "allow");
  assert.deepEqual(guard.catalog, { expected: ours, current: ours, matches: true });
  [gateway.bytes, gateway.etag, gateway.catalog] = [six, '"6"', other];
  gateway.statement = await stateAll(authority, six, { revision: 6 });
  await guard.refresh();
  assert.equal((await guard.check("user:tom", "miner:read", S3)).decision, "allow");
  assert.deepEqual(guard.catalog, { expected: ours, current: other, matches: false });
  await guard.refresh();
  assert.deepEqual([told, errors], [[{ expected: ours, current: other, matches: false }], []]);
});

test("it decides as the specification says, for every subject, on handles and with stated facts", async () => {
  const { gateway, guard } = await guarded();
  const subjects = [
    "user:ann",
    "ann@acme.example",
    "user:tom",
    "user:eve",
    "user:zed",
    "user:unheard",
    "group:crew",
  ];
  const permissions = ["fleet:read", "miner:reboot", "user:manage", "secret:read", "chat:join"];
  const places = [
    undefined,
    S1,
    { type: "site", id: "s2" },
    { type: "miner", id: "m2" },
    { type: "secret", id: "k1" },
    { type: "site", id: "nowhere" },
    { type: "chat", id: "c1" },
  ];
  const facts = [undefined, { in: [S1] }, { session: "call-7" }, { where: { shift: "night" } }];
  const questions = subjects.flatMap((subject) =>
    permissions.flatMap((permission) =>
      places.flatMap((resource) => facts.map((stated) => ({ subject, permission, resource, stated }))),
    ),
  );
  const named = (subject: string): string => (subject.includes(":") ? subject : `user:${subject}`);
  const expected = oracle(
    FLEET,
    questions.map(({ subject, permission, resource, stated }) => ({
      op: "check",
      subject: named(subject),
      permission,
      resource: resource ?? null,
      now: "2026-06-01T00:00:00Z",
      ...stated,
    })),
  );
  let allowed = 0;
  for (const [index, { subject, permission, resource, stated }] of questions.entries()) {
    const { decision, reason, revision } = await guard.check(named(subject), permission, resource, stated);
    const question = JSON.stringify(questions[index]);
    assert.deepEqual({ decision, reason }, expected[index], question);
    assert.equal(revision, 5);
    if (decision === "allow") allowed += 1;
  }
  assert.ok(allowed > 50, `${allowed} allowed`);
  assert.equal(asked(gateway), 1);
  const levels = subjects.flatMap((subject) =>
    permissions.map((permission) => ({ subject: named(subject), permission })),
  );
  for (const op of ["anywhere", "everywhere"] as const) {
    const answers = oracle(
      FLEET,
      levels.map((level) => ({ op, ...level, now: "2026-06-01T00:00:00Z" })),
    );
    for (const [index, { subject, permission }] of levels.entries())
      assert.equal(guard.as(subject)[op](permission) ? "allow" : "deny", answers[index]?.["decision"]);
  }
});

test("an error is a deny that says so, and is told once", async () => {
  const { guard, errors } = await guarded();
  const reason = async (...question: Parameters<Guard["check"]>): Promise<string> =>
    (await guard.check(...question)).reason;
  assert.equal(await reason("user:ann", "no:such"), "unknown_permission");
  assert.equal(await reason("user:ann", "no:such"), "unknown_permission");
  assert.equal(await reason("user:*", "fleet:read"), "invalid_request");
  assert.equal(await reason("user:ann", "fleet:read", { type: "", id: "" }), "invalid_request");
  assert.equal(await reason(undefined as never, "fleet:read"), "invalid_request");
  assert.equal(guard.as("user:ann").anywhere("no:such"), false);
  assert.deepEqual(errors, ["unknown_permission", "invalid_request"]);
});

test("before there is a snapshot everything is denied, and nothing is asked while it is made", async () => {
  const { gateway, guard, errors } = await guarded();
  await aWhile();
  assert.equal(gateway.seen.length, 0);
  const nothing: EdgeDecision = { decision: "deny", reason: "no_snapshot", revision: 0, ageMs: undefined };
  assert.deepEqual(guard.decide("user:eve", "fleet:read"), nothing);
  assert.equal(guard.as("user:eve").everywhere("fleet:read"), false);
  gateway.refuse = 503;
  assert.deepEqual(await guard.check("user:eve", "fleet:read"), nothing);
  const requests = gateway.seen.length;
  assert.deepEqual(await guard.check("user:eve", "fleet:read"), nothing);
  assert.equal(gateway.seen.length, requests, "not once for each question");
  assert.deepEqual(errors, ["unavailable"]);
  gateway.refuse = undefined;
  await guard.refresh();
  assert.equal((await guard.check("user:eve", "fleet:read")).decision, "allow");
});

test("bytes that no right statement names never come into force", async () => {
  const other = await Signer.random();
  for (const [code, bytes, statement] of [
    ["unverified undefined", five, undefined],
    ["unverified unknown_key", five, await stateAll(other, five, { revision: 5 })],
    ["unverified other_state", five, await stateAll(authority, five, { revision: 5, organization: "evil" })],
    ["unverified other_state", five, await stateAll(authority, five, { subject: "user:tom" })],
    ["unverified other_bytes", six, await stateAll(authority, five, { revision: 5 })],
    [
      "subject_mismatch",
      sliceOf(FLEET, "user:ann"),
      await stateAll(authority, sliceOf(FLEET, "user:ann"), { revision: 5 }),
    ],
  ] as const) {
    const { gateway, guard, errors } = await guarded();
    gateway.bytes = bytes;
    gateway.statement = statement;
    assert.equal((await guard.check("user:eve", "fleet:read")).reason, "no_snapshot", code);
    assert.deepEqual(errors, [code]);
  }
  // And none that comes later replaces what is in force.
  const { gateway, guard, errors } = await guarded();
  assert.equal((await guard.check("user:eve", "fleet:read")).decision, "allow");
  gateway.bytes = six;
  gateway.etag = '"6"';
  gateway.statement = await stateAll(other, six, { revision: 6 });
  await guard.refresh();
  assert.equal((await guard.check("user:eve", "fleet:read")).revision, 5);
  assert.deepEqual(errors, ["unverified unknown_key"]);
  gateway.statement = await stateAll(authority, six, { revision: 6 });
  await guard.refresh();
  assert.equal((await guard.check("user:tom", "miner:read", S3)).revision, 6);
});

test("pinned keys are not asked for, and verify no others", async () => {
  const { gateway, guard, errors } = await guarded({ verify: verified({ keys: [authority.jwk] }) });
  assert.equal((await guard.check("user:eve", "fleet:read")).decision, "allow");
  assert.equal(gateway.seen.filter(({ path }) => path.includes("jwks")).length, 0);
  gateway.statement = await stateAll(await Signer.random(), five, {});
  await guard.refresh();
  assert.deepEqual(errors, ["unverified unknown_key"]);
});

test("past its validity it denies, until a 304 says that the snapshot still holds", async () => {
  const old = seconds() - MINUTE / 1000;
  const { gateway, guard } = await guarded({}, { iat: old });
  const stale = await guard.check("user:eve", "fleet:read");
  assert.equal(stale.reason, "stale_snapshot");
  assert.ok((stale.ageMs ?? 0) >= MINUTE);
  assert.equal(guard.as("user:eve").everywhere("secret:read"), false);
  gateway.statement = await stateAll(authority, five, { revision: 5 });
  await guard.refresh();
  const fresh = await guard.check("user:eve", "fleet:read");
  assert.equal(fresh.decision, "allow");
  assert.ok((fresh.ageMs ?? MINUTE) < MINUTE);
  assert.equal(gateway.seen.at(-1)?.ifNoneMatch, '"5"');
  assert.equal(guard.freshness().fresh, true);
});

test("what is due is asked for without anybody waiting, and what is too old is waited for", async () => {
  const { gateway, guard } = await guarded({ pollSeconds: 0.5 });
  assert.equal((await guard.check("user:tom", "miner:read", S3)).decision, "deny");
  assert.equal(asked(gateway), 1);
  assert.equal((await guard.check("user:tom", "miner:read", S3)).decision, "deny");
  assert.equal(asked(gateway), 1, "not yet due");
  gateway.bytes = six;
  gateway.etag = '"6"';
  gateway.statement = await stateAll(authority, six, { revision: 6 });
  await new Promise((resolve) => setTimeout(resolve, 520));
  assert.equal((await guard.check("user:tom", "miner:read", S3)).revision, 5, "who asks does not wait");
  await until(() => guard.freshness().revision === 6, "revision 6");
  assert.equal((await guard.check("user:tom", "miner:read", S3)).decision, "allow");
  const aged = await guarded({ maxAge: { "miner:*": 5 } }, { iat: seconds() - 30 });
  assert.equal((await aged.guard.check("user:eve", "fleet:read")).decision, "allow");
  assert.equal(aged.guard.decide("user:eve", "miner:read").reason, "stale_snapshot");
  assert.equal(
    aged.guard.decide("user:eve", "fleet:read", S1, undefined, { maxAge: 5 }).reason,
    "stale_snapshot",
  );
  aged.gateway.statement = await stateAll(authority, five, { revision: 5 });
  // Longer than it takes until it asks again: a timer may run a moment early.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  assert.equal((await aged.guard.check("user:eve", "miner:read")).decision, "allow", "waited for");
});

test("many questions at once are one question to the gateway", async () => {
  const { gateway, guard } = await guarded();
  const answers = await Promise.all(Array.from({ length: 50 }, () => guard.check("user:eve", "fleet:read")));
  assert.ok(answers.every(({ decision }) => decision === "allow"));
  assert.equal(asked(gateway), 1);
});

test("a question that ended with its request holds nobody up", async () => {
  let hang = true;
  const { guard } = await guarded({
    fetch: (input, init) => (hang ? new Promise(() => undefined) : fetch(input, init)),
    timeoutMs: 60_000,
  });
  void guard.check("user:eve", "fleet:read");
  await aWhile();
  hang = false;
  const started = performance.now();
  assert.equal((await guard.check("user:eve", "fleet:read")).decision, "allow");
  assert.ok(performance.now() - started < 3_000);
});

test("a key that is refused is asked for again, and what is held goes on for as long as it is valid", async () => {
  const keys = ["key", "old", "old", "new"];
  const { gateway, guard, errors } = await guarded({ key: () => keys.shift() ?? "new" });
  assert.equal((await guard.check("user:eve", "fleet:read")).decision, "allow");
  gateway.tokens = new Set(["new"]);
  await guard.refresh();
  assert.deepEqual(errors, ["unauthorized"]);
  assert.equal((await guard.check("user:eve", "fleet:read")).decision, "allow");
  await guard.refresh();
  assert.deepEqual(errors, ["unauthorized"]);
  assert.equal(gateway.seen.at(-1)?.authorization, "Bearer new");
});

test("a restored database is followed back, and nothing else leads back", async () => {
  const { gateway, guard, errors } = await guarded({}, { iat: seconds() - 10 });
  await guard.ready();
  const two = snapshotOf(fleetAt(2, [technician("user:tom", "s3")]));
  gateway.bytes = two;
  gateway.etag = '"2"';
  gateway.statement = await stateAll(authority, two, { revision: 2 });
  await guard.refresh();
  assert.equal(guard.freshness().revision, 5);
  assert.deepEqual(errors, ["unverified older"]);
  gateway.statement = await stateAll(authority, two, { revision: 2, epoch: "e2" });
  await guard.refresh();
  assert.equal(guard.freshness().revision, 2);
});

test("a guard that follows hears of changes without asking", async () => {
  const { gateway, guard } = await guarded({ follow: true });
  assert.equal((await guard.check("user:tom", "miner:read", S3)).decision, "deny");
  await until(() => gateway.streams === 1, "a stream");
  gateway.push(6, six, await stateAll(authority, six, { revision: 6 }));
  await until(() => guard.decide("user:tom", "miner:read", S3).decision === "allow", "an allow");
  assert.equal(asked(gateway), 1);
  guard.close();
  await until(() => gateway.streams === 0, "the stream's end");
  assert.equal((await guard.check("user:tom", "miner:read", S3)).reason, "no_snapshot");
});

test("who has written at an edge waits until the guard knows of it", async () => {
  const { gateway, guard } = await guarded();
  await atLeast(guard, 5);
  gateway.bytes = six;
  gateway.etag = '"6"';
  gateway.statement = await stateAll(authority, six, { revision: 6 });
  await atLeast(guard, 6);
  assert.equal(guard.decide("user:tom", "miner:read", S3).decision, "allow");
  await assert.rejects(atLeast(guard, 7, { timeoutMs: 150 }), { code: "revision_not_reached" });
});

test("requests carry nothing that an edge does not know", async () => {
  const seen: RequestInit[] = [];
  const strict = (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    seen.push(init);
    return fetch(input, init);
  };
  const { guard } = await guarded({ fetch: strict });
  assert.equal((await guard.check("user:eve", "fleet:read")).decision, "allow");
  assert.equal(seen.length, 2);
  for (const init of seen) {
    // Workers refuse a request with one of these.
    for (const member of ["cache", "credentials", "mode"]) assert.ok(!(member in init), member);
    assert.equal(init.redirect, "manual");
  }
  assert.throws(() => createGuard({ gateway: "file:///tmp", organization: "acme", key: "key" }));
});
