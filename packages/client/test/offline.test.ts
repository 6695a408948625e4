// Beginning without a network, on what was kept: what it decides, how old it is, and when it is gone.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { connect, type ConnectOptions } from "../src/index.js";
import { inStorage, type Kept, type SliceStorage } from "../src/offline.js";
import { verified } from "../src/statements.js";
import { aWhile, until, type TestGateway } from "./gateway.js";
import { Signer } from "./signing.js";
import { clientOf, FAST, gatewayOf, greeting, rejected, seconds, state } from "./watched.js";
import { FLEET, fleetAt, sliceOf, technician } from "./worlds.js";

const AT_S1 = { type: "site", id: "s1" };
const AT_S3 = { type: "site", id: "s3" };
const TOM = { organization: "acme", subject: "user:tom" };

let five: Uint8Array;
let six: Uint8Array;
let signer: Signer;
let stranger: Signer;

before(async () => {
  five = sliceOf(FLEET, "user:tom");
  six = sliceOf(fleetAt(6, [technician("user:tom", "s3")]), "user:tom");
  [signer, stranger] = [await Signer.random(), await Signer.random()];
});

function memory(): SliceStorage & { all: Map<string, Kept> } {
  const all = new Map<string, Kept>();
  return {
    all,
    get: async (key) => all.get(key),
    set: async (key, kept) => void all.set(key, kept),
    delete: async (key) => void all.delete(key),
  };
}

const keyOf = (gateway: TestGateway): string => JSON.stringify([gateway.url, "acme", "user:tom"]);

interface Away {
  gateway: TestGateway;
  storage: ReturnType<typeof memory>;
  options: Partial<ConnectOptions>;
}

/** Where a gateway is, but answers nobody; a slice was kept while it did. */
async function away(options: Partial<ConnectOptions> = {}): Promise<Away> {
  const gateway = await gatewayOf(five, signer);
  const storage = memory();
  const all = { offline: inStorage(storage, TOM), ...options };
  const { postern } = await clientOf(gateway, all);
  await until(() => storage.all.size === 1, "what is kept");
  postern.close();
  gateway.refuse = 503;
  return { gateway, storage, options: all };
}

test("a page begins on what was kept, of its age, and goes on with the gateway's state", async () => {
  for (const verify of [undefined, verified()]) {
    const { gateway, storage, options } = await away(verify && { verify });
    const { postern, changes } = await clientOf(gateway, options, "reconnecting");
    assert.equal(postern.can("miner:read", AT_S1), true);
    const { ageMs = Infinity, ...freshness } = postern.freshness();
    assert.deepEqual(freshness, { revision: 5, asOf: 5, fresh: true });
    assert.ok(ageMs < 10_000, `${ageMs}`);
    gateway.bytes = six;
    gateway.greeting = greeting(await state(signer, six, { revision: 6 }), six);
    gateway.refuse = undefined;
    await until(() => postern.revision === 6, "the gateway's state");
    assert.equal(postern.can("miner:read", AT_S3), true);
    assert.deepEqual(changes.at(-1), { cause: "revision", revision: 6 });
    await until(() => storage.all.get(keyOf(gateway))?.bytes.length === six.length, "the newer one is kept");
    postern.close();
    gateway.refuse = 503;
    const next = await clientOf(gateway, options, "reconnecting");
    assert.equal(next.postern.revision, 6);
  }
});

test("time that has passed since then counts: for freshness, and as silence", async () => {
  const old = async (options: Partial<ConnectOptions>): Promise<Away> => {
    const all = await away(options);
    const kept = all.storage.all.get(keyOf(all.gateway));
    assert.ok(kept);
    const statement = await state(signer, five, { iat: seconds() - 90 });
    await all.storage.set(keyOf(all.gateway), { ...kept, statement });
    return all;
  };
  const { gateway, options } = await old({ verify: verified(), whenStale: "deny" });
  const { postern } = await clientOf(gateway, options, "stale");
  assert.equal(postern.freshness().fresh, false);
  assert.ok((postern.freshness().ageMs ?? 0) >= 90_000);
  assert.equal(postern.decide("miner:read", AT_S1).reason, "stale");
  gateway.greeting = greeting(await state(signer, five, {}));
  gateway.refuse = undefined;
  await until(() => postern.can("miner:read", AT_S1), "a statement about what was kept is enough");
  const silent = await old({ denyMs: 80_000 });
  const denied = await clientOf(silent.gateway, silent.options, "stale");
  assert.equal(
    denied.postern.can("miner:read", AT_S1),
    false,
    "a page that is opened again hears nothing by that",
  );
  const patient = await old({ denyMs: 3_600_000 });
  const allowed = await clientOf(patient.gateway, patient.options, "stale");
  assert.equal(allowed.postern.can("miner:read", AT_S1), true);
});

