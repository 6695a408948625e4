// Statements in the life of a client: what comes into force, what is refused, and what age takes away.

import assert from "node:assert/strict";
import { afterEach, before, test } from "node:test";
import { connect, PosternError, type Change, type ConnectOptions, type Postern } from "../src/index.js";
import { StatementError, verified } from "../src/statements.js";
import { aWhile, TestGateway, until } from "./gateway.js";
import { sha256, Signer, type Claims } from "./signing.js";
import { FLEET, fleetAt, sliceOf, technician } from "./worlds.js";

const AT_S1 = { type: "site", id: "s1" };
const AT_S3 = { type: "site", id: "s3" };

/** Slices of Tom: at revision 5 a technician at s1, at 6 at s3 as well; and another history's revision 3, nowhere. */
let five: Uint8Array;
let six: Uint8Array;
let restored: Uint8Array;
let signer: Signer;
let stranger: Signer;

const open: (() => Promise<void> | void)[] = [];

before(async () => {
  five = sliceOf(FLEET, "user:tom");
  six = sliceOf(fleetAt(6, [...FLEET.assignments, technician("user:tom", "s3")]), "user:tom");
  restored = sliceOf(fleetAt(3, []), "user:tom");
  [signer, stranger] = [await Signer.rfc8037(), await Signer.random()];
});

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const seconds = (): number => Math.floor(Date.now() / 1000);

function claims(bytes: Uint8Array, revision: number, change: Partial<Claims> = {}): Claims {
  const iat = change.iat ?? seconds();
  return {
    organization: "acme",
    subject: "user:tom",
    epoch: "e1",
    revision,
    as_of: revision,
    hash: sha256(bytes),
    iat,
    exp: iat + 60,
    ...change,
  };
}

const signed = (bytes: Uint8Array, revision: number, change?: Partial<Claims>): Promise<string> =>
  signer.sign(claims(bytes, revision, change));

interface Watched {
  gateway: TestGateway;
  postern: Postern;
  changes: Change[];
  /** Codes; of what is unverified, the contract's. */
  errors: string[];
}

const codeOf = (error: PosternError): string =>
  error instanceof StatementError ? `unverified ${error.refusal}` : error.code;

async function gatewayOf(bytes: Uint8Array, statement?: string): Promise<TestGateway> {
  const gateway = await TestGateway.start(bytes);
  open.push(() => gateway.stop());
  gateway.keys = { keys: [signer.jwk] };
  gateway.statement = statement;
  return gateway;
}

async function watch(
  options: Partial<ConnectOptions> = {},
  statement?: string | null,
  bytes: Uint8Array = five,
): Promise<Watched> {
  const text = statement === null ? undefined : (statement ?? (await signed(bytes, 5)));
  const gateway = await gatewayOf(bytes, text);
  const errors: string[] = [];
  const onError = (error: PosternError): unknown => errors.push(codeOf(error));
  const postern = await connect({
    url: gateway.url,
    token: "t",
    onError,
    retryMinMs: 5,
    retryMaxMs: 20,
    ...options,
  });
  open.unshift(() => postern.close());
  const changes: Change[] = [];
  postern.subscribe((change) => changes.push(change));
  await until(() => postern.status === "live" && gateway.streams === 1, "live");
  return { gateway, postern, changes, errors };
}

/** How often the slice's address was asked for. */
const fetches = ({ gateway }: Watched): number =>
  gateway.seen.filter(({ path }) => path === "/v1/me/slice").length;

test("verified bytes come into force, with the gateway's keys and with pinned ones", async () => {
  for (const [verify, asks] of [
    [verified(), 1],
    [verified({ keys: [signer.jwk] }), 0],
  ] as const) {
    const { gateway, postern, changes, errors } = await watch({ verify });
    assert.equal(postern.can("miner:read", AT_S3), false);
    gateway.state(await signed(six, 6));
    gateway.push(6, six);
    await until(() => postern.revision === 6, "revision 6");
    assert.equal(postern.can("miner:read", AT_S3), true);
    assert.deepEqual([changes, errors], [[{ cause: "revision", revision: 6 }], []]);
    const asked = gateway.seen.filter(({ path }) => path === "/.well-known/jwks.json");
    assert.equal(asked.length, asks);
    assert.ok(
      asked.every(({ authorization }) => authorization === undefined),
      "no token for the keys",
    );
  }
});

