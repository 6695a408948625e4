// What happens over time: newer slices, worse ones, and every way of losing the gateway.

import assert from "node:assert/strict";
import { afterEach, before, test } from "node:test";
import {
  connect,
  PosternError,
  type Change,
  type ConnectOptions,
  type Postern,
  type Status,
} from "../src/index.js";
import { aWhile, TestGateway, until } from "./gateway.js";
import { FLEET, fleetAt, sliceOf, snapshotOf, technician } from "./worlds.js";

const FAST = { retryMinMs: 5, retryMaxMs: 20 } as const;
const AT_S1 = { type: "site", id: "s1" };
const AT_S3 = { type: "site", id: "s3" };

/** Slices of Tom: at revision 5 a technician at s1, at 6 at s3 as well, at 7 nowhere. */
let five: Uint8Array;
let six: Uint8Array;
let seven: Uint8Array;

const open: (() => Promise<void> | void)[] = [];

before(() => {
  five = sliceOf(FLEET, "user:tom");
  six = sliceOf(fleetAt(6, [...FLEET.assignments, technician("user:tom", "s3")]), "user:tom");
  seven = sliceOf(fleetAt(7, []), "user:tom");
});

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Watched {
  gateway: TestGateway;
  postern: Postern;
  changes: Change[];
  errors: string[];
  statuses: Status[];
}

async function watch(
  bytes: Uint8Array,
  options: Partial<ConnectOptions> = {},
  setUp?: (gateway: TestGateway) => void,
): Promise<Watched> {
  const gateway = await TestGateway.start(bytes);
  open.push(() => gateway.stop());
  setUp?.(gateway);
  const errors: string[] = [];
  const postern = await connect({
    url: gateway.url,
    token: "t",
    onError: (error) => errors.push(error.code),
    ...FAST,
    ...options,
  });
  open.unshift(() => postern.close());
  const changes: Change[] = [];
  const statuses: Status[] = [];
  postern.subscribe((change) => changes.push(change));
  postern.onStatus((status) => statuses.push(status));
  if (postern.status === "connecting") await until(() => postern.status === "live", "live");
  return { gateway, postern, changes, errors, statuses };
}

const rejected = (code: string) => (error: unknown) => error instanceof PosternError && error.code === code;

test("a newer slice is in force at once, and is told once", async () => {
  const { gateway, postern, changes } = await watch(five);
  assert.equal(postern.can("miner:read", AT_S3), false);
  gateway.push(6, six);
  await until(() => changes.length > 0, "a change");
  assert.equal(postern.can("miner:read", AT_S3), true);
  assert.equal(postern.revision, 6);
  gateway.push(6, six);
  gateway.push(5, five);
  gateway.send(": heartbeat\n\n");
  await aWhile();
  assert.equal(postern.can("miner:read", AT_S3), true, "an older slice does not come back");
  assert.deepEqual(changes, [{ cause: "revision", revision: 6 }]);
});

test("a listener sees the new slice, and one that throws does not silence the others", async () => {
  const { gateway, postern, errors } = await watch(five);
  const seen: boolean[] = [];
  postern.subscribe(() => {
    throw new Error("mine");
  });
  const stop = postern.subscribe(() => seen.push(postern.can("miner:read", AT_S1)));
  gateway.push(7, seven);
  await until(() => seen.length > 0, "a change");
  assert.deepEqual(seen, [false]);
  assert.deepEqual(errors, ["listener"]);
  stop();
  gateway.push(8, sliceOf(fleetAt(8), "user:tom"));
  await until(() => postern.revision === 8, "revision 8");
  assert.equal(seen.length, 1);
});

test("damaged bytes never replace the slice in force", async () => {
  const { gateway, postern, errors, changes } = await watch(five);
  for (let at = 0; at < six.length; at += 7) {
    const damaged = six.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x5a;
    gateway.push(6, damaged);
  }
  gateway.push(6, six.slice(0, six.length / 2));
  gateway.push(6, new Uint8Array());
  gateway.send("event: state\ndata: {\n\n");
  gateway.send('event: state\ndata: {"bytes":"%%%"}\n\n');
  gateway.send("event: later\ndata: whatever\n\n");
  await until(() => errors.includes("bad_slice") && errors.includes("protocol"), "reports");
  await aWhile();
  assert.equal(postern.revision, 5);
  assert.equal(postern.can("miner:read", AT_S1), true);
  assert.equal(postern.status, "live");
  assert.deepEqual(changes, []);
});

