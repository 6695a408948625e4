// Composables that ask. Their answers are computed: again after a change of the permissions or of the question.

import type {
  Decision,
  Demand,
  Facts,
  Permission,
  Permissions,
  Resource,
  ResourceType,
} from "@postern/client";
import {
  computed,
  getCurrentInstance,
  onMounted,
  onScopeDispose,
  shallowRef,
  toValue,
  type ComputedRef,
  type MaybeRefOrGetter,
} from "vue";
import { usePostern } from "./plugin.js";

type Asked<T> = MaybeRefOrGetter<T>;

/**
 * Whether the permission is held there; without a resource in the whole organization. With `{ maxAge }`, seconds, it is
 * looked at every second whether the permissions are still that young.
 */
export function useCan(
  permission: Asked<Permission>,
  resource?: Asked<Resource | undefined>,
  facts?: Asked<Facts | undefined>,
  demand?: Asked<Demand | undefined>,
): ComputedRef<boolean> {
  const postern = useAged(demand);
  return computed(() =>
    postern().can(toValue(permission), toValue(resource), toValue(facts), toValue(demand)),
  );
}

/** Whether it is held in the whole organization or at one scope at least: what a menu entry asks. */
export function useAnywhere(
  permission: Asked<Permission>,
  facts?: Asked<Facts | undefined>,
): ComputedRef<boolean> {
  const postern = usePostern();
  return computed(() => postern.value.anywhere(toValue(permission), toValue(facts)));
}

/** Whether it is held in the whole organization and at every scope. */
export function useEverywhere(
  permission: Asked<Permission>,
  facts?: Asked<Facts | undefined>,
): ComputedRef<boolean> {
  const postern = usePostern();
  return computed(() => postern.value.everywhere(toValue(permission), toValue(facts)));
}

/** The decision with its reason. Reading it throws as the client's `decide` does. `demand` as for {@link useCan}. */
export function useDecision(
  permission: Asked<Permission>,
  resource?: Asked<Resource | undefined>,
  facts?: Asked<Facts | undefined>,
  demand?: Asked<Demand | undefined>,
): ComputedRef<Decision> {
  const postern = useAged(demand);
  return computed(() =>
    postern().decide(toValue(permission), toValue(resource), toValue(facts), toValue(demand)),
  );
}

/** The ids of a scope type at which the permission is held, sorted. Reading it throws as the client's `filter` does. */
export function useFilter(
  permission: Asked<Permission>,
  type: Asked<ResourceType>,
  facts?: Asked<Facts | undefined>,
): ComputedRef<readonly string[]> {
  const postern = usePostern();
  return computed(() => postern.value.filter(toValue(permission), toValue(type), toValue(facts)));
}

/** The permissions that are held on a resource, sorted; without one, in the whole organization. */
export function useActions(
  resource?: Asked<Resource | undefined>,
  facts?: Asked<Facts | undefined>,
): ComputedRef<readonly string[]> {
  const postern = usePostern();
  return computed(() => postern.value.actions(toValue(resource), toValue(facts)));
}

/** Between looks at answers that depend on their age, in milliseconds. Nobody tells when a question's own limit passes. */
const LOOK_MS = 1_000;

/** Whom to ask; where an age may be demanded, what asks is asked again every second. A server has no second look. */
function useAged(demand: Asked<Demand | undefined>): () => Permissions {
  const postern = usePostern();
  if (demand === undefined) return () => postern.value;
  const looks = shallowRef(0);
  let timer: ReturnType<typeof setInterval> | undefined;
  const start = (): void => {
    timer = setInterval(() => (looks.value += 1), LOOK_MS);
  };
  if (getCurrentInstance() === null) start();
  else onMounted(start);
  onScopeDispose(() => clearInterval(timer));
  return () => {
    void looks.value;
    return postern.value;
  };
}