test("no first slice without a valid statement about it", async () => {
  const cases: [string, Promise<string> | undefined][] = [
    ["undefined", undefined],
    ["malformed", Promise.resolve("no.statement.here")],
    ["unknown_key", stranger.sign(claims(five, 5))],
    ["bad_signature", stranger.raw(signer.header, JSON.stringify(claims(five, 5)))],
    ["other_bytes", signed(six, 5)],
    ["other_bytes", signed(five, 4)],
    ["other_bytes", signed(five, 5, { subject: "user:ann" })],
    ["other_bytes", signed(five, 5, { organization: "other" })],
  ];
  for (const [refusal, statement] of cases) {
    const gateway = await gatewayOf(five, await statement);
    await assert.rejects(
      connect({ url: gateway.url, token: "t", verify: verified() }),
      (error) =>
        error instanceof PosternError &&
        error.code === "unverified" &&
        codeOf(error) === `unverified ${refusal}`,
      refusal,
    );
  }
  const gateway = await gatewayOf(five, await signed(five, 5));
  await assert.rejects(connect({ url: gateway.url, token: "t", verify: verified(), organization: "other" }), {
    refusal: "other_state",
  });
  gateway.keys = undefined;
  await assert.rejects(connect({ url: gateway.url, token: "t", verify: verified(), connectMs: 50 }), {
    code: "unavailable",
  });
});

test("what no valid statement names stays out, and is healed by fetching the whole", async () => {
  const cases: [string, () => Promise<string> | undefined][] = [
    ["undefined", () => undefined],
    ["unknown_key", () => stranger.sign(claims(six, 6))],
    ["bad_signature", () => stranger.raw(signer.header, JSON.stringify(claims(six, 6)))],
    ["other_state", () => signed(six, 6, { subject: "user:ann" })],
    ["older", () => signed(six, 6, { as_of: 6, epoch: "e0", iat: 1000 })],
    ["other_bytes", () => signed(restored, 6)],
    ["other_bytes", () => signed(six, 7)],
  ];
  for (const [refusal, statement] of cases) {
    const watched = await watch({ verify: verified() });
    const { gateway, postern, errors } = watched;
    const text = await statement();
    if (text !== undefined) gateway.state(text);
    gateway.push(6, six);
    await until(() => errors.length > 0 && fetches(watched) === 2, refusal);
    await aWhile();
    assert.deepEqual(errors, [`unverified ${refusal}`]);
    assert.equal(postern.revision, 5);
    assert.equal(postern.status, "live");
    assert.equal(postern.can("miner:read", AT_S3), false);
    // The gateway's address has it by now.
    gateway.bytes = six;
    gateway.statement = await signed(six, 6);
    gateway.push(6, six);
    await until(() => postern.revision === 6, `healed after ${refusal}`);
  }
});

test("where the whole is refused too, the slice and the stream stay", async () => {
  const watched = await watch({ verify: verified() });
  const { gateway, postern, errors } = watched;
  const streams = (): number => gateway.seen.filter(({ path }) => path === "/v1/me/stream").length;
  gateway.statement = await stranger.sign(claims(five, 5));
  gateway.state(await stranger.sign(claims(five, 5)));
  await until(() => errors.length === 2, "two refusals");
  await aWhile();
  assert.deepEqual(errors, ["unverified unknown_key", "unverified unknown_key"]);
  assert.deepEqual([postern.revision, postern.status, streams()], [5, "live", 1]);
  assert.equal(postern.can("miner:read", AT_S1), true);
});

test("bytes that were stated and did not come are fetched", async () => {
  const { gateway, postern } = await watch({ verify: verified() });
  gateway.bytes = six;
  gateway.statement = await signed(six, 6);
  gateway.state(gateway.statement);
  gateway.state(gateway.statement);
  await until(() => postern.revision === 6, "revision 6");
});

