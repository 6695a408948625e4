// What random worlds never say: ids that readers of text like to change, and steps that have no id to be asked for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Evaluator } from "../src/evaluator/full.js";
import { Slice } from "../src/slice.js";
import { loadEngine } from "../src/wasm_engine.js";
import { FLEET, oracle, sliceOf, technician, type World } from "./worlds.js";

const NOW = "2026-01-01T00:00:00Z";
const MICROS = Date.parse(NOW) * 1000;

/** The fleet with further sites, and Tom a technician at each. */
function withSites(ids: readonly string[]): World {
  const sites = ids.map((id) => ({ type: "site", id }));
  return {
    ...FLEET,
    resources: [...(FLEET["resources"] as object[]), ...sites],
    assignments: ids.map((id) => technician("user:tom", id)),
  };
}

test("ids are bytes: marks, cases and forms of the same letter are other ids, and lists are in their bytes' order", async () => {
  const ids = [
    "\ufeffs9",
    "s9",
    "S9",
    "\u{10000}",
    "\ue000",
    "é",
    "e\u0301",
    "0192f1c2-7aa0-7bcd-8eef-0123456789ab",
  ];
  const world = withSites(ids);
  const bytes = sliceOf(world, "user:tom");
  const [answer] = oracle(world, [
    { op: "filter", subject: "user:tom", permission: "miner:read", type: "site", now: NOW },
  ]);
  const expected = answer?.["ids"] as string[];
  assert.deepEqual([...expected].sort(), [...ids].sort());
  assert.notDeepEqual(expected, [...ids].sort(), "the order of UTF-16 is another one");
  assert.deepEqual(new Evaluator(bytes).filter("miner:read", "site"), expected);
  assert.deepEqual(
    new Slice(await loadEngine(), bytes).filter("miner:read", "site", undefined, MICROS),
    expected,
  );

  const marked = new Evaluator(sliceOf(withSites(["\ufeffs9"]), "user:tom"));
  assert.equal(marked.can("miner:read", { type: "site", id: "\ufeffs9" }), true);
  assert.equal(marked.can("miner:read", { type: "site", id: "s9" }), false);
});

test("a hidden step is not found by an empty id, nor does it lead on from there", async () => {
  const world: World = {
    ...FLEET,
    catalog: {
      types: { region: { scope: true }, site: { scope: true }, folder: {}, chat: { registered: false } },
      permissions: { "fleet:read": {}, "miner:read": {} },
    },
    resources: [
      { type: "region", id: "s1" },
      { type: "folder", id: "f1", parents: [{ type: "region", id: "s1" }] },
      { type: "site", id: "below", parents: [{ type: "folder", id: "f1" }] },
    ],
    roles: (FLEET["roles"] as { name: string }[]).filter(({ name }) => name === "Technician"),
    assignments: [{ ...technician("user:tom", "s1"), at: { type: "region", id: "s1" } }],
    grants: [],
  };
  const bytes = sliceOf(world, "user:tom");
  const evaluator = new Evaluator(bytes);
  const slice = new Slice(await loadEngine(), bytes);
  // It is there: the way up from the site leads over it.
  assert.equal(evaluator.can("miner:read", { type: "site", id: "below" }), true);
  const chat = { type: "chat", id: "c" };
  for (const id of ["", "f1", "f2"]) {
    const facts = { in: [{ type: "folder", id }] };
    const decision = evaluator.decide("miner:read", chat, facts);
    assert.deepEqual(decision, { decision: "deny", reason: "not_in_slice", revision: 5 }, `\`${id}\``);
    assert.equal(slice.check("miner:read", chat, facts, MICROS), 23);
  }
});