test("after a damaged event the slice is fetched from its address", async () => {
  const { gateway, postern } = await watch(five);
  gateway.bytes = six;
  gateway.push(6, six.slice(1));
  await until(() => postern.revision === 6, "revision 6");
});

test("a slice of another organization, of another subject, or a whole snapshot is refused", async () => {
  const { gateway, postern, errors } = await watch(five);
  gateway.push(9, sliceOf({ ...fleetAt(9), organization: "evil" }, "user:tom"));
  gateway.push(9, sliceOf(fleetAt(9), "user:ann"));
  gateway.push(9, snapshotOf(fleetAt(9)));
  await until(() => errors.length >= 3, "three refusals");
  assert.deepEqual(errors, ["organization_mismatch", "subject_mismatch", "bad_slice"]);
  assert.equal(postern.revision, 5);
  assert.equal(postern.can("user:manage"), false);
});

test("an organization that was asked for is held against the first slice too", async () => {
  const gateway = await TestGateway.start(five);
  open.push(() => gateway.stop());
  await assert.rejects(
    connect({ url: gateway.url, token: "t", organization: "other" }),
    rejected("organization_mismatch"),
  );
  await assert.rejects(
    connect({ url: gateway.url, token: "t", organization: "acme", signal: AbortSignal.abort() }),
    rejected("closed"),
  );
});

test("a lost stream is opened again where it ended, and what was missed arrives", async () => {
  const { gateway, postern, statuses, changes } = await watch(five);
  gateway.drop();
  gateway.greeting = "";
  await until(() => gateway.streams === 1 && postern.status === "live", "live again");
  assert.deepEqual(statuses.slice(-2), ["reconnecting", "live"]);
  assert.equal(gateway.seen.at(-1)?.lastEventId, "5");
  assert.equal(gateway.seen.at(-1)?.ifNoneMatch, '"now"', "what is in force need not be sent again");
  assert.deepEqual(changes, [], "a lost stream is no change of permissions");
  assert.equal(postern.can("miner:read", AT_S1), true);
  gateway.push(6, six);
  await until(() => postern.revision === 6, "revision 6");
  gateway.drop();
  await until(() => gateway.streams === 1, "a third stream");
  assert.equal(gateway.seen.at(-1)?.lastEventId, "6");
  assert.equal(gateway.seen.at(-1)?.ifNoneMatch, '"6"');
});

test("a gateway that is away is waited for, and the page goes on", async () => {
  const { gateway, postern, errors } = await watch(five, { staleMs: 60 });
  gateway.refuse = 503;
  gateway.drop();
  await until(() => postern.status === "stale", "stale");
  assert.equal(postern.can("miner:read", AT_S1), true);
  assert.ok(errors.includes("unavailable"));
  gateway.refuse = undefined;
  await until(() => postern.status === "live", "live again");
});

test("with `denyMs` a long silence denies everything until the gateway is heard", async () => {
  const { gateway, postern, changes } = await watch(five, { staleMs: 20, denyMs: 60 });
  gateway.refuse = 503;
  gateway.drop();
  await until(() => !postern.can("miner:read", AT_S1), "a deny");
  assert.deepEqual(postern.decide("miner:read", AT_S1), { decision: "deny", reason: "stale", revision: 5 });
  assert.deepEqual(postern.filter("miner:read", "site"), []);
  assert.equal(postern.anywhere("miner:read"), false);
  gateway.refuse = undefined;
  await until(() => postern.can("miner:read", AT_S1), "an allow");
  assert.deepEqual(
    changes.map((change) => change.cause),
    ["status", "status"],
  );
});

test("a stream that has gone silent is taken for dead", async () => {
  const { gateway, postern } = await watch(five, { silenceMs: 40 });
  const before = gateway.seen.length;
  await until(() => gateway.seen.length > before, "another stream");
  await until(() => postern.status === "live", "live again");
  assert.equal(postern.can("miner:read", AT_S1), true);
});

test("a token that has expired is asked for again", async () => {
  const given = ["first", "second", "third"];
  const { gateway, postern } = await watch(
    five,
    { token: async () => given.shift() ?? "none" },
    (gateway) => {
      gateway.tokens = new Set(["first", "second"]);
    },
  );
  gateway.tokens = new Set(["third"]);
  gateway.drop();
  await until(() => gateway.streams === 1, "a stream with the third token");
  assert.equal(gateway.seen.at(-1)?.authorization, "Bearer third");
  assert.equal(postern.can("miner:read", AT_S1), true);
});

