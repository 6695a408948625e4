// The engine under stress: an instance that traps, memory that must not leak, and declarations that must be true.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PosternError } from "../src/index.js";
import { loadEngine } from "../src/wasm_engine.js";
import { isAllow, Slice } from "../src/slice.js";
import { FLEET, fleetAt, sliceOf, technician } from "./worlds.js";

/** `(module (func unreachable) (start 0))`: a module whose instantiation is a real trap. */
const TRAP = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  4,
  1,
  96,
  0,
  0,
  3,
  2,
  1,
  0,
  8,
  1,
  0,
  10,
  5,
  1,
  3,
  0,
  0,
  11,
);

const AT_S1 = { type: "site", id: "s1" };

test("after a trap the slices in use go on in a new instance, with the same handles", async () => {
  const engine = (await loadEngine()) as Awaited<ReturnType<typeof loadEngine>> & {
    call(ask: () => unknown): unknown;
  };
  const ann = new Slice(engine, sliceOf(FLEET, "user:ann"));
  const tom = new Slice(engine, sliceOf(FLEET, "user:tom"));
  const answers = (): number[] => [
    ann.check("miner:reboot", AT_S1, undefined, 0),
    ann.check("user:manage", undefined, undefined, 0),
    tom.check("miner:read", AT_S1, undefined, 0),
    tom.check("miner:reboot", AT_S1, undefined, 0),
    tom.check("chat:join", { type: "chat", id: "c" }, { session: "call-7" }, 0),
  ];
  const before = answers();
  const trap = await WebAssembly.compile(TRAP);
  assert.throws(
    () => engine.call(() => new WebAssembly.Instance(trap)),
    (error: unknown) => error instanceof PosternError && error.code === "wasm",
  );
  assert.deepEqual(answers(), before);
  assert.deepEqual(tom.filter("miner:read", "site", undefined, 0), ["s1"]);
  ann.free();
  tom.free();
});

test("ten thousand swaps do not grow the memory", async () => {
  const engine = (await loadEngine()) as Awaited<ReturnType<typeof loadEngine>> & { memoryBytes: number };
  const slices = [sliceOf(FLEET, "user:ann"), sliceOf(fleetAt(6), "user:ann")];
  let held = new Slice(engine, slices[0] ?? new Uint8Array());
  const swap = (count: number): void => {
    for (let round = 0; round < count; round += 1) {
      const next = new Slice(engine, slices[round % 2] ?? new Uint8Array());
      held.free();
      held = next;
      assert.equal(held.check("user:manage", undefined, undefined, 0), 2);
    }
  };
  swap(100);
  const before = engine.memoryBytes;
  swap(10_000);
  assert.equal(engine.memoryBytes, before);
  held.free();
});

test("the hand-written declarations name exactly what the generated glue exports", () => {
  const names = (text: string): string[] =>
    [...text.matchAll(/^export function (\w+)/gm)].map((found) => found[1] ?? "").sort();
  const glue = readFileSync(new URL("../src/wasm/postern_bg.js", import.meta.url), "utf8");
  const declared = readFileSync(new URL("../src/wasm/postern_bg.d.ts", import.meta.url), "utf8");
  assert.deepEqual(names(declared), names(glue));
});

test("what is remembered is dropped at each time bound, and when the clock goes back", async () => {
  const engine = await loadEngine();
  const life = { not_before: "2026-01-01T00:00:10Z", expires_at: "2026-01-01T00:00:20Z" };
  const zed = new Slice(engine, sliceOf(fleetAt(6, [technician("user:zed", "s1", life)]), "user:zed"));
  const start = Date.parse("2026-01-01T00:00:00Z") * 1000;
  const allowed = (seconds: number): boolean[] => {
    const now = start + seconds * 1_000_000;
    return [
      isAllow(zed.check("miner:read", AT_S1, undefined, now)),
      isAllow(zed.level("anywhere", "miner:read", undefined, now)),
    ];
  };
  assert.equal(zed.timed, true);
  for (const [seconds, expected] of [
    [0, false],
    [9.999999, false],
    [10, true],
    [15, true],
    [19.999999, true],
    [20, false],
    [12, true],
    [3, false],
  ] as const) {
    assert.deepEqual(allowed(seconds), [expected, expected], `${seconds} s`);
    assert.deepEqual(allowed(seconds), [expected, expected], `${seconds} s, remembered`);
  }
  assert.equal(zed.nextChange(start), start + 10_000_000);
  assert.equal(zed.nextChange(start + 20_000_000), Infinity);
  zed.free();
});

test("questions about ever new ids do not grow the page without end", async () => {
  const ann = new Slice(await loadEngine(), sliceOf(FLEET, "user:ann"));
  for (let id = 0; id < 200_000; id += 1) {
    assert.equal(isAllow(ann.check("miner:reboot", { type: "site", id: `x${id}` }, undefined, 0)), false);
  }
  assert.ok(ann.rememberedBytes <= 4 * 1024 * 1024, `${ann.rememberedBytes}`);
  assert.equal(isAllow(ann.check("miner:reboot", AT_S1, undefined, 0)), true);
  ann.free();
});