test("a statement alone says that what is held is still right, a replayed one changes nothing", async () => {
  const old = await signed(five, 5, { iat: seconds() - 40 });
  const { gateway, postern, errors, changes } = await watch({ verify: verified() }, old);
  const before = postern.freshness();
  assert.deepEqual([before.revision, before.asOf, before.fresh], [5, 5, true]);
  assert.ok((before.ageMs ?? 0) >= 40_000 && (before.ageMs ?? 0) < 50_000, `${before.ageMs}`);
  gateway.state(await signed(five, 5, { as_of: 9 }));
  await until(() => postern.freshness().asOf === 9, "as of 9");
  assert.ok((postern.freshness().ageMs ?? Infinity) < 10_000);
  gateway.state(old);
  await until(() => errors.length > 0, "a refusal");
  assert.equal(errors[0], "unverified older");
  assert.equal(postern.freshness().asOf, 9);
  assert.deepEqual(changes, []);
});

test("asked now, the gateway says that what is held is still right, or sends what is", async () => {
  const old = await signed(five, 5, { iat: seconds() - 40 });
  const watched = await watch({ verify: verified(), maxAge: { "miner:*": 20 } }, old);
  const { gateway, postern, errors } = watched;
  gateway.conditional = true;
  assert.equal(postern.can("miner:read", AT_S1), false);
  gateway.statement = await signed(five, 5);
  await postern.refresh();
  assert.equal(gateway.seen.at(-1)?.ifNoneMatch, '"now"', "a 304 is enough");
  assert.equal(postern.can("miner:read", AT_S1), true);
  // A 304 about other bytes than those in force: they are asked for without a tag.
  gateway.bytes = six;
  gateway.statement = await signed(six, 6);
  await postern.refresh();
  assert.equal(postern.revision, 6);
  assert.equal(fetches(watched), 4);
  gateway.statement = await stranger.sign(claims(six, 6));
  await assert.rejects(postern.refresh(), { code: "unverified", refusal: "unknown_key" });
  gateway.refuse = 503;
  await assert.rejects(postern.refresh(), { code: "unavailable" });
  assert.equal(postern.freshness().fresh, true);
  assert.deepEqual(errors, [], "who asked is told");
  postern.close();
  await assert.rejects(postern.refresh(), { code: "closed" });
});

test("another epoch with a later moment replaces a higher revision, verified or not", async () => {
  for (const options of [{ verify: verified() }, {}]) {
    const { gateway, postern, changes } = await watch(options);
    const iat = seconds() + 2;
    gateway.state(await signed(restored, 3, { epoch: "e2", iat: iat - 3600 }));
    gateway.push(3, restored);
    await aWhile();
    assert.equal(postern.revision, 5, "not with an earlier one");
    gateway.state(await signed(restored, 3, { epoch: "e2", iat }));
    gateway.push(3, restored);
    await until(() => postern.revision === 3, "revision 3");
    assert.equal(postern.can("miner:read", AT_S1), false);
    assert.deepEqual(changes.at(-1), { cause: "revision", revision: 3 });
    gateway.state(await signed(six, 6));
    gateway.push(6, six);
    await aWhile();
    assert.equal(postern.revision, 3, "the history before does not come back");
  }
});

test("a slower gateway opens no way back to another history", async () => {
  for (const options of [{ verify: verified() }, {}]) {
    const iat = seconds();
    const { gateway, postern } = await watch(options, await signed(five, 5, { iat }));
    // It knows of a later revision, and has known it for longer: what it states is taken.
    gateway.state(await signed(five, 5, { as_of: 6, iat: iat - 50 }));
    await until(() => postern.freshness().asOf === 6, "the slower gateway's statement");
    gateway.state(await signed(restored, 3, { epoch: "e0", iat: iat - 10 }));
    gateway.push(3, restored);
    await aWhile();
    assert.equal(postern.revision, 5, "later than the last one is not later than all");
    gateway.state(await signed(restored, 3, { epoch: "e2", iat: iat + 1 }));
    gateway.push(3, restored);
    await until(() => postern.revision === 3, "revision 3");
  }
});

test("not verified, a bad statement only leaves the age as it was", async () => {
  const watched = await watch({}, await stranger.sign(claims(five, 5)));
  const { gateway, postern, errors } = watched;
  assert.equal(postern.freshness().fresh, true, "whoever has signed it");
  gateway.state("no.statement.here");
  gateway.push(6, six);
  await until(() => postern.revision === 6, "revision 6");
  gateway.state(await signed(six, 6, { subject: "user:ann" }));
  gateway.state(await signed(six, 6, { as_of: 7 }));
  await until(() => postern.freshness().asOf === 7, "as of 7");
  assert.deepEqual(errors, ["unverified malformed", "unverified other_state"]);
  assert.equal(fetches(watched), 1, "nothing to heal");
});

