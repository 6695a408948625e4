// What every page may reach: the interface, the newest revision, and how to say something.

import { usePostern } from "@postern/react";
import type { Facts, Permissions, Status } from "@postern/client";
import { createContext, useCallback, useContext, useEffect, useState } from "react";
import type { Management } from "./interface.js";
import type { Session } from "./session.js";
import type { Place, Revision } from "./types.js";
import { placeText } from "./words.js";

export interface App {
  readonly session: Session;
  readonly subject: string;
  readonly management: Management;
  readonly status: Status;
  /** The newest revision of the organization that was heard of; empty before the first. */
  readonly newest: string;
  /** The newest revisions with what they changed, newest first. */
  readonly feed: readonly Revision[];
  /** Tells the person something: visibly for a moment, and to screen readers. */
  readonly say: (message: string) => void;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("no application around this component");
  return app;
}

/** Permissions of the interface itself (docs/management.md), each needed in the whole organization. */
export const READ_ROLES = ["role:read", "role:manage", "user:manage"] as const;
export const READ_SUBJECTS = ["user:read", "user:manage", "role:manage"] as const;
export const READ_SCOPES = ["role:read", "role:manage", "resource:manage"] as const;
/** All shares; those of one resource also at it. */
export const READ_SHARES = [...READ_ROLES, "resource:share"] as const;
export const READ_AUDIT = ["audit:read"] as const;
export const WRITE_ASSIGNMENTS = ["role:manage", "user:manage"] as const;

/** Whether one of these is held in the whole organization: decided here, on the slice in force. */
export function useAny(permissions: readonly string[]): boolean {
  const postern = usePostern();
  return permissions.some((permission) => postern.can(permission));
}

/** Why a change cannot be made now; `undefined`: it can. */
export function useNoWrite(permissions: readonly string[]): string | undefined {
  return useNoWriteAt(permissions)(null);
}

/** As {@link useNoWrite}, at any place; `facts` is what is known of a resource that is no scope. */
export function useNoWriteAt(
  permissions: readonly string[],
): (at: Place, facts?: Facts) => string | undefined {
  const { status } = useApp();
  const postern = usePostern();
  return (at, facts) => {
    if (!permissions.some((permission) => holds(postern, permission, at, facts)))
      return `Needs ${permissions.join(" or ")} in ${placeText(at)}.`;
    if (status !== "live" && status !== "connecting") return "Not while the gateway cannot be reached.";
    return undefined;
  };
}

function holds(postern: Permissions, permission: string, at: Place, facts: Facts | undefined): boolean {
  if (at === null) return postern.can(permission);
  if (postern.can(permission, at, facts)) return true;
  // A slice lists scopes, and not what lies below: what is held at a scope may count there, which the gateway decides.
  return at.type !== "secret" && !isScope(postern, permission, at.type) && postern.anywhere(permission);
}

function isScope(postern: Permissions, permission: string, type: string): boolean {
  try {
    postern.filter(permission, type);
    return true;
  } catch {
    return false;
  }
}

/** Why a change can be made nowhere now; `undefined`: there is a place for it. */
export function useNoWriteAnywhere(permissions: readonly string[]): string | undefined {
  const postern = usePostern();
  const because = useNoWrite(permissions);
  const { status } = useApp();
  const somewhere = permissions.some((permission) => postern.anywhere(permission));
  return somewhere && (status === "live" || status === "connecting") ? undefined : because;
}

export type Loaded<T> =
  | { readonly state: "loading" }
  | { readonly state: "refused"; readonly error: unknown; readonly again: () => void }
  | { readonly state: "ready"; readonly value: T; readonly old: unknown; readonly again: () => void };

/**
 * Something of the interface. Another `key` is another thing; with another `version` the same is read again, and what
 * was read before stays until then. `old` is why it could not be read again.
 */
export function useLoaded<T>(
  key: string,
  version: string,
  load: (signal: AbortSignal) => Promise<T>,
): Loaded<T> {
  const [read, setRead] = useState<{ key: string; value?: T; error?: unknown }>({ key });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((turn) => turn + 1), []);
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).then(
      (value) => !abort.signal.aborted && setRead({ key, value }),
      (error: unknown) =>
        !abort.signal.aborted &&
        setRead((before) =>
          "value" in before && before.key === key ? { ...before, error } : { key, error },
        ),
    );
    return () => abort.abort();
    // `load` is a new function at every rendering; key and version say when it is another one.
  }, [key, version, turn]);
  if (read.key !== key) return { state: "loading" };
  if ("value" in read) return { state: "ready", value: read.value as T, old: read.error, again };
  if ("error" in read) return { state: "refused", error: read.error, again };
  return { state: "loading" };
}

/** Calls again and again while the page is looked at. */
export function useEvery(milliseconds: number, call: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && call(), milliseconds);
    return () => clearInterval(timer);
  });
}
