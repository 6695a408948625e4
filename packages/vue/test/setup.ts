// A page, and what the client's own tests have: worlds, a gateway, pages to guard.

import { JSDOM } from "jsdom";

const { window } = new JSDOM('<!doctype html><div id="root"></div>', { url: "https://app.example/" });
// Before anything is waited for: other modules look for a page as soon as they are read. Defined, not assigned: later
// versions of Node have a `navigator` that cannot be.
for (const [name, value] of Object.entries({
  window,
  document: window.document,
  navigator: window.navigator,
  // What the router takes to be a browser's.
  history: window.history,
  location: window.location,
  // Vue tells elements by these.
  Element: window.Element,
  SVGElement: window.SVGElement,
})) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

export const shared = (await import(
  new URL("../../../client/dist/test/embedding.js", import.meta.url).href
)) as typeof import("../../client/dist/test/embedding.js");
