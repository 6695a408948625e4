// The guards in the routers that they are for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { shared } from "./setup.js";
import { Evaluator } from "@postern/client/evaluator/full";
import { NO_ACCESS, redirection } from "@postern/client/routes";
import * as tanstack from "@tanstack/react-router";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { createMemoryRouter } from "react-router";
import { guard as reactRouterGuard } from "../src/react_router.js";
import { guard as tanstackGuard } from "../src/tanstack_router.js";

const { moved, pages, tom, until, zed } = shared;

// Routers render by themselves, and wait for what is rendered.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });

const PATHS = ["/", "/sites/:site", "/team", NO_ACCESS] as const;
/** Where an address leads somebody. */
const ADDRESSES: readonly (readonly [who: Evaluator, from: string, to: string])[] = [
  [tom, "/", "/"],
  [tom, "/sites/s1", "/sites/s1"],
  [tom, "/sites/s2", "/"],
  [tom, "/team", "/"],
  [moved, "/sites/s1", "/"],
  [moved, "/sites/s2", "/sites/s2"],
  [zed, "/sites/s1", NO_ACCESS],
  [zed, NO_ACCESS, NO_ACCESS],
  [tom, NO_ACCESS, "/"],
];

test("a redirection is where the manifest leads, and none from there", () => {
  for (const [who, from, to] of ADDRESSES) {
    assert.equal(redirection(pages, from, who), from === to ? undefined : to, from);
  }
});

test("React Router: an address that may not be opened is replaced before its page is loaded", async () => {
  for (const basename of ["/", "/app"]) {
    for (const [who, from, to] of ADDRESSES) {
      const loaded: string[] = [];
      const check = reactRouterGuard(pages, () => Promise.resolve(who), { basename });
      const under = (path: string): string => (basename === "/" ? path : `/app${path === "/" ? "" : path}`);
      const router = createMemoryRouter(
        PATHS.map((path) => ({
          path,
          loader: async (args: { request: Request }) => {
            await check(args);
            loaded.push(path);
            return null;
          },
          HydrateFallback: () => null,
          Component: () => null,
        })),
        { basename, initialEntries: ["/elsewhere", under(from)], initialIndex: 1 },
      );
      await until(() => router.state.initialized && router.state.navigation.state === "idle");
      const { pathname } = router.state.location;
      assert.equal(pathname.replace(/(.)\/$/, "$1"), under(to), `${basename} ${from}`);
      assert.equal(loaded.length, 1);
      assert.equal(loaded[0], to.startsWith("/sites/") ? "/sites/:site" : to);
      // The way back leads before the refused address.
      await router.navigate(-1);
      await until(() => router.state.location.pathname === "/elsewhere");
      router.dispose();
    }
  }
});

test("React Router: what the loader throws is refused in a navigation too, by the permissions of then", async () => {
  let who = tom;
  const loader = reactRouterGuard(pages, () => who);
  const router = createMemoryRouter(PATHS.map((path) => ({ path, loader, Component: () => null })));
  await until(() => router.state.initialized);
  await router.navigate("/sites/s1");
  assert.equal(router.state.location.pathname, "/sites/s1");
  await router.navigate("/sites/s2");
  assert.equal(router.state.location.pathname, "/");
  who = moved;
  await router.navigate("/sites/s2");
  assert.equal(router.state.location.pathname, "/sites/s2");
  // The address that is open is guarded again when the router is told to.
  who = tom;
  await router.revalidate();
  assert.equal(router.state.location.pathname, "/");
  who = moved;
  await router.navigate("/sites/s2");
  assert.equal(router.state.location.pathname, "/sites/s2");
  await router.navigate("/sites/s1");
  assert.equal(router.state.location.pathname, "/");
  router.dispose();
});

test("TanStack Router: an address that may not be opened is replaced", async () => {
  for (const [who, from, to] of ADDRESSES) {
    let current = who;
    const root = tanstack.createRootRoute({
      beforeLoad: tanstackGuard(pages, () => Promise.resolve(current), tanstack.redirect),
    });
    const loaded: string[] = [];
    const children = (["/", "/sites/$site", "/team", NO_ACCESS] as const).map((path) =>
      tanstack.createRoute({
        getParentRoute: () => root,
        path,
        loader: () => void loaded.push(path),
        component: () => null,
      }),
    );
    const router = tanstack.createRouter({
      routeTree: root.addChildren(children),
      history: tanstack.createMemoryHistory({ initialEntries: [from] }),
    });
    const page = createRoot(document.createElement("div"));
    page.render(createElement(tanstack.RouterProvider, { router } as never));
    await until(() => router.state.status === "idle" && loaded.length > 0);
    assert.equal(router.state.location.pathname, to, from);
    assert.deepEqual(loaded, [to.startsWith("/sites/") ? "/sites/$site" : to]);
    // After a change the address that is open is guarded again.
    if (who === tom && to === "/sites/s1") {
      current = moved;
      await router.invalidate();
      await until(() => router.state.location.pathname === "/");
    }
    page.unmount();
  }
});
