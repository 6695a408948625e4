// Every check of docs/statements.md that needs no state, with what breaks it: the counterpart of the tests of
// `crates/statement`, and its own signature.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PosternError } from "../src/index.js";
import {
  hash,
  isAbout,
  KeySet,
  mayFollow,
  readStatement,
  StatementError,
  type Statement,
} from "../src/statements.js";
import { RFC_8037, sha256, Signer, type Claims } from "./signing.js";

const CORPUS = fileURLToPath(new URL("../../../../fuzz/corpus/statement", import.meta.url));
const CLAIMS: Claims = {
  organization: "acme",
  epoch: "e1",
  revision: 42,
  as_of: 45,
  hash: sha256("bytes"),
  iat: 1000,
  exp: 1060,
};
const SAID: Statement = {
  organization: "acme",
  subject: undefined,
  epoch: "e1",
  revision: 42,
  asOf: 45,
  hash: sha256("bytes"),
  iat: 1000,
  exp: 1060,
};

let signer: Signer;
let keys: KeySet;

before(async () => {
  signer = await Signer.rfc8037();
  keys = await KeySet.of({ keys: [signer.jwk] });
});

const refused =
  (refusal: string) =>
  (error: unknown): boolean =>
    error instanceof PosternError &&
    error.code === "unverified" &&
    error instanceof StatementError &&
    error.refusal === refusal &&
    error.message.startsWith(refusal);

test("what the gateway's implementation has signed is verified here", async () => {
  const read = (name: string): string => readFileSync(join(CORPUS, name), "utf8");
  const theirs = await KeySet.of(JSON.parse(read("keys")));
  for (const name of ["whole", "slice"]) {
    const said = JSON.parse(read(`${name}-said`)) as Claims;
    const statement = await theirs.verify(read(name));
    const { organization, subject, epoch, revision, as_of: asOf, hash, iat, exp } = said;
    assert.deepEqual(statement, { organization, subject, epoch, revision, asOf, hash, iat, exp });
    assert.deepEqual(readStatement(read(name)), statement);
    await assert.rejects(keys.verify(read(name)), refused("unknown_key"));
  }
  assert.equal(JSON.parse(read("slice-said")).subject, "user:a");
});

test("the key of RFC 8037 is known by its thumbprint, also where the set does not name it", async () => {
  const { x, d } = RFC_8037;
  // The private part, or a key of another kind, is not needed and does not hurt.
  const set = { keys: [{ kty: "RSA", n: "AQAB" }, null, { kty: "OKP", crv: "Ed25519", x, d }] };
  const text = await signer.sign(CLAIMS);
  assert.deepEqual(await (await KeySet.of(set)).verify(text), SAID);
  assert.equal(
    JSON.parse(Buffer.from(text.split(".")[0] ?? "", "base64url").toString()).kid,
    RFC_8037.thumbprint,
  );
});

