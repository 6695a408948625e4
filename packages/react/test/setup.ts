// A page, a gateway and slices. Worlds and the gateway are those of the client's own tests.

import { JSDOM } from "jsdom";

const { window } = new JSDOM('<!doctype html><div id="root"></div>', { url: "https://app.example/" });
// Defined, not assigned: later versions of Node have a `navigator` that cannot be.
for (const [name, value] of Object.entries({
  window,
  self: window,
  document: window.document,
  navigator: window.navigator,
  // Nothing is laid out, so there is nowhere to scroll to.
  scrollTo: () => undefined,
  IS_REACT_ACT_ENVIRONMENT: true,
})) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

const built = new URL("../../../client/dist/test/", import.meta.url).href;

/** Worlds, and slices that are cut of them. */
export const worlds = (await import(
  `${built}worlds.js`
)) as typeof import("../../client/dist/test/worlds.js");

const { TestGateway } = (await import(
  `${built}gateway.js`
)) as typeof import("../../client/dist/test/gateway.js");
export { TestGateway };

/** Waits for something that another turn brings about. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("it did not happen within 5 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
