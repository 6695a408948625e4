// When the keys are fetched.

import assert from "node:assert/strict";
import { test } from "node:test";
import { published, verified } from "../src/verifier.js";
import { sha256, Signer, type Claims } from "./signing.js";

const ADDRESS = new URL("https://authz.example/.well-known/jwks.json");
const CLAIMS: Claims = {
  organization: "acme",
  epoch: "e1",
  revision: 1,
  as_of: 1,
  hash: sha256(""),
  iat: 0,
  exp: 60,
};

const refused = (refusal: string) => ({ code: "unverified", refusal });

test("a set is kept for five minutes, and fetched for an unknown key once in thirty seconds", async () => {
  const [first, second, third] = [await Signer.random(), await Signer.random(), await Signer.random()];
  let [offered, fetched, now] = [[first], 0, 1000];
  let away = false;
  const fetcher = (): Promise<Response> => {
    fetched += 1;
    if (away) return Promise.reject(new TypeError("no network"));
    return Promise.resolve(Response.json({ keys: offered.map(({ jwk }) => jwk) }));
  };
  const verify = published(ADDRESS, fetcher, () => now);
  const read = async (signer: Signer): Promise<number> => (await verify(await signer.sign(CLAIMS))).revision;

  assert.equal(await read(first), 1);
  assert.equal(await read(first), 1);
  assert.equal(fetched, 1);
  offered = [first, second];
  now += 29_999;
  await assert.rejects(read(second), refused("unknown_key"));
  assert.equal(fetched, 1, "not yet");
  now += 1;
  assert.equal(await read(second), 1);
  await assert.rejects(read(third), refused("unknown_key"));
  await assert.rejects(verify("no statement"), refused("malformed"));
  assert.equal(fetched, 2);

  offered = [second];
  now += 299_999;
  assert.equal(await read(first), 1);
  now += 1;
  away = true;
  assert.equal(await read(first), 1, "a gateway that is away has not withdrawn it");
  assert.equal(fetched, 3);
  away = false;
  assert.equal(await read(first), 1);
  assert.equal(fetched, 3, "nor is it asked at once again");
  now += 30_000;
  await assert.rejects(read(first), refused("unknown_key"));
  assert.equal(await read(second), 1);
  assert.equal(fetched, 4);
});

test("without keys nothing is read, and the next attempt asks again", async () => {
  const signer = await Signer.random();
  let fetched = 0;
  const fetcher = (): Promise<Response> => {
    fetched += 1;
    if (fetched === 1) return Promise.reject(new TypeError("no network"));
    return Promise.resolve(Response.json({ keys: [signer.jwk] }));
  };
  const verify = published(ADDRESS, fetcher);
  const text = await signer.sign(CLAIMS);
  await assert.rejects(verify(text), { code: "unavailable" });
  assert.equal((await verify(text)).epoch, "e1");
});

test("pinned keys are the only ones", async () => {
  const [pinned, other] = [await Signer.random(), await Signer.random()];
  const fetcher = (): never => assert.fail("nothing is fetched");
  const verify = verified({ keys: [pinned.jwk] })(ADDRESS, fetcher);
  assert.equal((await verify(await pinned.sign(CLAIMS))).epoch, "e1");
  await assert.rejects(verify(await other.sign(CLAIMS)), refused("unknown_key"));
  const none = verified({ keys: [] })(ADDRESS, fetcher);
  await assert.rejects(none(await pinned.sign(CLAIMS)), refused("malformed"));
});