test("what was kept is verified and held against its owner, or the gateway is waited for", async () => {
  const keys = JSON.stringify({ keys: [signer.jwk] });
  const at = Date.now();
  const ann = sliceOf(FLEET, "user:ann");
  const statement = await state(signer, five, {});
  const about = async (bytes: Uint8Array, said = {}): Promise<Kept> => ({
    bytes,
    statement: await state(signer, bytes, said),
    keys,
    at,
  });
  const bad: [string, Kept][] = [
    ["storage", { bytes: five, keys, at } as never],
    ["unverified malformed", { bytes: five, statement: "a.b.c", keys, at }],
    ["unverified malformed", { bytes: five, statement, keys: undefined, at }],
    [
      "unverified unknown_key",
      { bytes: five, statement, keys: JSON.stringify({ keys: [stranger.jwk] }), at },
    ],
    ["unverified other_bytes", { bytes: six, statement, keys, at }],
    ["unverified other_state", await about(ann, { subject: "user:ann" })],
    ["unverified other_state", await about(five, { organization: "other" })],
    ["subject_mismatch", await about(ann)],
    ["bad_slice", await about(new Uint8Array(9))],
    ["storage", { bytes: five, statement, keys, at: at + 60_000 }],
    ["storage", { bytes: five, statement, keys } as never],
  ];
  const unverified = new Set(["other_bytes", "other_state"].map((code) => `unverified ${code}`));
  for (const verify of [verified(), undefined]) {
    for (const [code, kept] of bad) {
      if (verify === undefined && code.startsWith("unverified") && !unverified.has(code)) continue;
      const { gateway, storage, options } = await away(verify && { verify });
      await storage.set(keyOf(gateway), kept);
      const errors: string[] = [];
      const connecting = connect({
        url: gateway.url,
        token: "t",
        connectMs: 50,
        ...FAST,
        ...options,
        onError: (error) => errors.push(rejected(code)(error) ? code : String(error)),
      });
      await assert.rejects(connecting, rejected("unavailable"), code);
      assert.deepEqual(errors, [code]);
    }
  }
});

test("another gateway, organization or subject begins with nothing, and is given nobody else's", async () => {
  const { gateway, storage } = await away();
  for (const other of [{ subject: "user:ann" }, { organization: "other" }]) {
    const offline = inStorage(storage, { ...TOM, ...other });
    const connecting = connect({ url: gateway.url, token: "t", connectMs: 30, ...FAST, offline });
    await assert.rejects(connecting, rejected("unavailable"));
  }
  gateway.refuse = undefined;
  const offline = inStorage(storage, { ...TOM, subject: "user:ann" });
  await assert.rejects(
    connect({ url: gateway.url, token: "t", verify: verified(), offline }),
    rejected("unverified other_state"),
  );
});

test("a key that was withdrawn meanwhile is not believed for lying on disk", async () => {
  const { gateway, storage, options } = await away({ verify: verified() });
  // A forged state of a later revision, signed with the key that leaked.
  const forged = sliceOf(
    fleetAt(9, [technician("user:tom", "s1"), technician("user:tom", "s3")]),
    "user:tom",
  );
  await storage.set(keyOf(gateway), {
    bytes: forged,
    statement: await state(signer, forged, { revision: 9 }),
    keys: JSON.stringify({ keys: [signer.jwk] }),
    at: Date.now(),
  });
  const { postern, errors, changes } = await clientOf(gateway, options, "reconnecting");
  assert.equal(postern.revision, 9);
  gateway.keys = { keys: [stranger.jwk] };
  gateway.greeting = greeting(await state(stranger, six, { revision: 6 }), six);
  gateway.refuse = undefined;
  await until(() => postern.revision === 6, "the gateway's state");
  assert.equal(postern.can("miner:read", AT_S1), false);
  assert.ok(errors.includes("unverified unknown_key"));
  assert.deepEqual(changes.at(-1), { cause: "revision", revision: 6 });
  assert.equal(postern.freshness().fresh, true);
  await until(() => storage.all.get(keyOf(gateway))?.bytes.length === six.length, "the gateway's is kept");
});

