// Whether the catalog in force is the one that code was generated from: what is told, when, and to whom.

import assert from "node:assert/strict";
import { before, mock, test } from "node:test";
import type { CatalogState, ConnectOptions } from "../src/index.js";
import { inStorage, type Kept, type SliceStorage } from "../src/offline.js";
import { tabs, type TabsHost } from "../src/tabs.js";
import { aWhile, until } from "./gateway.js";
import { Signer } from "./signing.js";
import { clientOf, gatewayOf, state, type Watched } from "./watched.js";
import { fleetAt, sliceOf } from "./worlds.js";

const OURS = "a".repeat(64);
const OTHER = "b".repeat(64);
const THIRD = "c".repeat(64);

let slices: Uint8Array[];
let signer: Signer;

before(async () => {
  slices = [5, 6, 7, 8].map((revision) => sliceOf(fleetAt(revision), "user:ann"));
  signer = await Signer.random();
});

const bytes = (revision: number): Uint8Array => slices[revision - 5] ?? new Uint8Array();

async function open(catalog: string | undefined, options: Partial<ConnectOptions> = {}): Promise<Watched> {
  const gateway = await gatewayOf(bytes(5), signer);
  // Statements that the stream does not repeat would only be in the way.
  gateway.statement = undefined;
  gateway.catalog = catalog;
  return clientOf(gateway, options);
}

/** Sends a newer slice, of this catalog, and waits until it is in force. */
async function push(
  { gateway, postern }: Watched,
  revision: number,
  catalog: string | undefined,
): Promise<void> {
  gateway.catalog = catalog;
  gateway.push(revision, bytes(revision));
  await until(() => postern.revision === revision, `revision ${revision}`);
  await aWhile();
}

test("another catalog is told when it comes into force, and when the expected one is back", async () => {
  const told: CatalogState[] = [];
  const client = await open(OURS, { catalog: OURS, onCatalogMismatch: (each) => told.push(each) });
  const { postern, changes, errors } = client;
  assert.deepEqual(postern.catalog, { expected: OURS, current: OURS, matches: true });
  await push(client, 6, OTHER);
  const mismatch = { expected: OURS, current: OTHER, matches: false };
  assert.deepEqual(postern.catalog, mismatch);
  assert.deepEqual(told, [mismatch]);
  assert.equal(postern.can("user:manage"), true, "decisions go on");
  await push(client, 7, OTHER);
  await push(client, 8, OURS);
  assert.deepEqual(postern.catalog, { expected: OURS, current: OURS, matches: true });
  assert.deepEqual(told, [mismatch], "once");
  assert.deepEqual(
    changes.map(({ cause, revision }) => `${cause} ${revision}`),
    ["revision 6", "catalog 6", "revision 7", "revision 8", "catalog 8"],
  );
  assert.deepEqual(errors, []);
});

test("by default a warning names both, once for each catalog", async () => {
  const warn = mock.method(console, "warn", () => undefined);
  try {
    const client = await open(OTHER, { catalog: OURS });
    await push(client, 6, OTHER);
    assert.equal(warn.mock.callCount(), 1);
    await push(client, 7, THIRD);
    const lines = warn.mock.calls.map(({ arguments: [line] }) => String(line));
    assert.equal(lines.length, 2);
    assert.ok(lines[0]?.includes(OURS) && lines[0].includes(OTHER), lines[0]);
    assert.match(lines[0] ?? "", /reload, or run `postern codegen`/);
    assert.ok(lines[1]?.includes(THIRD), lines[1]);
  } finally {
    warn.mock.restore();
  }
});

test("who expects nothing is told nothing", async () => {
  const warn = mock.method(console, "warn", () => undefined);
  try {
    const client = await open(OURS);
    await push(client, 6, OTHER);
    assert.equal(client.postern.catalog, undefined);
    assert.deepEqual(client.changes, [{ cause: "revision", revision: 6 }]);
    assert.equal(warn.mock.callCount(), 0);
  } finally {
    warn.mock.restore();
  }
});

test("a gateway that tells of no catalog leaves open whether it matches", async () => {
  const client = await open(undefined, {
    catalog: OURS,
    onCatalogMismatch: () => assert.fail("it is not known"),
  });
  const unknown = { expected: OURS, current: undefined, matches: undefined };
  assert.deepEqual(client.postern.catalog, unknown);
  await push(client, 6, undefined);
  assert.deepEqual(client.postern.catalog, unknown);
  await push(client, 7, OURS);
  assert.equal(client.postern.catalog?.matches, true);
});

test("the catalog of a slice that is refused does not count", async () => {
  const client = await open(OURS, {
    catalog: OURS,
    onCatalogMismatch: () => assert.fail("it is not in force"),
  });
  client.gateway.catalog = OTHER;
  client.gateway.bytes = bytes(5).slice(1);
  client.gateway.push(6, bytes(6).slice(1));
  await until(() => client.errors.includes("bad_slice"), "a damaged slice");
  await aWhile();
  assert.deepEqual(client.postern.catalog, { expected: OURS, current: OURS, matches: true });
});

test("who fails when told keeps nothing from coming into force", async () => {
  const fail = (): never => assert.fail("a mistake of the page");
  const client = await open(OTHER, { catalog: OURS, onCatalogMismatch: fail });
  await push(client, 6, THIRD);
  assert.equal(client.postern.catalog?.current, THIRD);
  assert.deepEqual(client.errors, []);
});

test("a page that begins without a network knows of no catalog until the gateway is there", async () => {
  const kept = new Map<string, Kept>();
  const storage: SliceStorage = {
    get: async (key) => kept.get(key),
    set: async (key, slice) => void kept.set(key, slice),
    delete: async (key) => void kept.delete(key),
  };
  const offline = inStorage(storage, { organization: "acme", subject: "user:ann" });
  const gateway = await gatewayOf(bytes(5), signer);
  gateway.statement = await state(signer, bytes(5), { revision: 5, subject: "user:ann" });
  gateway.catalog = OURS;
  const options = { catalog: OURS, offline };
  const first = await clientOf(gateway, options);
  await until(() => kept.size === 1, "what is kept");
  first.postern.close();
  gateway.refuse = 503;
  const { postern } = await clientOf(gateway, options, "reconnecting");
  assert.deepEqual(postern.catalog, { expected: OURS, current: undefined, matches: undefined });
  gateway.refuse = undefined;
  await postern.refresh();
  assert.equal(postern.catalog?.matches, true);
});

test("a tab that listens to another one hears of it, too", async () => {
  // The lock is another tab's, which says nothing: the slice of the tab's own request is all that comes.
  const host: TabsHost = {
    locks: {
      request: (_, { ifAvailable }, held) => (ifAvailable ? held(null) : new Promise(() => undefined)),
    },
    channel: () => ({ postMessage: () => undefined, onmessage: null, close: () => undefined }),
  };
  const gateway = await gatewayOf(bytes(5), signer);
  gateway.statement = undefined;
  gateway.catalog = OURS;
  // What is fetched when the stream would be opened is another revision than the first.
  const share = tabs(host);
  const { postern } = await clientOf(gateway, {
    catalog: OURS,
    onCatalogMismatch: () => undefined,
    share: (fetcher, whose) => {
      const shared = share(fetcher, whose);
      return (input, init) => {
        if (String(input).endsWith("/stream")) {
          gateway.bytes = bytes(6);
          gateway.catalog = OTHER;
        }
        return shared(input, init);
      };
    },
  });
  await until(() => postern.revision === 6, "revision 6");
  await until(() => postern.catalog?.current === OTHER, "its catalog");
});
