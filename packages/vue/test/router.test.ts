// The guard in `vue-router`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { shared } from "./setup.js";
import { Evaluator } from "@postern/client/evaluator/full";
import { NO_ACCESS } from "@postern/client/routes";
import { createMemoryHistory, createRouter } from "vue-router";
import { guard } from "../src/router.js";

const { moved, pages, tom, zed } = shared;

function routerFor(permissions: () => Evaluator | Promise<Evaluator>, base?: string) {
  const router = createRouter({
    history: createMemoryHistory(base),
    routes: ["/", "/sites/:site", "/team", NO_ACCESS].map((path) => ({
      path,
      component: { render: () => null },
    })),
  });
  router.beforeEach(guard(pages, permissions));
  return router;
}

test("instead of an address that may not be opened another one is", async () => {
  for (const base of [undefined, "/app"]) {
    for (const [who, from, to] of [
      [tom, "/", "/"],
      [tom, "/sites/s1", "/sites/s1"],
      [tom, "/sites/s2?tab=1", "/"],
      [tom, "/team", "/"],
      [moved, "/sites/s2", "/sites/s2"],
      [zed, "/sites/s1", NO_ACCESS],
      [zed, NO_ACCESS, NO_ACCESS],
      [tom, NO_ACCESS, "/"],
    ] as const) {
      const router = routerFor(() => Promise.resolve(who), base);
      await router.push(from);
      assert.equal(router.currentRoute.value.path, to, from);
    }
  }
});

test("the way back does not lead into the address that was refused", async () => {
  const router = routerFor(() => tom);
  await router.push("/sites/s1");
  await router.push("/team");
  assert.equal(router.currentRoute.value.path, "/");
  router.back();
  await new Promise<void>((resolve) => router.afterEach(() => resolve()));
  assert.equal(router.currentRoute.value.path, "/sites/s1");
});

test("each navigation is guarded by the permissions of then, and the open address when it is replaced by itself", async () => {
  let who = tom;
  const router = routerFor(() => who);
  await router.push("/sites/s1");
  assert.equal(router.currentRoute.value.path, "/sites/s1");
  who = moved;
  await router.replace({ path: router.currentRoute.value.fullPath, force: true });
  assert.equal(router.currentRoute.value.path, "/");
  await router.push("/sites/s2");
  assert.equal(router.currentRoute.value.path, "/sites/s2");
});
