// One stream for several clients of one browser, here of one process: with Node's own BroadcastChannel, and with locks
// of its own where Node has none.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { ConnectOptions } from "../src/index.js";
import { verified } from "../src/statements.js";
import { tabs, type TabsChannel, type TabsHost } from "../src/tabs.js";
import { aWhile, until, type TestGateway } from "./gateway.js";
import { Signer } from "./signing.js";
import { clientOf, gatewayOf, greeting, state, type Watched } from "./watched.js";
import { FLEET, fleetAt, sliceOf, technician } from "./worlds.js";

const AT_S1 = { type: "site", id: "s1" };
const AT_S3 = { type: "site", id: "s3" };

let five: Uint8Array;
let six: Uint8Array;
let signer: Signer;

before(async () => {
  five = sliceOf(FLEET, "user:tom");
  six = sliceOf(fleetAt(6, [technician("user:tom", "s3")]), "user:tom");
  signer = await Signer.random();
});

/** Exclusive locks as the Web Locks API has them: first come, first served; a signal ends the waiting only. */
class Locks {
  readonly #queues = new Map<string, (() => Promise<void>)[]>();

  request(
    name: string,
    { ifAvailable = false, signal }: { ifAvailable?: boolean; signal?: AbortSignal },
    held: (lock: unknown) => Promise<void>,
  ): Promise<unknown> {
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    if (ifAvailable && queue.length > 0) return held(null);
    return new Promise((resolve, reject) => {
      const turn = async (): Promise<void> => {
        await held({ name }).then(resolve, reject);
        queue.shift();
        void queue[0]?.();
      };
      signal?.addEventListener("abort", () => {
        const at = queue.indexOf(turn);
        // Whoever holds it keeps it.
        if (at <= 0) return;
        queue.splice(at, 1);
        reject(new DOMException("left", "AbortError"));
      });
      queue.push(turn);
      if (queue.length === 1) void turn();
    });
  }
}

/** A browser: its tabs share locks, and everything that is said is heard. */
function browser(): TabsHost & { said: unknown[]; names: Set<string>; mute: boolean } {
  const host = {
    said: [] as unknown[],
    names: new Set<string>(),
    /** Nothing arrives: a leader that was frozen. */
    mute: false,
    locks: new Locks(),
    channel: (name: string): TabsChannel => {
      host.names.add(name);
      const channel = new BroadcastChannel(name);
      (channel as { unref?: () => void }).unref?.();
      return {
        postMessage: (message) => {
          host.said.push(message);
          if (!host.mute) channel.postMessage(message);
        },
        set onmessage(listener: ((event: MessageEvent) => void) | null) {
          (channel as { onmessage: unknown }).onmessage = listener;
        },
        get onmessage() {
          return null;
        },
        close: () => channel.close(),
      };
    },
  };
  return host;
}

const SECRET = "secret-token";

async function open(count: number, options: Partial<ConnectOptions> = {}): Promise<[TestGateway, Watched[]]> {
  const gateway = await gatewayOf(five, signer);
  const all: Watched[] = [];
  for (let tab = 0; tab < count; tab += 1)
    all.push(await clientOf(gateway, { token: SECRET, share: tabs(browser0), ...options }));
  return [gateway, all];
}

let browser0 = browser();

test("several tabs hold one stream, and each is as current as the one that holds it", async () => {
  browser0 = browser();
  const [gateway, all] = await open(3, { verify: verified() });
  assert.equal(gateway.streams, 1);
  gateway.push(6, six, await state(signer, six, { revision: 6 }));
  for (const { postern } of all) await until(() => postern.can("miner:read", AT_S3), "revision 6");
  gateway.state(await state(signer, six, { revision: 6, as_of: 9 }));
  for (const { postern } of all) await until(() => postern.freshness().asOf === 9, "a statement");
  for (const { errors, changes, postern } of all) {
    assert.deepEqual(errors, []);
    assert.deepEqual(changes, [{ cause: "revision", revision: 6 }]);
    assert.equal(postern.freshness().fresh, true);
  }
  assert.equal(gateway.streams, 1);
  assert.ok(browser0.said.length > 0);
  assert.ok(!JSON.stringify(browser0.said).includes(SECRET), "a token is never passed on");
  assert.deepEqual(
    [...browser0.names].map((name) => /^postern:[0-9a-f]{64}$/.test(name)),
    [true],
    "names tell nobody whose they are",
  );
});

test("when the tab that holds the stream goes, the next one takes over", async () => {
  browser0 = browser();
  const [gateway, [first, second, third]] = await open(3);
  assert.ok(first && second && third);
  const opened = (): number => gateway.seen.filter(({ path }) => path.endsWith("stream")).length;
  first.postern.close();
  await until(() => opened() === 2 && gateway.streams === 1, "a second stream");
  gateway.bytes = six;
  gateway.push(6, six);
  await until(() => second.postern.revision === 6 && third.postern.revision === 6, "revision 6");
  assert.equal(first.postern.revision, 5);
  // Whether it has followed or passed on what it heard: the last one goes on.
  const seven = sliceOf(fleetAt(7), "user:tom");
  gateway.bytes = seven;
  gateway.greeting = greeting(await state(signer, seven, { revision: 7 }), seven);
  second.postern.close();
  gateway.push(7, seven);
  await until(() => third.postern.revision === 7, "revision 7");
});