test("a key that is still good is not asked about again, and an older state leads nowhere back", async () => {
  const { gateway, options } = await away({ verify: verified() });
  const { postern, errors } = await clientOf(gateway, options, "reconnecting");
  const four = sliceOf(fleetAt(4, []), "user:tom");
  gateway.bytes = four;
  gateway.statement = await state(signer, four, { revision: 4 });
  gateway.greeting = greeting(gateway.statement, four);
  gateway.refuse = undefined;
  await until(() => errors.includes("unverified older"), "a refusal");
  await aWhile();
  assert.equal(postern.revision, 5);
});

test("who is refused has nothing to begin with any more, and who forgets neither", async () => {
  for (const status of [401, 403]) {
    const { gateway, storage, options } = await away();
    gateway.refuse = status;
    const { postern } = await clientOf(gateway, options, "closed");
    assert.equal(postern.error?.code, status === 401 ? "unauthorized" : "forbidden");
    await until(() => storage.all.size === 0, "nothing is kept");
  }
  const { gateway, storage, options } = await away();
  gateway.refuse = undefined;
  const { postern } = await clientOf(gateway, options);
  await until(() => gateway.streams === 1, "a stream");
  await postern.forget();
  gateway.push(6, six, await state(signer, six, { revision: 6 }));
  await until(() => postern.revision === 6, "revision 6");
  await aWhile();
  assert.equal(storage.all.size, 0);
  assert.equal(postern.can("miner:read", AT_S3), true, "decisions go on");
});

test("a source of tokens that cannot be reached is no refusal", async () => {
  const { gateway, options } = await away();
  gateway.refuse = undefined;
  let reachable = false;
  const token = (): Promise<string> =>
    reachable ? Promise.resolve("t") : Promise.reject(new TypeError("fetch failed"));
  const { postern } = await clientOf(gateway, { ...options, token }, "reconnecting");
  await aWhile();
  assert.equal(postern.can("miner:read", AT_S1), true);
  reachable = true;
  await until(() => postern.status === "live", "live");
});

test("a storage that fails or hangs keeps nobody from connecting", async () => {
  const fails = (): never => {
    throw new Error("quota");
  };
  const rejects = (): Promise<never> => Promise.reject(new Error("quota"));
  const hangs = (): Promise<never> => new Promise(() => undefined);
  for (const broken of [fails, rejects, hangs]) {
    const gateway = await gatewayOf(five, signer);
    const storage: SliceStorage = { get: broken, set: broken, delete: broken };
    const { postern, errors } = await clientOf(gateway, { offline: inStorage(storage, TOM) });
    assert.equal(postern.can("miner:read", AT_S1), true);
    assert.ok(errors.includes("storage"));
    if (broken !== hangs) await postern.forget();
  }
});

test("statements alone are not written each time, and a slice without one not at all", async () => {
  const kept: Kept[] = [];
  const storage: SliceStorage = { ...memory(), set: async (_, each) => void kept.push(each) };
  const gateway = await gatewayOf(five, signer);
  const { postern } = await clientOf(gateway, { offline: inStorage(storage, TOM) });
  await until(() => gateway.streams === 1, "a stream");
  for (const asOf of [6, 7, 8]) {
    gateway.state(await state(signer, five, { as_of: asOf }));
    await until(() => postern.freshness().asOf === asOf, "the statement");
  }
  assert.equal(kept.length, 1);
  const nine = sliceOf(fleetAt(9), "user:tom");
  gateway.push(9, nine, await state(signer, nine, { revision: 9 }));
  await until(() => kept.length === 2, "other bytes");
  const silent = await gatewayOf(five, signer);
  silent.statement = undefined;
  const stores = memory();
  await clientOf(silent, { offline: inStorage(stores, TOM) });
  await aWhile();
  assert.equal(stores.all.size, 0);
});
