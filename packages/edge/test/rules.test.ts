// Requests against a table of rules, as an edge function judges them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createGuard, PosternError, protect, refusal, type Guard, type Rule } from "../src/index.js";
import { gatewayOf, shared, stateAll, type Gateway } from "./setup.js";

const { FLEET, Signer, snapshotOf } = shared;

let gateway: Gateway;
let guard: Guard;

before(async () => {
  const authority = await Signer.random();
  const bytes = snapshotOf(FLEET);
  gateway = await gatewayOf(bytes, authority, await stateAll(authority, bytes, { revision: 5 }));
  guard = createGuard({ gateway: gateway.url, organization: "acme", key: "key", maxAge: { "user:*": 0 } });
});

after(async () => {
  guard.close();
  await gateway.stop();
});

const SITE = { type: "site", param: "site" } as const;
const RULES: Rule[] = [
  { method: "GET", path: "/health", allow: "public" },
  { method: ["GET", "POST"], path: "/me", allow: "authenticated" },
  { method: "GET", path: "/sites", allow: [[{ permission: "fleet:read", at: "anywhere" }]] },
  { method: "GET", path: "/sites/:site", allow: [[{ permission: "fleet:read", at: SITE }]] },
  { method: "GET", path: "/sites/new", allow: [[{ permission: "secret:read", at: "organization" }]] },
  {
    method: "POST",
    path: "/sites/:site/reboot",
    allow: [[{ permission: "miner:reboot", at: SITE }]],
    facts: () => ({ where: { shift: "night" } }),
  },
  { method: "DELETE", path: "/sites", allow: [[{ permission: "miner:reboot", at: "everywhere" }]] },
  { method: "GET", path: "/team", allow: [[{ permission: "user:manage", at: "organization" }]] },
];

const judge = (method: string, path: string, who?: string): Promise<unknown> =>
  protect(guard, RULES, { subject: (request) => request.headers.get("X-Who") ?? undefined })(
    new Request(`https://app.example${path}`, { method, headers: who === undefined ? {} : { "X-Who": who } }),
  ).then((decision) => (decision.status === 200 ? 200 : `${decision.status} ${decision.reason}`));

test("each request meets its rule, and what has none is refused", async () => {
  for (const [method, path, who, expected] of [
    ["GET", "/health", undefined, 200],
    ["GET", "/me", undefined, "401 no_subject"],
    ["POST", "/me", "user:unheard", 200],
    ["DELETE", "/me", "user:eve", "403 no_rule"],
    ["GET", "/sites", "user:tom", 200],
    ["HEAD", "/sites", "user:tom", 200],
    ["GET", "/sites", "user:zed", "403 not_granted"],
    ["GET", "/sites/s1", "user:tom", 200],
    ["GET", "/sites/s2", "user:tom", "403 not_granted"],
    ["GET", "/sites/nowhere", "user:eve", "403 unknown_resource"],
    ["GET", "/sites/new", "user:tom", "403 not_granted"],
    ["GET", "/sites/new", "user:eve", 200],
    ["POST", "/sites/s1/reboot", "user:tom", 200],
    ["POST", "/sites/s2/reboot", "user:ann", "403 narrowed"],
    ["GET", "/sites/s1/reboot", "user:ann", "403 no_rule"],
    ["DELETE", "/sites", "user:eve", 200],
    ["DELETE", "/sites", "user:ann", "403 not_granted"],
    ["GET", "/sites/s1/../s2", "user:tom", "403 not_granted"],
    ["GET", "/sites/%73%31", "user:tom", 200],
    ["GET", "/sites//s1", "user:tom", "403 no_rule"],
    ["GET", "/SITES", "user:tom", "403 no_rule"],
    ["GET", "/team", "user:eve", "403 stale_snapshot"],
    ["GET", "/", "user:eve", "403 no_rule"],
  ] as const)
    assert.equal(await judge(method, path, who), expected, `${method} ${path} ${who}`);
});

test("a decision tells who it is about and what is missing, and becomes an answer", async () => {
  const judged = protect(guard, RULES, { subject: () => "user:tom" });
  const request = (path: string): Request => new Request(`https://app.example${path}`);
  const allowed = await judged(request("/sites/s1"));
  assert.deepEqual(
    { ...allowed, params: { ...(allowed.status === 200 && allowed.params) } },
    { status: 200, subject: "user:tom", params: { site: "s1" } },
  );
  assert.equal(refusal(allowed), undefined);
  const denied = await judged(request("/sites/s2"));
  assert.deepEqual(denied, {
    status: 403,
    subject: "user:tom",
    reason: "not_granted",
    permission: "fleet:read",
  });
  const response = refusal(denied);
  assert.equal(response?.status, 403);
  assert.equal(response?.headers.get("Content-Type"), "application/problem+json");
  assert.equal(((await response?.json()) as { code: string }).code, "not_granted");
  assert.equal(refusal({ status: 401, reason: "no_subject" })?.status, 401);
});

test("a guard that holds nothing lets nobody through but to what is public", async () => {
  const away = createGuard({ gateway: "http://127.0.0.1:1/", organization: "acme", key: "key" });
  const judged = protect(away, RULES, { subject: () => "user:eve" });
  const status = async (path: string): Promise<unknown> => {
    const decision = await judged(new Request(`https://app.example${path}`));
    return decision.status === 200 ? 200 : decision.reason;
  };
  assert.equal(await status("/health"), 200);
  assert.equal(await status("/sites/s1"), "no_snapshot");
  assert.equal(await status("/sites"), "no_snapshot");
  away.close();
});

test("a table that contradicts itself is refused when it is made", () => {
  const allow = [[{ permission: "fleet:read", at: "organization" }]] as const;
  for (const rules of [
    [{ method: "GET", path: "sites", allow }],
    [{ method: "GET", path: "/sites", allow: [] }],
    [{ method: "GET", path: "/sites" }],
    [{ method: "GET", path: "/sites", allow: [[{ permission: "fleet:read", at: SITE }]] }],
    [
      { method: "GET", path: "/a/:b", allow },
      { method: ["POST", "GET"], path: "/a/:c", allow: "public" },
    ],
  ])
    assert.throws(
      () => protect(guard, rules as never, { subject: () => undefined }),
      (error: unknown) => error instanceof PosternError && error.code === "invalid_manifest",
    );
});
