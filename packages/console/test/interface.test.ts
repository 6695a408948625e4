// Requests, pages and refusals; words for what came; and the way in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { members } from "../src/diff.js";
import { Management, Refused, segments, withQuery } from "../src/interface.js";
import { fromFragment, subjectOf } from "../src/session.js";
import { summary } from "../src/summary.js";
import type { Preview } from "../src/types.js";
import { refusalText, remedyText, stepText } from "../src/words.js";

/** A gateway that answers by path, and takes down what it was asked. */
function gateway(answers: Record<string, () => Response>): { asked: string[]; management: Management } {
  const asked: string[] = [];
  const fetcher: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    asked.push(`${init?.method} ${String(input)} ${headers.get("if-match") ?? ""}`.trim());
    assert.equal(headers.get("authorization"), "Bearer t");
    const answer = answers[String(input)];
    if (answer === undefined) throw new TypeError("failed to fetch");
    return answer();
  };
  return { asked, management: new Management({ organization: "a/b", token: "t" }, fetcher) };
}

const json =
  (body: unknown, init: ResponseInit = {}) =>
  () =>
    new Response(JSON.stringify(body), init);

test("a list is read to its end, or as far as is allowed", async () => {
  const at = "/v1/organizations/a%2Fb/roles?limit=1000";
  const { asked, management } = gateway({
    [at]: json({ items: [1, 2], next_cursor: "x" }),
    [`${at}&cursor=x`]: json({ items: [3], next_cursor: null }),
  });
  assert.deepEqual(await management.all("roles"), { items: [1, 2, 3], more: false });
  assert.deepEqual(await management.all("roles", 1), { items: [1, 2], more: true });
  assert.equal(asked.length, 3);
});

test("the organization itself has no slash at its end", async () => {
  const { management } = gateway({ "/v1/organizations/a%2Fb": json({ id: "a/b" }) });
  assert.deepEqual(await management.get(""), { id: "a/b" });
});

test("a write names the tag that it is of, and its preview asks only", async () => {
  const { asked, management } = gateway({
    "/v1/organizations/a%2Fb/roles/r%2F1?preview=true": json({ preview: true }),
    "/v1/organizations/a%2Fb/roles/r%2F1": () => new Response(null, { status: 204 }),
  });
  const write = { method: "DELETE", path: `roles/${segments("r/1")}`, etag: '"e"' } as const;
  assert.deepEqual(await management.preview(write), { preview: true });
  assert.equal((await management.write(write)).item, undefined);
  assert.deepEqual(asked, [
    'DELETE /v1/organizations/a%2Fb/roles/r%2F1?preview=true "e"',
    'DELETE /v1/organizations/a%2Fb/roles/r%2F1 "e"',
  ]);
});

test("refusals have their code, and silence has one too", async () => {
  const problem = { code: "role_held", detail: "it is held", holders: 7 };
  const { management } = gateway({
    "/v1/organizations/a%2Fb/roles": json(problem, { status: 409 }),
    "/v1/organizations/a%2Fb/audit": () => new Response("<html>", { status: 502 }),
  });
  const refused = (path: string) =>
    management.get(path).then(
      () => assert.fail("not refused"),
      (error: unknown) => error as Refused,
    );
  const held = await refused("roles");
  assert.deepEqual([held.code, held.status, held.members["holders"]], ["role_held", 409, 7]);
  assert.match(refusalText(held), /^7 still hold it/);
  for (const path of ["audit", "nothing"]) assert.equal((await refused(path)).code, "unreachable", path);
});

test("parameters are added to those that are there, and left out without a value", () => {
  assert.equal(withQuery("roles?a=1", { b: "ü", c: undefined }), "roles?a=1&b=%C3%BC");
  assert.equal(withQuery("roles", {}), "roles");
});

test("refusals say what is needed, and where", () => {
  const forbidden = new Refused("forbidden", "no", 403, {
    required: "role:manage",
    scope: { type: "site", id: "s1" },
  });
  assert.equal(refusalText(forbidden), "You may not do this: it needs role:manage in site s1.");
  const whole = new Refused("cannot_grant", "no", 403, { required: "a:b", scope: {} });
  assert.match(refusalText(whole), /a:b in the whole organization/);
  const missing = new Refused("missing_permissions", "no", 400, { missing: { "a:b": ["a:a"] } });
  assert.match(refusalText(missing), /a:b needs a:a/);
  assert.equal(refusalText(new Refused("odd", "something else")), "Something else. (odd)");
});

test("a preview is a sentence that counts", () => {
  const preview = (gained: [number, number], lost: [number, number], concerned = 9): Preview => ({
    preview: true,
    revision: "1",
    concerned,
    gained: { subjects: gained[0], permissions: gained[1] },
    lost: { subjects: lost[0], permissions: lost[1] },
    changes: [],
    more: false,
  });
  assert.equal(summary(preview([1, 2], [0, 0])), "1 subject gains 2 permissions.");
  assert.equal(
    summary(preview([2, 1], [1663, 3326])),
    "2 subjects gain 1 permission, and 1,663 subjects lose 3,326 permissions.",
  );
  assert.equal(summary(preview([0, 0], [0, 0], 0)), "Nobody gains or loses anything now.");
  assert.match(summary(preview([0, 0], [0, 0], 1)), /1 subject is concerned/);
});

test("steps and remedies are sentences with names", () => {
  const names = new Map([["role:1", "Site manager"]]);
  const at = { type: "site", id: "s1" };
  const candidate = { holder: "user:a", role: "role:1", at, satisfies: true, narrowed: true };
  assert.match(
    stepText({ candidate }, names),
    /^user:a holds Site manager at site s1; it does not count here/,
  );
  assert.match(
    stepText({ exclusion: { holder: "user:a", at: null } }, names),
    /at the whole organization takes it away/,
  );
  const remedy = remedyText({ grant: { at: null, or_role: "role:1" } }, "a:b", "user:a", names);
  assert.equal(remedy, "Give user:a a role with a:b at the whole organization, or add it to Site manager.");
});

test("what a write changed is told member by member", () => {
  const before = { name: "A", permissions: ["a", "b"], active: true };
  assert.deepEqual(members(before, { name: "B", permissions: ["b", "c"], active: true }), [
    { name: "name", removed: "A", added: "B" },
    { name: "permissions", removed: "a", added: "c" },
  ]);
  assert.deepEqual(members(null, { id: "x" }), [{ name: "id", removed: undefined, added: "x" }]);
  assert.deepEqual(members(before, before), []);
});

test("the fragment signs in with both of its parts only", () => {
  assert.deepEqual(fromFragment("#token=t.t.t&organization=a%2Fb"), { organization: "a/b", token: "t.t.t" });
  for (const fragment of ["", "#", "#token=t", "#organization=a", "#token=&organization=a"])
    assert.equal(fromFragment(fragment), undefined, fragment);
});

test("the subject of a token is read, and of anything else is none", () => {
  const body = Buffer.from(JSON.stringify({ sub: "user:ünn" })).toString("base64url");
  assert.equal(subjectOf(`x.${body}.y`), "user:ünn");
  for (const token of ["", "a.b.c", "postern_key_x", `x.${Buffer.from("7").toString("base64url")}.y`])
    assert.equal(subjectOf(token), "", token);
});
