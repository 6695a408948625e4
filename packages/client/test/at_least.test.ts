// Waiting for what was written: until the stream or the gateway has brought it, and not for ever.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { atLeast } from "../src/at_least.js";
import { aWhile } from "./gateway.js";
import { sha256, Signer } from "./signing.js";
import { clientOf, gatewayOf, rejected, state } from "./watched.js";
import { FLEET, fleetAt, sliceOf } from "./worlds.js";

const AT_S1 = { type: "site", id: "s1" };
const MARK = sha256("acme").slice(0, 16);

let five: Uint8Array;
let six: Uint8Array;
let signer: Signer;

before(async () => {
  [five, six] = [sliceOf(FLEET, "user:tom"), sliceOf(fleetAt(6, []), "user:tom")];
  signer = await Signer.random();
});

test("who has written waits until answers know of it", async () => {
  const { gateway, postern } = await clientOf(await gatewayOf(five, signer));
  await atLeast(postern, 5);
  await atLeast(postern, `5.${MARK}`);
  const requests = gateway.seen.length;
  const sixth = await state(signer, six, { revision: 6 });
  const waiting = atLeast(postern, `6.${MARK}`);
  gateway.push(6, six, sixth);
  await waiting;
  assert.equal(postern.can("miner:read", AT_S1), false);
  assert.equal(gateway.seen.length, requests, "the stream was fast enough");
  // The stream says nothing: then it asks, and a statement about the same bytes is enough.
  gateway.bytes = six;
  gateway.statement = await state(signer, six, { revision: 6, as_of: 7 });
  await atLeast(postern, 7);
  await assert.rejects(atLeast(postern, 8, { timeoutMs: 250 }), rejected("revision_not_reached"));
});

test("a gateway that is away for a moment is waited for, one that is closed is not", async () => {
  const { gateway, postern } = await clientOf(await gatewayOf(five, signer));
  gateway.refuse = 503;
  const waiting = atLeast(postern, 6);
  setTimeout(async () => {
    gateway.bytes = six;
    gateway.statement = await state(signer, six, { revision: 6 });
    gateway.refuse = undefined;
  }, 150);
  await waiting;
  assert.equal(postern.revision, 6);
  const closed = atLeast(postern, 9);
  await aWhile();
  postern.close();
  await assert.rejects(closed, rejected("closed"));
  await assert.rejects(atLeast(postern, 5), rejected("closed"));
});

test("what is no revision, and no token of this organization, is refused", async () => {
  const { postern } = await clientOf(await gatewayOf(five, signer));
  for (const bad of [`5.${MARK.replace(/./g, "0")}`, "5", `05.${MARK}`, `5.${MARK}0`, "", null, NaN, -1, 1.5])
    await assert.rejects(atLeast(postern, bad), rejected("invalid_request"), String(bad));
});

test("without statements the revision of the slice has to do", async () => {
  const gateway = await gatewayOf(five, signer);
  gateway.statement = undefined;
  const { postern } = await clientOf(gateway);
  await atLeast(postern, 5);
  const waiting = atLeast(postern, 6);
  gateway.push(6, six);
  await waiting;
});