test("without statements nothing is known of the age, and who asks for one is denied", async () => {
  const { gateway, postern, errors, changes } = await watch({ maxAge: { "user:*": 3600 } }, null);
  assert.deepEqual(postern.freshness(), {
    revision: 5,
    asOf: undefined,
    ageMs: undefined,
    fresh: undefined,
  });
  assert.equal(postern.can("miner:read", AT_S1), true);
  assert.equal(postern.can("miner:read", AT_S1, undefined, { maxAge: 3600 }), false);
  assert.equal(postern.decide("user:manage").decision, "deny");
  gateway.push(6, six);
  await until(() => postern.revision === 6, "revision 6");
  assert.equal(postern.can("miner:read", AT_S3), true);
  assert.deepEqual([errors, changes], [[], [{ cause: "revision", revision: 6 }]]);
  // The first one tells.
  gateway.state(await signed(six, 6));
  await until(() => changes.length === 2, "an age");
  assert.equal(postern.can("miner:read", AT_S3, undefined, { maxAge: 3600 }), true);
  const strict = await watch({ whenStale: "deny" }, null);
  assert.equal(strict.postern.can("miner:read", AT_S1), false);
  assert.equal(strict.postern.decide("miner:read", AT_S1).reason, "stale");
});

test("a permission may ask for a younger slice, by pattern and by question", async () => {
  const { gateway, postern, changes } = await watch(
    { verify: verified(), maxAge: { "miner:*": 30 } },
    await signed(five, 5, { iat: seconds() - 40 }),
  );
  const stale = { decision: "deny", reason: "stale", revision: 5 };
  assert.equal(postern.can("miner:read", AT_S1), false);
  assert.deepEqual(postern.decide("miner:read", AT_S1), stale);
  assert.equal(postern.anywhere("miner:read"), false);
  assert.deepEqual(postern.filter("miner:read", "site"), []);
  assert.deepEqual(postern.actions(AT_S1), ["fleet:read"]);
  assert.equal(postern.can("fleet:read", AT_S1), true);
  assert.equal(postern.can("fleet:read", AT_S1, undefined, { maxAge: 300 }), true);
  for (const maxAge of [30, 0, NaN]) {
    assert.equal(postern.can("fleet:read", AT_S1, undefined, { maxAge }), false);
    assert.deepEqual(postern.decide("fleet:read", AT_S1, undefined, { maxAge }), stale);
  }
  gateway.state(await signed(five, 5));
  await until(() => changes.length > 0, "a change");
  assert.deepEqual(changes, [{ cause: "freshness", revision: 5 }]);
  assert.equal(postern.can("miner:read", AT_S1), true);
  assert.deepEqual(postern.actions(AT_S1), ["fleet:read", "miner:read"]);
  assert.equal(postern.can("fleet:read", AT_S1, undefined, { maxAge: 30 }), true);
  assert.equal(postern.can(Symbol("none") as unknown as string), false, "and never throws");
});

test("the end of freshness is told when it comes, and denies where that was asked for", async () => {
  for (const whenStale of ["keep", "deny"] as const) {
    const iat = seconds();
    const end = (iat + 2) * 1000;
    const { gateway, postern, changes } = await watch({ whenStale }, await signed(five, 5, { exp: iat + 2 }));
    assert.equal(postern.can("miner:read", AT_S1), true);
    await until(() => changes.length > 0, "the end");
    // The two clocks need not agree to the millisecond.
    assert.ok(Date.now() >= end - 20 && Date.now() < end + 1000, `${Date.now() - end}`);
    assert.equal(postern.freshness().fresh, false);
    assert.equal(postern.can("miner:read", AT_S1), whenStale === "keep");
    assert.equal(postern.decide("miner:read", AT_S1).reason, whenStale === "keep" ? "assignment" : "stale");
    gateway.state(await signed(five, 5));
    await until(() => changes.length > 1, "its return");
    assert.equal(postern.can("miner:read", AT_S1), true);
    assert.deepEqual(changes, [
      { cause: "freshness", revision: 5 },
      { cause: "freshness", revision: 5 },
    ]);
  }
});
