// The route manifest on real slices: the menu and the guard cannot disagree, whatever the subject holds.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, PosternError, type Postern } from "../src/index.js";
import { decide, either, manifest, match, NO_ACCESS, visible, type Route } from "../src/routes.js";
import { TestGateway } from "./gateway.js";
import { FLEET, sliceOf } from "./worlds.js";

const HERE = { type: "site", param: "site" } as const;

const PAGES = manifest([
  { path: "/", label: "Home", allow: [[{ permission: "fleet:read", at: "anywhere" }]] },
  {
    path: "/miners",
    label: "Miners",
    allow: [
      [
        { permission: "miner:read", at: "anywhere" },
        { permission: "fleet:read", at: "anywhere" },
      ],
    ],
  },
  { path: "/sites/:site", label: "Site", allow: [[{ permission: "fleet:read", at: HERE }]] },
  {
    path: "/sites/new",
    label: "New site",
    nav: false,
    allow: [[{ permission: "user:manage", at: "organization" }]],
  },
  { path: "/sites/:site/reboot", label: "Reboot", allow: [[{ permission: "miner:reboot", at: HERE }]] },
  { path: "/reboot-all", label: "Reboot all", allow: [[{ permission: "miner:reboot", at: "everywhere" }]] },
  {
    path: "/admin",
    label: "Admin",
    allow: [
      [{ permission: "user:manage", at: "organization" }],
      [{ permission: "secret:read", at: "organization" }],
    ],
  },
]);

const clients = new Map<string, Postern>();
const gateways: TestGateway[] = [];

before(async () => {
  for (const subject of ["user:ann", "user:tom", "user:eve", "user:zed"]) {
    const gateway = await TestGateway.start(sliceOf(FLEET, subject));
    gateways.push(gateway);
    clients.set(subject, await connect({ url: gateway.url, token: "t" }));
  }
});

after(async () => {
  for (const each of clients.values()) each.close();
  for (const gateway of gateways) await gateway.stop();
});

const client = (subject: string): Postern => {
  const found = clients.get(subject);
  assert.ok(found);
  return found;
};

const menu = (subject: string): string[] => visible(PAGES, client(subject)).map((entry) => entry.label);

test("each subject sees its menu", () => {
  assert.deepEqual(menu("user:ann"), ["Home", "Miners", "Admin"], "not everywhere: she is narrowed at s2");
  assert.deepEqual(
    menu("user:eve"),
    ["Home", "Miners", "Reboot all", "Admin"],
    "secrets, though people are excluded",
  );
  assert.deepEqual(menu("user:tom"), ["Home", "Miners"]);
  assert.deepEqual(menu("user:zed"), []);
});

test("an address leads to its entry with its parameters, or to the first visible entry", () => {
  const at = (subject: string, path: string): unknown => {
    const decision = decide(PAGES, path, client(subject));
    return "entry" in decision
      ? [decision.entry.label, { ...decision.params }]
      : [decision.redirect, decision.because];
  };
  assert.deepEqual(at("user:tom", "/sites/s1"), ["Site", { site: "s1" }]);
  assert.deepEqual(at("user:tom", "/sites/s1/"), ["Site", { site: "s1" }]);
  assert.deepEqual(at("user:tom", "/sites/s2"), ["/", "denied"]);
  assert.deepEqual(at("user:tom", "/sites/s1/reboot"), ["/", "denied"]);
  assert.deepEqual(at("user:ann", "/sites/s1/reboot"), ["Reboot", { site: "s1" }]);
  assert.deepEqual(at("user:ann", "/sites/s2/reboot"), ["/", "denied"]);
  assert.deepEqual(at("user:tom", "/admin"), ["/", "denied"]);
  assert.deepEqual(at("user:tom", "/nowhere"), ["/", "unknown"]);
  assert.deepEqual(at("user:zed", "/"), [NO_ACCESS, "denied"]);
  assert.deepEqual(at("user:zed", NO_ACCESS), [NO_ACCESS, "unknown"]);
  assert.deepEqual(
    at("user:tom", NO_ACCESS),
    ["/", "unknown"],
    "the page without access ends with the first access",
  );
});

