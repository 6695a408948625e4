// Hooks that ask. Each renders its component again when its answer may be another one.

import type {
  Decision,
  Demand,
  Facts,
  Freshness,
  Permission,
  Permissions,
  Resource,
  ResourceType,
} from "@postern/client";
import { UNKNOWN_FRESHNESS } from "@postern/client/source";
import { useMemo, useSyncExternalStore } from "react";
import { useSource } from "./context.js";

/**
 * The permissions in force, as an object with the client's questions. It is another object after every change, so it
 * may stand in lists of dependencies; the component is rendered after each.
 */
export function usePostern(): Permissions {
  const source = useSource();
  return useSyncExternalStore(
    source.subscribe,
    () => source.current,
    () => source.initial,
  );
}

/**
 * Whether the permission is held there; without a resource in the whole organization. Renders when that changes. With
 * `{ maxAge }`, seconds, it is looked at every second whether the permissions are still that young.
 */
export function useCan(permission: Permission, resource?: Resource, facts?: Facts, demand?: Demand): boolean {
  return useAnswer((postern) => postern.can(permission, resource, facts, demand), demand);
}

/** Whether it is held in the whole organization or at one scope at least: what a menu entry asks. */
export function useAnywhere(permission: Permission, facts?: Facts): boolean {
  return useAnswer((postern) => postern.anywhere(permission, facts));
}

/** Whether it is held in the whole organization and at every scope. */
export function useEverywhere(permission: Permission, facts?: Facts): boolean {
  return useAnswer((postern) => postern.everywhere(permission, facts));
}

/** The decision with its reason. Throws as the client's `decide` does. `demand` as for {@link useCan}. */
export function useDecision(
  permission: Permission,
  resource?: Resource,
  facts?: Facts,
  demand?: Demand,
): Decision {
  const ask = (postern: Permissions): Decision => postern.decide(permission, resource, facts, demand);
  // Age alone gives another answer on the same permissions.
  const reason = useAnswer((postern) => demand && ask(postern).reason, demand);
  return useList(ask, [permission, resource, facts, demand, reason]);
}

/** The ids of a scope type at which the permission is held, sorted. Throws as the client's `filter` does. */
export function useFilter(permission: Permission, type: ResourceType, facts?: Facts): readonly string[] {
  return useList((postern) => postern.filter(permission, type, facts), [permission, type, facts]);
}

/** The permissions that are held on a resource, sorted; without one, in the whole organization. */
export function useActions(resource?: Resource, facts?: Facts): readonly string[] {
  return useList((postern) => postern.actions(resource, facts), [resource, facts]);
}

/**
 * How current the permissions are: to mark a page that no longer is. Renders when they are no longer fresh, or are
 * again, and after every change; `ageMs` is that of the last such moment.
 */
export function useFreshness(): Freshness {
  const source = useSource();
  return useSyncExternalStore(
    source.subscribe,
    () => source.freshness,
    () => UNKNOWN_FRESHNESS,
  );
}

/** An answer that can be compared: who asks is rendered when it is another one, and not at every change. */
function useAnswer<T>(ask: (postern: Permissions) => T, demand?: Demand): T {
  const source = useSource();
  return useSyncExternalStore(
    demand === undefined ? source.subscribe : source.subscribeToAge,
    () => ask(source.current),
    () => ask(source.initial),
  );
}

/** An answer that is a new object each time: asked once for each state of the permissions and each question. */
function useList<T>(ask: (postern: Permissions) => T, question: readonly unknown[]): T {
  const postern = usePostern();
  // Resources and facts are often written where they are used, and then new at each rendering, but the same in text.
  const key = JSON.stringify(question);
  return useMemo(() => ask(postern), [postern, key]);
}
