// The committed world is what its script writes, and is the product that the design describes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { KEYS } from "../catalog.mjs";
import { PERSONA_SITE, builtins, world } from "../generate.mjs";

const committed = readFileSync(new URL("../world.json", import.meta.url), "utf8");
const facts = JSON.parse(committed);
const personas = JSON.parse(readFileSync(new URL("../personas.json", import.meta.url), "utf8"));
const role = (name) => facts.roles.find((each) => each.name === name);
const count = (type) => facts.resources.filter((resource) => resource.type === type).length;

test("the committed files are what the script writes", () => {
  const builtinsFile = readFileSync(new URL("../builtins.json", import.meta.url), "utf8");
  assert.ok(committed === world(), "run `node examples/fleet/generate.mjs`");
  assert.ok(builtinsFile === builtins(), "run `node examples/fleet/generate.mjs`");
});

test("the catalog has the product's forty keys in fifteen groups, each with words for people", () => {
  assert.equal(KEYS.length, 40);
  assert.equal(new Set(KEYS.map((key) => key.split(":")[0])).size, 15);
  for (const key of KEYS) {
    assert.match(key, /^[a-z]+:[a-z_]+$/);
    assert.ok(facts.catalog.permissions[key].description.length > 10, key);
  }
});

test("reads are paired: an action needs its group's read, a miner's also the fleet's", () => {
  const requires = (key) => facts.catalog.permissions[key].requires ?? [];
  assert.deepEqual(requires("miner:reboot"), ["miner:read", "fleet:read"]);
  assert.deepEqual(requires("pool:manage"), ["pool:read"]);
  for (const key of ["role:manage", "apikey:manage", "instance:update", "fleet:read", "miner:read"]) {
    assert.deepEqual(requires(key), [], key);
  }
  for (const { name, permissions } of facts.roles) {
    for (const key of permissions) {
      for (const needed of requires(key))
        assert.ok(permissions.includes(needed), `${name}: ${key} without ${needed}`);
    }
  }
});

test("the built-in roles hold what the product's hold", () => {
  assert.deepEqual(role("SUPER_ADMIN").permissions, KEYS);
  const missing = KEYS.filter((key) => !role("ADMIN").permissions.includes(key));
  assert.deepEqual(missing, ["role:manage", "instance:update"]);
  assert.deepEqual([...role("FIELD_TECH").permissions].sort(), [
    "fleet:read",
    "miner:blink_led",
    "miner:download_logs",
    "miner:read",
    "rack:manage",
    "rack:read",
  ]);
});

test("the fleet has the size that was asked for", () => {
  assert.ok(count("site") >= 20);
  assert.equal(count("rack"), 500);
  assert.equal(count("miner"), 10_000);
  assert.equal(facts.subjects.filter(({ id }) => id.startsWith("user:")).length, 2000);
  assert.equal(new Set(facts.resources.map(({ type, id }) => `${type}:${id}`)).size, facts.resources.length);
});

test("the personas hold what they say", () => {
  const held = (subject) =>
    facts.assignments
      .filter((assignment) => assignment.subject === subject)
      .map(
        ({ role: id, at }) =>
          `${facts.roles.find((each) => each.id === id).name}@${at?.id ?? "organization"}`,
      );
  assert.deepEqual(
    personas.map(({ subject }) => held(subject)),
    [
      ["SUPER_ADMIN@organization"],
      ["ADMIN@organization"],
      ["ADMIN@organization", `FIELD_TECH@${PERSONA_SITE}`],
      [`FIELD_TECH@${PERSONA_SITE}`],
      [],
    ],
  );
});