test("what the menu shows opens, and what it hides does not", () => {
  for (const [subject, postern] of clients) {
    const shown = new Set(visible(PAGES, postern).map((entry) => entry.path));
    for (const { entry, nav } of PAGES.pages) {
      if (!nav) continue;
      const decision = decide(PAGES, entry.path, postern);
      assert.equal("entry" in decision, shown.has(entry.path), `${subject} ${entry.path}`);
    }
    const { redirect } = { redirect: NO_ACCESS, ...decide(PAGES, "/nowhere", postern) };
    assert.ok(
      redirect === NO_ACCESS || shown.has(redirect as never),
      "a redirect leads to something visible",
    );
  }
});

test("a literal segment is meant before a parameter, and segments are decoded", () => {
  assert.equal(match(PAGES, "/sites/new")?.entry.label, "New site");
  assert.deepEqual({ ...match(PAGES, "/sites/s%20%C3%B8")?.params }, { site: "s ø" });
  assert.deepEqual({ ...match(PAGES, "/sites/..%2Fadmin")?.params }, { site: "../admin" });
  assert.deepEqual({ ...match(PAGES, "/sites/__proto__")?.params }, { site: "__proto__" });
  for (const path of ["/sites/%", "/sites//", "/sites/a/b", "//", "sites"]) {
    assert.notEqual(match(PAGES, path)?.entry.label, "Site", path);
  }
});

test("a section is open to those who may open one of its pages", () => {
  const pages = [
    { path: "/a", label: "A", allow: [[{ permission: "user:manage", at: "organization" }]] },
    { path: "/b", label: "B", allow: [[{ permission: "fleet:read", at: "anywhere" }]] },
  ] as const satisfies Route[];
  const section = manifest([{ path: "/section", label: "Section", allow: either(pages) }]);
  assert.equal(visible(section, client("user:tom")).length, 1);
  assert.equal(visible(section, client("user:zed")).length, 0);
});

test("a manifest that contradicts itself is refused when it is made", () => {
  const fine = { permission: "a:b", at: "organization" };
  const route = (rest: object): object => ({ path: "/a", label: "A", allow: [[fine]], ...rest });
  const refused: [string, object[]][] = [
    ["no predicate", [route({ allow: undefined })]],
    ["an empty list of groups", [route({ allow: [] })]],
    ["an empty group", [route({ allow: [[]] })]],
    ["a term without a permission", [route({ allow: [[{ at: "organization" }]] })]],
    ["a term without a place", [route({ allow: [[{ permission: "a:b" }]] })]],
    ["a place that is none", [route({ allow: [[{ permission: "a:b", at: "moon" }]] })]],
    [
      "a parameter that the path lacks",
      [route({ path: "/a/:b", allow: [[{ permission: "a:b", at: { type: "t", param: "c" } }]] })],
    ],
    ["a parameter in the menu", [route({ path: "/a/:b", nav: true })]],
    ["one parameter twice", [route({ path: "/a/:b/:b" })]],
    ["two entries for one address", [route({ path: "/a/:b" }), route({ path: "/a/:c" })]],
    ["a relative path", [route({ path: "a" })]],
    ["a nameless parameter", [route({ path: "/a/:" })]],
    ["the page without access", [route({ path: NO_ACCESS })]],
  ];
  for (const [what, entries] of refused) {
    assert.throws(
      () => manifest(entries as never),
      (error: unknown) => error instanceof PosternError && error.code === "invalid_manifest",
      what,
    );
  }
});

test("the types refuse an entry without a predicate and a parameter that the path lacks", () => {
  // Never called: tsc checks that each line below is an error.
  const unused = (): void => {
    // @ts-expect-error no predicate
    manifest([{ path: "/a", label: "A" }]);
    // @ts-expect-error an empty group always holds
    manifest([{ path: "/a", label: "A", allow: [[]] }]);
    const rack = { type: "rack", param: "rack" } as const;
    // @ts-expect-error the path has no parameter `rack`
    manifest([{ path: "/a/:site", label: "A", allow: [[{ permission: "a:b", at: rack }]] }]);
  };
  assert.equal(typeof unused, "function");
});