test("sets without a good key are refused", async () => {
  const { x } = RFC_8037;
  const base64url = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");
  const small = [
    "00".repeat(32),
    `01${"00".repeat(31)}`,
    `ec${"ff".repeat(30)}7f`,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    // The first two in their second form.
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}7f`,
  ].map((hex) => ({ x: base64url(hex) }));
  const jwk = (inner: object): object => ({ keys: [{ kty: "OKP", crv: "Ed25519", ...inner }] });
  const bad: unknown[] = [
    undefined,
    "",
    [],
    { keys: [] },
    { keys: {} },
    jwk({ x, use: "enc" }),
    jwk({ x, alg: "ES256" }),
    jwk({ x: `${x}=` }),
    jwk({ x: x.slice(1) }),
    jwk({ x: 7 }),
    jwk({ x, kty: "EC" }),
    jwk({ x, crv: "Ed448" }),
    ...small.map(jwk),
  ];
  for (const set of bad) await assert.rejects(KeySet.of(set), refused("malformed"), JSON.stringify(set));
});

test("what is signed is read back, and members of later versions are ignored", async () => {
  assert.deepEqual(await keys.verify(await signer.sign(CLAIMS)), SAID);
  const slice = { ...CLAIMS, subject: "user:zoë" };
  assert.deepEqual(await keys.verify(await signer.sign(slice)), { ...SAID, subject: "user:zoë" });
  const later = JSON.stringify({ ...CLAIMS, later: [{ epoch: '"}{' }, "epoch"], "\\": 1 });
  assert.deepEqual(await keys.verify(await signer.raw(signer.header, later)), SAID);
  assert.deepEqual(
    await keys.verify(await signer.raw(signer.header.replace("EdDSA", "Ed25519"), later)),
    SAID,
  );
});

test("malformed ones are refused", async () => {
  const payload = JSON.stringify(CLAIMS);
  const { header } = signer;
  const good = await signer.raw(header, payload);
  const digest = sha256("bytes");
  const cases: [string | Promise<string>, string][] = [
    ["", "empty"],
    [good.replace(".", ""), "two parts"],
    [`${good}.${good}`, "more parts"],
    [`${good}=`, "padding"],
    [` ${good}`, "a space"],
    [`${good}${"A".repeat(16 * 1024)}`, "too long"],
    [good.slice(0, -1), "a short signature"],
    [signer.raw("[]", payload), "a header that is a list"],
    [signer.raw(header.replace("EdDSA", "none"), payload), "alg none"],
    [signer.raw(header.replace("EdDSA", "HS256"), payload), "alg HS256"],
    [signer.raw(header.replace("statement", "subject"), payload), "another typ"],
    [signer.raw(header.replace(',"typ":"postern-statement+jwt"', ""), payload), "no typ"],
    [signer.raw(header.replace(`"${signer.kid}"`, "7"), payload), "a kid that is no text"],
    [signer.raw(header.replace("{", '{"crit":["b64"],"b64":false,'), payload), "crit"],
    [signer.raw(header.replace("{", '{"alg":"EdDSA",'), payload), "a member twice"],
    [
      signer.raw(header.replace("{", '{"\\u0061lg" : "EdDSA",'), payload),
      "a member twice, written otherwise",
    ],
    [signer.raw(header, payload.replace("{", '{"organization":"other",')), "a claim twice"],
    [signer.raw(header, "not json"), "no JSON"],
    [signer.raw(header, `\ufeff${payload}`), "a mark before it"],
    [signer.raw(header, '["acme",null,"e1",42,45,"00",1000,1060]'), "a list of claims"],
    [signer.raw(header, payload.replace('"epoch":"e1",', "")), "no epoch"],
    [signer.raw(header, payload.replace("{", '{"subject":7,')), "a subject that is no text"],
    [signer.raw(header, payload.replace("1060", '"1060"')), "a text for a number"],
    [signer.raw(header, payload.replace(":42", ":1.5")), "a fraction"],
    [signer.raw(header, payload.replace(":42", ":-1")), "a negative revision"],
    [signer.raw(header, payload.replace(":45", ":41")), "as_of before its revision"],
    [signer.raw(header, payload.replace(digest, "00")), "a short hash"],
    [signer.raw(header, payload.replace(digest, digest.toUpperCase())), "a hash in upper case"],
  ];
  for (const [bad, why] of cases) await assert.rejects(keys.verify(await bad), refused("malformed"), why);
  for (const bad of ["", good.replace(".", ""), "a.!.c", "a.W10.c", "a.e30.c"])
    assert.throws(() => readStatement(bad), refused("malformed"), bad);
});

test("no changed character passes", async () => {
  const text = await signer.sign(CLAIMS);
  for (let place = 0; place < text.length; place += 1) {
    for (const other of ["A", "b", "9", "_"]) {
      if (text[place] === other || text[place] === ".") continue;
      const changed = text.slice(0, place) + other + text.slice(place + 1);
      await assert.rejects(keys.verify(changed), StatementError, `${place} ${other}`);
    }
  }
});

test("other keys are refused, also one that claims to be a known one", async () => {
  const other = await Signer.random();
  await assert.rejects(keys.verify(await other.sign(CLAIMS)), refused("unknown_key"));
  const forged = await signer.raw(other.header, JSON.stringify(CLAIMS));
  const theirs = await KeySet.of({ keys: [other.jwk] });
  await assert.rejects(theirs.verify(forged), refused("bad_signature"));
  const both = await KeySet.of({ keys: [other.jwk, signer.jwk] });
  assert.deepEqual(await both.verify(await other.sign(CLAIMS)), SAID);
});

test("a signature in its second form, or with a point of small order, is refused", async () => {
  const text = await signer.sign(CLAIMS);
  const at = text.lastIndexOf(".") + 1;
  const signature = new Uint8Array(Buffer.from(text.slice(at), "base64url"));
  const replaced = (change: (bytes: Uint8Array) => void): string => {
    const bytes = signature.slice();
    change(bytes);
    return text.slice(0, at) + Buffer.from(bytes).toString("base64url");
  };
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const second = replaced((bytes) => {
    let s = order;
    for (let place = 63; place >= 32; place -= 1) s += BigInt(bytes[place] ?? 0) << BigInt(8 * (place - 32));
    for (let place = 32; place < 64; place += 1, s >>= 8n) bytes[place] = Number(s & 255n);
  });
  const small = replaced((bytes) => bytes.fill(0, 0, 32));
  for (const bad of [second, small]) await assert.rejects(keys.verify(bad), refused("bad_signature"));
});

test("a statement is about one state, and its hash is that of the bytes", async () => {
  const slice = { ...SAID, subject: "user:a" };
  assert.ok(isAbout(SAID, "acme", undefined));
  assert.ok(isAbout(slice, "acme", "user:a"));
  assert.ok(!isAbout(SAID, "other", undefined));
  assert.ok(!isAbout(SAID, "acme", "user:a"));
  assert.ok(!isAbout(slice, "acme", undefined));
  assert.ok(!isAbout(slice, "acme", "user:b"));
  assert.equal(await hash(new TextEncoder().encode("bytes")), SAID.hash);
});

test("nothing older takes the place of what is held", () => {
  const follows = (change: Partial<Statement>): boolean => mayFollow({ ...SAID, ...change }, SAID);
  assert.ok(follows({}));
  assert.ok(follows({ revision: 46, asOf: 46 }));
  assert.ok(follows({ asOf: 46 }));
  assert.ok(follows({ revision: 45, hash: sha256("the same facts") }));
  assert.ok(!follows({ asOf: 44 }));
  assert.ok(!follows({ revision: 41, asOf: 46 }));
  assert.ok(!follows({ hash: sha256("another state of this revision") }));
  // A database that was restored begins again with lower numbers; only a later statement says so.
  assert.ok(!follows({ epoch: "e2", revision: 90, asOf: 90 }));
  assert.ok(follows({ epoch: "e2", revision: 3, asOf: 3, iat: 1001 }));
});

test("a set is fetched, and what is no set is told from what is away", async () => {
  const answers =
    (body: string, status = 200): typeof fetch =>
    () =>
      Promise.resolve(new Response(body, { status }));
  const address = "https://authz.example/.well-known/jwks.json";
  const fetched = await KeySet.fetch(address, { fetch: answers(JSON.stringify({ keys: [signer.jwk] })) });
  assert.deepEqual(await fetched.verify(await signer.sign(CLAIMS)), SAID);
  await assert.rejects(KeySet.fetch(address, { fetch: answers("{}") }), refused("malformed"));
  await assert.rejects(KeySet.fetch(address, { fetch: answers("<html>") }), refused("malformed"));
  const unavailable = { code: "unavailable" };
  await assert.rejects(KeySet.fetch(address, { fetch: answers("", 404) }), unavailable);
  await assert.rejects(
    KeySet.fetch(address, { fetch: () => Promise.reject(new TypeError("no network")) }),
    unavailable,
  );
});
