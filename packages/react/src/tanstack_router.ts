// `@postern/react/tanstack-router`: a `beforeLoad` that guards addresses. It imports no router: the `redirect` of the
// application's own is handed in.

import { redirection, type Decider, type Manifest } from "@postern/client/routes";

/** What `beforeLoad` is given, as far as a guard needs it. */
export interface BeforeLoadArguments {
  readonly location: { readonly pathname: string };
}

/** What `redirect` of `@tanstack/react-router` is asked for. */
export interface RedirectOptions {
  readonly to: string;
  readonly replace: true;
}

/**
 * A `beforeLoad` for the root route, or for any that its addresses lie under:
 * `createRootRoute({ beforeLoad: guard(pages, () => postern, redirect) })`. Where an address may not be opened it throws
 * what `redirect` makes. `permissions` is asked at every navigation, and waited for.
 *
 * After a change of permissions call the router's `invalidate`: the address that is open is then guarded again.
 */
export function guard(
  pages: Manifest,
  permissions: () => Decider | Promise<Decider>,
  redirect: (options: RedirectOptions) => unknown,
): (args: BeforeLoadArguments) => Promise<void> {
  return async ({ location }) => {
    const to = redirection(pages, location.pathname, await permissions());
    // The router throws what it makes, and takes what is thrown.
    if (to !== undefined) throw redirect({ to, replace: true });
  };
}