test("losing the gateway shows in every tab, and so does its return", async () => {
  browser0 = browser();
  const [gateway, all] = await open(2);
  gateway.refuse = 503;
  gateway.drop();
  for (const { postern } of all) await until(() => postern.status === "reconnecting", "reconnecting");
  gateway.refuse = undefined;
  for (const { postern } of all) await until(() => postern.status === "live", "live");
  for (const { postern } of all) assert.equal(postern.can("miner:read", AT_S1), true);
  assert.equal(gateway.streams, 1);
});

test("what happened between fetching and listening is fetched", async () => {
  browser0 = browser();
  const [gateway] = await open(1);
  const statement = await state(signer, six, { revision: 6 });
  // It comes into force when the new tab has its slice, and does not listen yet.
  const channel = (name: string): TabsChannel => {
    gateway.bytes = six;
    gateway.statement = statement;
    return browser0.channel(name);
  };
  const { postern } = await clientOf(gateway, { share: tabs({ locks: browser0.locks, channel }) });
  await until(() => postern.revision === 6, "revision 6");
  assert.equal(gateway.streams, 1);
});

test("subjects and gateways do not mix", async () => {
  browser0 = browser();
  const [gateway, [tom]] = await open(1);
  const others = await gatewayOf(sliceOf(FLEET, "user:ann"), signer);
  const [ann, elsewhere] = [await clientOf(others, { share: tabs(browser0) }), await gatewayOf(five, signer)];
  const tomElsewhere = await clientOf(elsewhere, { share: tabs(browser0) });
  assert.deepEqual([gateway.streams, others.streams, elsewhere.streams], [1, 1, 1]);
  assert.equal(browser0.names.size, 3);
  gateway.push(6, six);
  await until(() => tom?.postern.revision === 6, "revision 6");
  await aWhile();
  assert.deepEqual([ann.postern.revision, tomElsewhere.postern.revision], [5, 5]);
});

test("each tab judges for itself what it is passed", async () => {
  browser0 = browser();
  const [gateway, [leader, follower]] = await open(2, { verify: verified() });
  assert.ok(leader && follower);
  const [name] = browser0.names;
  const forger = browser0.channel(name ?? "");
  const data = JSON.stringify({ revision: 6, etag: '"6"', bytes: Buffer.from(six).toString("base64") });
  for (const message of [null, 7, "hello", {}, [null], [7], [{ type: 1, data: 2 }], [{ type: "state" }]])
    forger.postMessage(message);
  forger.postMessage([{ type: "state", data }]);
  await until(() => follower.errors.includes("unverified undefined"), "a refusal");
  await aWhile();
  assert.equal(follower.postern.revision, 5);
  assert.deepEqual(leader.errors, []);
  assert.equal(gateway.streams, 1);
  forger.close();
});

test("who hears nothing from the leader for long follows for itself", async () => {
  browser0 = browser();
  const [gateway, all] = await open(1);
  browser0.mute = true;
  const { postern } = await clientOf(gateway, { share: tabs(browser0), silenceMs: 400 });
  await until(() => gateway.streams === 2, "a stream of its own");
  gateway.push(6, six);
  await until(() => postern.revision === 6 && all[0]?.postern.revision === 6, "revision 6");
});

test("a tab whose token is refused ends alone; the others go on", async () => {
  browser0 = browser();
  const gateway = await gatewayOf(five, signer);
  gateway.tokens = new Set(["a", "b"]);
  const first = await clientOf(gateway, { share: tabs(browser0), token: "a" });
  const second = await clientOf(gateway, { share: tabs(browser0), token: "b" });
  gateway.tokens = new Set(["b"]);
  gateway.drop();
  await until(() => first.postern.status === "closed", "closed");
  await until(() => second.postern.status === "live" && gateway.streams === 1, "live");
  gateway.push(6, six);
  await until(() => second.postern.revision === 6, "revision 6");
  assert.equal(gateway.streams, 1);
});

test("where a browser refuses locks, each tab follows for itself", async () => {
  const refusing: TabsHost = {
    locks: { request: () => Promise.reject(new DOMException("no origin", "SecurityError")) },
    channel: (name) => browser().channel(name),
  };
  const gateway = await gatewayOf(five, signer);
  const throwing: TabsHost = {
    ...refusing,
    channel: () => {
      throw new DOMException("no origin", "SecurityError");
    },
  };
  for (const share of [refusing, throwing]) await clientOf(gateway, { share: tabs(share) });
  assert.equal(gateway.streams, 2);
  // What Node has today: no locks, or real ones in later versions. Either way it connects.
  const { postern } = await clientOf(gateway, { share: tabs() });
  assert.equal(postern.can("miner:read", AT_S1), true);
});
