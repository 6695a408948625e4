import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../src/backoff.js";

test("waits double up to the longest, each between half and all of it", () => {
  const low = new Backoff({ minMs: 100, maxMs: 1000 }, () => 0);
  const high = new Backoff({ minMs: 100, maxMs: 1000 }, () => 1 - Number.EPSILON);
  assert.deepEqual(
    Array.from({ length: 6 }, () => low.next()),
    [50, 100, 200, 400, 500, 500],
  );
  assert.deepEqual(
    Array.from({ length: 6 }, () => Math.round(high.next())),
    [100, 200, 400, 800, 1000, 1000],
  );
});

test("a thousand attempts do not overflow", () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 1000 }, () => 0.5);
  for (let attempt = 0; attempt < 1000; attempt += 1) assert.ok(backoff.next() <= 1000);
});

test("a reset starts over, and the server can ask for another start", () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 1000 }, () => 0);
  backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), 50);
  backoff.reset();
  backoff.setMinMs(600);
  assert.equal(backoff.next(), 300);
  backoff.reset();
  backoff.setMinMs(60_000);
  assert.equal(backoff.next(), 500, "not beyond the longest");
});