test("without a token that works the client stops and denies", async () => {
  const { gateway, postern, changes, statuses, errors } = await watch(
    five,
    { token: () => "good" },
    (gateway) => {
      gateway.tokens = new Set(["good"]);
    },
  );
  gateway.tokens = new Set();
  gateway.drop();
  await until(() => postern.status === "closed", "closed");
  assert.equal(postern.error?.code, "unauthorized");
  assert.deepEqual(postern.decide("miner:read", AT_S1), { decision: "deny", reason: "closed", revision: 5 });
  assert.deepEqual(changes, [{ cause: "status", revision: 5 }]);
  assert.equal(statuses.at(-1), "closed");
  assert.equal(errors.at(-1), "unauthorized");
  const requests = gateway.seen.length;
  await aWhile();
  assert.equal(gateway.seen.length, requests, "nothing is tried any more");
});

test("a fixed token that is refused is not tried twice", async () => {
  const gateway = await TestGateway.start(five);
  open.push(() => gateway.stop());
  gateway.tokens = new Set();
  await assert.rejects(connect({ url: gateway.url, token: "t" }), rejected("unauthorized"));
  assert.equal(gateway.seen.length, 1);
  const noToken = (): Promise<string> => Promise.reject(new Error("signed out"));
  await assert.rejects(connect({ url: gateway.url, token: noToken }), rejected("unauthorized"));
  gateway.refuse = 403;
  await assert.rejects(connect({ url: gateway.url, token: "t" }), rejected("forbidden"));
});

test("connecting tries for as long as it may, and tells what it found", async () => {
  const gateway = await TestGateway.start(five);
  open.push(() => gateway.stop());
  gateway.refuse = 503;
  await assert.rejects(
    connect({ url: gateway.url, token: "t", connectMs: 50, ...FAST }),
    rejected("unavailable"),
  );
  assert.ok(gateway.seen.length > 1, "more than one attempt");
  setTimeout(() => (gateway.refuse = undefined), 60);
  const postern = await connect({ url: gateway.url, token: "t", ...FAST });
  postern.close();
  gateway.bytes = new TextEncoder().encode("no slice at all");
  await assert.rejects(connect({ url: gateway.url, token: "t" }), rejected("bad_slice"));
  await assert.rejects(connect({ url: `${gateway.url}elsewhere`, token: "t" }), rejected("protocol"));
  await assert.rejects(connect({ url: "file:///tmp", token: "t" }), rejected("protocol"));
});

test("a gateway may live below a path", async () => {
  const { gateway, postern } = await watch(five);
  gateway.prefix = "/authz/";
  const other = await connect({ url: gateway.url.replace(/\/$/, ""), token: "t" });
  open.unshift(() => other.close());
  assert.equal(other.revision, postern.revision);
  assert.ok(gateway.seen.some((request) => request.path === "/authz/v1/me/slice"));
});

test("closing ends the stream and every decision", async () => {
  const controller = new AbortController();
  const { gateway, postern, changes } = await watch(five, { signal: controller.signal });
  controller.abort();
  await until(() => gateway.streams === 0, "the stream's end");
  assert.equal(postern.status, "closed");
  assert.equal(postern.can("miner:read", AT_S1), false);
  assert.equal(postern.error, undefined);
  assert.equal(changes.length, 1);
  gateway.push(6, six);
  postern.close();
  await aWhile();
  assert.equal(postern.revision, 5);
  assert.equal(changes.length, 1);
});

test("an assignment that ends takes effect without a message", async () => {
  // Far enough ahead that cutting the slice and connecting are done before it.
  const end = Date.now() + 2000;
  const life = { expires_at: new Date(end).toISOString() };
  const { postern, changes } = await watch(
    sliceOf(fleetAt(6, [technician("user:zed", "s1", life)]), "user:zed"),
  );
  assert.equal(postern.can("miner:read", AT_S1), true);
  await until(() => changes.length > 0, "a change of time");
  assert.ok(Date.now() >= end);
  assert.deepEqual(changes, [{ cause: "time", revision: 6 }]);
  assert.equal(postern.can("miner:read", AT_S1), false);
});

test("an assignment that begins takes effect without a message", async () => {
  const begin = Date.now() + 2000;
  const life = { not_before: new Date(begin).toISOString() };
  const { postern, changes } = await watch(
    sliceOf(fleetAt(6, [technician("user:zed", "s1", life)]), "user:zed"),
  );
  assert.equal(postern.can("miner:read", AT_S1), false);
  await until(() => changes.length > 0, "a change of time");
  assert.ok(Date.now() >= begin);
  assert.deepEqual(changes, [{ cause: "time", revision: 6 }]);
  assert.equal(postern.can("miner:read", AT_S1), true);
});
