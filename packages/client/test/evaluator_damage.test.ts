// Bytes that are no slice, and questions that are none: refused with the typed error, and never an allow.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Evaluator, PosternError } from "../src/evaluator/full.js";
import { checksum } from "../src/evaluator/hashes.js";
import { anywhere, check, everywhere, open } from "../src/evaluator.js";
import { randomWorlds, type Asked } from "./oracle.js";
import { FLEET, fleetAt, sliceOf, snapshotOf, technician } from "./worlds.js";

const refused = { name: "PosternError", code: "bad_slice" };
const NOW = Date.parse("2026-01-01T00:00:00Z") * 1000;

test("whatever bit is flipped and wherever it is cut, a slice is refused", async () => {
  const slices = [sliceOf(FLEET, "user:ann"), sliceOf(FLEET, "user:tom")];
  for await (const { slices: some } of randomWorlds(1, 2, 4)) {
    slices.push(...some.slice(0, 1).map(({ bytes }) => new Uint8Array(Buffer.from(bytes, "base64"))));
  }
  assert.equal(slices.length, 4);
  for (const slice of slices) {
    open(slice);
    for (let bit = 0; bit < slice.length * 8; bit += 1) {
      slice[bit >> 3]! ^= 1 << (bit & 7);
      assert.throws(() => open(slice), refused, `bit ${bit}`);
      slice[bit >> 3]! ^= 1 << (bit & 7);
    }
    for (let length = 0; length < slice.length; length += 1) {
      assert.throws(() => open(slice.subarray(0, length)), refused, `${length} bytes`);
    }
    assert.throws(() => open(Uint8Array.of(...slice, 0)), refused);
    open(slice);
  }
});

test("a whole snapshot, another version and no bytes at all are refused", () => {
  assert.throws(() => open(snapshotOf(FLEET)), refused);
  assert.throws(() => open(new Uint8Array()), refused);
  const later = sliceOf(FLEET, "user:ann");
  later[8] = 2;
  assert.throws(() => open(later), refused);
  assert.throws(() => new Evaluator(later), refused);
});

/** Gives changed bytes a checksum that fits, as only a forger would. */
function seal(bytes: Uint8Array): void {
  const padded = new DataView(new ArrayBuffer(bytes.length + 8));
  new Uint8Array(padded.buffer).set(bytes);
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(16, checksum(padded, 24, bytes.length), true);
}

/** Asks; whatever is thrown must be typed. */
function asked(bytes: Uint8Array, questions: readonly Asked[]): void {
  try {
    const slice = open(bytes);
    for (const { query, now } of questions) {
      const { permission = "", resource = null } = query;
      const facts = {
        now,
        in: query.in ?? [],
        where: query.where ?? {},
        ...(query.owner && { owner: query.owner }),
      };
      for (const ask of [
        () => check(slice, permission, resource as { type: string; id: string } | null, facts),
        () => anywhere(slice, permission, facts),
        () => everywhere(slice, permission, facts),
        () => new Evaluator(bytes, { now: () => now }).actions(undefined, facts),
      ]) {
        try {
          ask();
        } catch (error) {
          assert.ok(error instanceof PosternError, String(error));
        }
      }
    }
  } catch (error) {
    assert.ok(error instanceof PosternError, String(error));
  }
}

test("forged bytes end in an answer or the typed error, and soon", async () => {
  let forged = 0;
  for await (const { slices } of randomWorlds(100, 12, 6)) {
    for (const { bytes: text, questions } of slices.slice(0, 2)) {
      const whole = new Uint8Array(Buffer.from(text, "base64"));
      // Every fifth word, so that over many slices every field is hit, with what is most often wrong.
      for (let at = 24 + (forged % 5); at + 4 <= whole.length; at += 5) {
        for (const value of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
          const bytes = whole.slice();
          new DataView(bytes.buffer).setUint32(at, value, true);
          seal(bytes);
          const started = performance.now();
          asked(bytes, questions.slice(0, 2));
          assert.ok(performance.now() - started < 2_000, `seed slice ${forged}, at ${at}: ${value}`);
        }
      }
      forged += 1;
    }
  }
  assert.ok(forged > 15, `${forged} slices`);
});

test("the bytes may change after they were opened", () => {
  const bytes = sliceOf(FLEET, "user:zed");
  const slice = open(bytes);
  const before = check(slice, "user:manage", null, { now: NOW });
  bytes.fill(255);
  assert.deepEqual(check(slice, "user:manage", null, { now: NOW }), before);
  assert.equal(before.decision, "deny");
});

test("a moment that is none is refused: bounds in time would not hold", () => {
  const life = { expires_at: "2026-01-01T00:00:10Z" };
  const zed = open(sliceOf(fleetAt(6, [technician("user:zed", "s1", life)]), "user:zed"));
  const at = { type: "site", id: "s1" };
  assert.equal(check(zed, "fleet:read", at, { now: NOW }).decision, "allow");
  assert.equal(check(zed, "fleet:read", at, { now: NOW + 9_999_999 }).decision, "allow");
  assert.equal(check(zed, "fleet:read", at, { now: NOW + 10_000_000 }).decision, "deny");
  for (const now of [NaN, Infinity, -Infinity, undefined as unknown as number]) {
    assert.throws(() => check(zed, "fleet:read", at, { now }), { code: "invalid_request" });
    assert.throws(() => anywhere(zed, "fleet:read", { now }), { code: "invalid_request" });
  }
});

test("bytes have no age: what asks for one is denied", () => {
  const tom = new Evaluator(sliceOf(FLEET, "user:tom"));
  const at = { type: "site", id: "s1" };
  assert.equal(tom.can("miner:read", at, undefined, {}), true);
  assert.equal(tom.can("miner:read", at, undefined, { maxAge: Infinity }), true);
  for (const maxAge of [3600, 0, NaN]) {
    assert.equal(tom.can("miner:read", at, undefined, { maxAge }), false);
    assert.equal(tom.decide("miner:read", at, undefined, { maxAge }).reason, "stale");
  }
});

test("what never throws reports an error once for each permission, and denies", () => {
  const errors: string[] = [];
  const ann = new Evaluator(sliceOf(FLEET, "user:ann"), {
    onError: ({ code }) => errors.push(code),
    now: () => NOW,
  });
  for (let time = 0; time < 3; time += 1) {
    assert.equal(ann.can("no:such"), false);
    assert.equal(ann.anywhere("no:such"), false);
    assert.equal(ann.everywhere("no:other"), false);
    assert.equal(ann.can("fleet:read", { type: "site", id: "*" }), false);
    assert.equal(ann.can("user:manage", 7 as unknown as { type: string; id: string }), false);
  }
  assert.deepEqual(errors, [
    "unknown_permission",
    "unknown_permission",
    "invalid_request",
    "invalid_request",
  ]);
  assert.throws(() => ann.decide("no:such"), { code: "unknown_permission" });
  assert.throws(() => ann.filter("fleet:read", "miner"), { code: "not_in_slice" });
});
