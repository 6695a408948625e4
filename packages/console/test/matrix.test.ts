// Permission lists: what they stand for, and how a click changes them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { byType, cell, covers, difference, missing, reapply, satisfied, toggle } from "../src/matrix.js";
import type { Catalog } from "../src/types.js";

const KEYS = ["fleet:read", "miner:read", "miner:reboot", "miner:log:read", "site:read"];

test("an entry stands for its key, for the keys of a type, or for all", () => {
  assert.equal(covers("miner:read", "miner:read"), true);
  assert.equal(covers("miner:read", "miner:reboot"), false);
  assert.equal(covers("*", "site:read"), true);
  assert.equal(covers("miner:*", "miner:reboot"), true);
  // Up to the last colon: `miner:log` is a type of its own.
  assert.equal(covers("miner:*", "miner:log:read"), false);
  assert.equal(covers("miner:log:*", "miner:log:read"), true);
  assert.equal(covers("min*", "miner:read"), false);
});

test("a cell says how a permission is held", () => {
  assert.equal(cell(["miner:*", "site:read"], "miner:read"), "wildcard");
  assert.equal(cell(["miner:*", "miner:read"], "miner:read"), "listed");
  assert.equal(cell(["miner:*"], "site:read"), "none");
});

test("a click adds a key, and another one takes it away again", () => {
  const more = toggle(["site:read"], "miner:read", KEYS);
  assert.deepEqual(more, ["miner:read", "site:read"]);
  assert.deepEqual(toggle(more, "miner:read", KEYS), ["site:read"]);
});

test("what is taken out of a wildcard leaves the others that it stood for", () => {
  assert.deepEqual(toggle(["miner:*", "site:read"], "miner:reboot", KEYS), ["miner:read", "site:read"]);
  assert.deepEqual(toggle(["*"], "site:read", KEYS), KEYS.filter((key) => key !== "site:read").sort());
  // A key that is listed beside its wildcard goes too.
  assert.deepEqual(toggle(["miner:*", "miner:read"], "miner:read", KEYS), ["miner:reboot"]);
});

test("a wildcard that becomes its keys changes nothing", () => {
  assert.deepEqual(difference(["miner:*"], ["miner:read", "miner:reboot"], KEYS), { added: [], removed: [] });
  assert.deepEqual(difference(["miner:*"], ["site:read", "miner:read"], KEYS), {
    added: ["site:read"],
    removed: ["miner:reboot"],
  });
});

test("changes are made again to what somebody else saved", () => {
  const opened = ["fleet:read", "miner:read"];
  const mine = ["fleet:read", "site:read"];
  const theirs = ["fleet:read", "miner:read", "miner:reboot"];
  assert.deepEqual(reapply(opened, mine, theirs, KEYS), ["fleet:read", "miner:reboot", "site:read"]);
  // What they did already is not done again.
  assert.deepEqual(reapply(opened, mine, mine, KEYS), mine);
});

test("what permissions need besides is told", () => {
  const entry = (requires: string[]) => ({ description: "", requires, implied_by: [] });
  const catalog: Catalog = {
    types: {},
    permissions: {
      "miner:reboot": entry(["miner:read", "fleet:read"]),
      "miner:read": entry(["fleet:read"]),
      "fleet:read": entry([]),
    },
  };
  assert.deepEqual(missing(["miner:reboot"], catalog), ["fleet:read", "miner:read"]);
  assert.deepEqual(missing(["miner:*", "fleet:read"], catalog), []);
});

test("what another permission implies is told from what is listed", () => {
  const catalog: Catalog = {
    types: {},
    permissions: {
      "site:read": { description: "", requires: [], implied_by: ["site:manage"] },
      "site:manage": { description: "", requires: [], implied_by: [] },
    },
  };
  assert.equal(satisfied(["site:manage"], "site:read", catalog), "implied");
  assert.equal(satisfied(["site:manage", "site:read"], "site:read", catalog), "listed");
  assert.equal(satisfied(["site:read"], "site:manage", catalog), "none");
});

test("keys are grouped by what stands before their last colon", () => {
  assert.deepEqual(byType(["b:y", "a:x", "b:a", "odd"]), [
    ["a", ["a:x"]],
    ["b", ["b:a", "b:y"]],
    ["other", ["odd"]],
  ]);
});
