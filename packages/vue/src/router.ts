// `@postern/vue/router`: a guard for `vue-router`. It imports no router.

import { redirection, type Decider, type Manifest } from "@postern/client/routes";

/** What `beforeEach` is given, as far as a guard needs it. */
export interface Destination {
  readonly path: string;
}

/**
 * A guard of all addresses: `router.beforeEach(guard(pages, () => postern))`. Instead of an address that may not be opened
 * another one is, in the same way: the refused one never gets into the history. `permissions` is asked at every
 * navigation, and waited for.
 *
 * After a change of permissions the open address is guarded again by `router.replace({ path, force: true })`.
 */
export function guard(
  pages: Manifest,
  permissions: () => Decider | Promise<Decider>,
): (to: Destination) => Promise<true | { path: string }> {
  return async ({ path }) => {
    const to = redirection(pages, path, await permissions());
    return to === undefined ? true : { path: to };
  };
}
