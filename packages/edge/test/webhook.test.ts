// Webhooks: what is signed has the guard fetch what is new before it is answered; nothing else does anything.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { afterEach, before, test } from "node:test";
import { createGuard, PosternError, type Guard } from "../src/index.js";
import { receiveWebhooks, verifyWebhook } from "../src/webhook.js";
import { gatewayOf, seconds, shared, stateAll, type Gateway, type Signer as SignerOf } from "./setup.js";

const { FLEET, fleetAt, Signer, snapshotOf, technician } = shared;

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const S3 = { type: "site", id: "s3" };
const open: (() => Promise<void> | void)[] = [];
let five: Uint8Array;
let six: Uint8Array;
let authority: SignerOf;

before(async () => {
  [five, six] = [snapshotOf(FLEET), snapshotOf(fleetAt(6, [technician("user:tom", "s3")]))];
  authority = await Signer.random();
});

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function guarded(): Promise<{ gateway: Gateway; guard: Guard }> {
  const gateway = await gatewayOf(five, authority, await stateAll(authority, five, { revision: 5 }));
  open.push(() => gateway.stop());
  const guard = createGuard({ gateway: gateway.url, organization: "acme", key: "key", timeoutMs: 2_000 });
  open.unshift(() => guard.close());
  return { gateway, guard };
}

function message(said: object = {}): string {
  return JSON.stringify({ id: "rev_1", type: "revision", organization: "acme", revision: "6", ...said });
}

function request(
  body: string,
  { secret = SECRET, at = seconds(), id = "rev_1", more = "", method = "POST", without = "" } = {},
): Request {
  const key = Buffer.from(secret.slice(6), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64");
  const headers = new Headers({
    "webhook-id": id,
    "webhook-timestamp": String(at),
    "webhook-signature": `${more}v1,${signature}`,
  });
  headers.delete(without || "none");
  return new Request("https://edge.example/hook", {
    method,
    headers,
    ...(method === "POST" && { body }),
  });
}

test("the signature is that of the specification's example", async () => {
  const example = {
    headers: {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    body: '{"test": 2432232314}',
    method: "POST",
  };
  // It is good, and of 2021.
  await assert.rejects(verifyWebhook(new Request("https://a.example", example), SECRET), /too long ago/);
});

test("a message has the guard fetch what is new before it is answered", async () => {
  const { gateway, guard } = await guarded();
  assert.equal((await guard.check("user:tom", "miner:read", S3)).decision, "deny");
  [gateway.bytes, gateway.etag] = [six, '"6"'];
  gateway.statement = await stateAll(authority, six, { revision: 6 });
  const told: string[] = [];
  const hook = receiveWebhooks(guard, { secret: SECRET, onMessage: ({ type }) => void told.push(type) });
  assert.equal((await hook(request(message()))).status, 204);
  assert.equal(guard.freshness().revision, 6);
  assert.equal(guard.decide("user:tom", "miner:read", S3).decision, "allow");
  // What is held already is not asked for again; one of two signatures is enough.
  const asked = gateway.seen.length;
  assert.equal((await hook(request(message(), { more: "v1,AAAA v2,x " }))).status, 204);
  assert.deepEqual([gateway.seen.length, told], [asked, ["revision", "revision"]]);
});

test("what is not signed, old, or no message does nothing", async () => {
  const { gateway, guard } = await guarded();
  const told: unknown[] = [];
  const hook = receiveWebhooks(guard, { secret: SECRET, onMessage: (one) => void told.push(one) });
  const signed = request(message());
  const other = new Request(signed.url, { method: "POST", headers: signed.headers, body: `${message()} ` });
  const cases: [Request, number][] = [
    [other, 401],
    [request(message(), { secret: "whsec_AAAA" }), 401],
    [request(message(), { at: seconds() - 301 }), 401],
    [request(message(), { at: seconds() + 301 }), 401],
    [request(message(), { at: Number.NaN }), 401],
    [request("{"), 400],
    [request("null"), 400],
    [request(message({ id: "rev_2" })), 400],
    [request(message({ organization: "other" })), 400],
    [request(message(), { without: "webhook-signature" }), 400],
    [request(`"${"x".repeat(1024 * 1024)}"`), 400],
    [request("", { method: "GET" }), 405],
  ];
  for (const [index, [one, status]] of cases.entries())
    assert.equal((await hook(one)).status, status, `case ${index}`);
  assert.deepEqual([gateway.seen.length, told.length], [0, 0]);
  for (const secret of ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%"])
    await assert.rejects(verifyWebhook(request(message()), secret), PosternError);
});

test("what fails is told again", async () => {
  const { gateway, guard } = await guarded();
  const early = receiveWebhooks(guard, { secret: SECRET });
  assert.equal((await early(request(message()))).status, 503, "the gateway has it not yet");
  [gateway.bytes, gateway.etag] = [six, '"6"'];
  gateway.statement = await stateAll(authority, six, { revision: 6 });
  assert.equal((await early(request(message()))).status, 204);
  const failing = receiveWebhooks(guard, {
    secret: SECRET,
    onMessage: () => Promise.reject(new Error("no")),
  });
  assert.equal((await failing(request(message()))).status, 500);
});
