// What people write into forms, and grants in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Grant } from "../src/types.js";
import { ids, local, moment, pairs } from "../src/values.js";
import { conditionText, deadBecause, holderText, lifeText, purgedText } from "../src/words.js";

test("conditions are one a line, and what could be read in two ways is none", () => {
  assert.deepEqual(pairs(" env = test \n\nrack=7=a"), { env: "test", rack: "7=a" });
  assert.deepEqual(pairs(""), {});
  for (const text of ["env", "env =", "= test", "env = a\nenv = b", "two words = a", "__proto__"])
    assert.equal(pairs(text), undefined, text);
});

test("ids are taken apart at lines, blanks and commas, each once", () => {
  assert.deepEqual(ids("group:a, group:b\n group:a"), ["group:a", "group:b"]);
  assert.deepEqual(ids(" \n"), []);
});

test("a moment goes into a field and comes out of it, to the minute", () => {
  assert.equal(moment(""), null);
  assert.equal(local(null), "");
  assert.equal(moment(local("2030-02-03T04:05:00.000Z")), "2030-02-03T04:05:00.000Z");
});

const grant = (more: Partial<Grant>): Grant => ({
  id: "1",
  subject: "user:a",
  effect: "allow",
  permissions: ["a:b"],
  at: null,
  where: {},
  require: {},
  own: false,
  session: null,
  share: false,
  active: true,
  not_before: null,
  expires_at: null,
  ...more,
});

test("a grant's conditions are told, all of them", () => {
  assert.equal(conditionText(grant({})), "");
  assert.equal(
    conditionText(grant({ where: { a: "1", b: "2" }, require: { mfa: "yes" }, own: true, session: "s" })),
    "where a = 1, b = 2; requires mfa = yes; only what they own; in the session s",
  );
});

test("what does not count now is told, and why", () => {
  const now = Date.parse("2030-01-01T00:00:00Z");
  assert.equal(deadBecause(grant({}), now), undefined);
  assert.equal(deadBecause(grant({ active: false, expires_at: "2029-01-01T00:00:00Z" }), now), "off");
  assert.equal(deadBecause(grant({ expires_at: "2030-01-01T00:00:00Z" }), now), "expired");
  assert.equal(deadBecause(grant({ expires_at: "2030-01-01T00:00:01Z" }), now), undefined);
  assert.equal(deadBecause(grant({ not_before: "2030-01-01T00:00:01Z" }), now), "not yet");
  assert.equal(lifeText(grant({ active: false })), "switched off");
  assert.equal(lifeText(grant({})), "always");
});

test("holders are told as people know them", () => {
  const names = new Map([["role:1", "Crew"]]);
  assert.equal(holderText("user:all", names), "Everybody");
  assert.equal(holderText("role:1", names), "Role Crew");
  assert.equal(holderText("role:2", names), "Role role:2");
  assert.equal(holderText("group:crew", names), "group:crew");
});

test("what a purge deleted is counted, and what there was none of is left out", () => {
  const none = { edges: 0, grants: 0, assignments: 0, permissions: 0, roles: 0 };
  assert.equal(purgedText(none), "nothing else");
  assert.equal(purgedText({ ...none, edges: 2, roles: 1, permissions: 9 }), "2 edges, 1 role");
  assert.equal(purgedText({ ...none, assignments: 1663, grants: 1 }), "1,663 assignments, 1 grant");
});
