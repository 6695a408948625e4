// `@postern/react/react-router`: a loader that guards addresses. It imports no router: a data router of React Router
// takes a thrown `Response` with a `Location` for a redirection.

import { redirection, type Decider, type Manifest } from "@postern/client/routes";

/** What a loader is given, as far as a guard needs it. */
export interface LoaderArguments {
  readonly request: { readonly url: string };
}

/** What {@link guard} takes beside the manifest and the permissions. */
export interface GuardOptions {
  /** The router's own `basename`, which addresses begin with. Default: none. */
  readonly basename?: string;
}

/**
 * A loader for every route of the manifest: `{ path: "/sites/:site", loader: guard(pages, () => postern) }`. It gives
 * `null` where the address may be opened, and throws a redirection, with which the address is replaced, where not. `permissions` is asked at every
 * navigation, and waited for.
 *
 * A loader runs when an address is opened; what changes while it is open is for the page: ask `usePostern` there.
 */
export function guard(
  pages: Manifest,
  permissions: () => Decider | Promise<Decider>,
  { basename = "" }: GuardOptions = {},
): (args: LoaderArguments) => Promise<null> {
  const base = basename.replace(/\/$/, "");
  return async ({ request }) => {
    const { pathname } = new URL(request.url);
    const path = pathname.startsWith(`${base}/`)
      ? pathname.slice(base.length)
      : pathname === base
        ? "/"
        : pathname;
    const to = redirection(pages, path, await permissions());
    if (to === undefined) return null;
    // The router puts its basename before a location itself, on a server too. The address that was refused is replaced:
    // the way back must not lead into the same refusal.
    throw new Response(null, { status: 302, headers: { Location: to, "X-Remix-Replace": "true" } });
  };
}
