// Ages, by clocks that the test holds.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Age, MaxAges } from "../src/age.js";
import { PosternError } from "../src/index.js";
import type { Statement } from "../src/statement.js";

const SAID: Statement = {
  organization: "acme",
  subject: "user:a",
  epoch: "e1",
  revision: 42,
  asOf: 45,
  hash: "0".repeat(64),
  iat: 1000,
  exp: 1060,
};

let wall = 0;
let steady = 0;
let told = 0;
const clocks = { wall: () => wall, steady: () => steady };
const aged = (limits: number[] = []): Age => new Age(limits, () => (told += 1), clocks);
const again = (iat: number): Statement => ({ ...SAID, iat, exp: iat + 60 });

/** Both clocks and the timers go on; or only the steady one, where `wall` was set. */
function pass(ms: number): void {
  steady += ms;
  wall += ms;
  mock.timers.tick(ms);
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  [wall, steady, told] = [1_003_000, 50_000, 0];
});

afterEach(() => mock.timers.reset());

test("the age follows the clock that only runs forward", () => {
  const age = aged();
  assert.deepEqual([age.ms, age.fresh], [undefined, undefined]);
  age.take(SAID);
  assert.equal(age.ms, 3000);
  wall += 3_600_000;
  assert.deepEqual([age.ms, age.fresh], [3000, true], "the clock of the machine was set");
  wall = 1_003_000;
  steady -= 10;
  assert.equal(age.ms, 3000, "a clock that ran backward is one that stood still");
  steady = 50_000 + 56_999;
  assert.equal(age.fresh, true);
  steady += 1;
  assert.deepEqual([age.ms, age.fresh], [60_000, false]);
});

test("said again it is younger, said again with less it is as it was", () => {
  const age = aged();
  age.take(SAID);
  pass(30_000);
  age.take(again(1030));
  assert.equal(age.ms, 3000);
  pass(1000);
  age.take(again(1010));
  assert.equal(age.ms, 4000);
  age.take({ ...again(1010), asOf: 46 });
  assert.equal(age.ms, 24_000, "of another state it is what is known");
});

test("a clock that is behind makes nothing younger than now, one that is ahead makes everything old", () => {
  const [behind, ahead] = [aged(), aged()];
  wall = 10_000;
  behind.take(SAID);
  assert.deepEqual([behind.ms, behind.fresh], [0, true]);
  wall = 4_600_000;
  ahead.take(SAID);
  assert.equal(ahead.fresh, false);
});

test("it is told when each limit is passed, and when it is no longer, and then only", () => {
  const age = aged([5000]);
  age.take(SAID);
  assert.equal(told, 1, "known for the first time");
  pass(1999);
  assert.deepEqual([told, age.isWithin(5000)], [1, true]);
  pass(1);
  assert.deepEqual([told, age.isWithin(5000)], [2, false]);
  pass(54_999);
  assert.equal(told, 2);
  pass(1);
  assert.deepEqual([told, age.fresh], [3, false]);
  pass(1_000_000);
  assert.equal(told, 3, "and once");
  age.take({ ...SAID, iat: wall / 1000, exp: wall / 1000 + 60 });
  assert.deepEqual([told, age.fresh], [4, true], "back");
  age.stop();
  pass(1_000_000);
  assert.equal(told, 4);
});

test("a timer that fires early is started again", () => {
  const age = aged();
  age.take(SAID);
  steady += 56_999;
  mock.timers.tick(57_000);
  assert.equal(told, 1);
  steady += 1;
  mock.timers.tick(1);
  assert.equal(told, 2);
});

test("of the patterns that a permission meets the strictest counts", () => {
  const ages = new MaxAges({ "*": 3600, "refund:*": 60, "refund:make": 5, "menu:read": 7200, "now:*": 0 });
  assert.equal(ages.of("refund:make"), 5000);
  assert.equal(ages.of("refund:read"), 60_000);
  assert.equal(ages.of("menu:read"), 3_600_000);
  assert.equal(ages.of("refunds"), 3_600_000);
  assert.equal(ages.of("now:go"), 0);
  assert.equal(new MaxAges({ "refund:make": 5 }).of("refund:makes"), Infinity);
  for (const bad of [{ "": 1 }, { "*:read": 1 }, { "a:*": -1 }, { "a:*": NaN }]) {
    assert.throws(
      () => new MaxAges(bad),
      (error: unknown) => error instanceof PosternError && error.code === "invalid_request",
    );
  }
});
