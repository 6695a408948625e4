// Composables that ask. Their answers are computed: again after a change of the permissions or of the question.

import type { Decision, Facts, Resource } from "@postern/client";
import { computed, toValue, type ComputedRef, type MaybeRefOrGetter } from "vue";
import { usePostern } from "./plugin.js";

type Asked<T> = MaybeRefOrGetter<T>;

/** Whether the permission is held there; without a resource in the whole organization. */
export function useCan(
  permission: Asked<string>,
  resource?: Asked<Resource | undefined>,
  facts?: Asked<Facts | undefined>,
): ComputedRef<boolean> {
  const postern = usePostern();
  return computed(() => postern.value.can(toValue(permission), toValue(resource), toValue(facts)));
}

/** Whether it is held in the whole organization or at one scope at least: what a menu entry asks. */
export function useAnywhere(
  permission: Asked<string>,
  facts?: Asked<Facts | undefined>,
): ComputedRef<boolean> {
  const postern = usePostern();
  return computed(() => postern.value.anywhere(toValue(permission), toValue(facts)));
}

/** Whether it is held in the whole organization and at every scope. */
export function useEverywhere(
  permission: Asked<string>,
  facts?: Asked<Facts | undefined>,
): ComputedRef<boolean> {
  const postern = usePostern();
  return computed(() => postern.value.everywhere(toValue(permission), toValue(facts)));
}

/** The decision with its reason. Reading it throws as the client's `decide` does. */
export function useDecision(
  permission: Asked<string>,
  resource?: Asked<Resource | undefined>,
  facts?: Asked<Facts | undefined>,
): ComputedRef<Decision> {
  const postern = usePostern();
  return computed(() => postern.value.decide(toValue(permission), toValue(resource), toValue(facts)));
}

/** The ids of a scope type at which the permission is held, sorted. Reading it throws as the client's `filter` does. */
export function useFilter(
  permission: Asked<string>,
  type: Asked<string>,
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
