// Rendering what the subject may do.

import type { Facts, Permission, Resource } from "@postern/client";
import { defineComponent, type DefineComponent, type PropType } from "vue";
import { usePostern } from "./plugin.js";

/** Where {@link Can} asks: a resource, the organization, one scope at least, or all. */
export type CanAt = Resource | "organization" | "anywhere" | "everywhere";

/** What {@link Can} takes. */
export interface CanProps {
  /** The permission. */
  readonly permission: Permission;
  /** Where it must be held. Default: `"organization"`. */
  readonly at?: CanAt;
  /** What the page knows of the resource and the moment. */
  readonly facts?: Facts | undefined;
}

/** Renders its default slot where the permission is held, else the slot `otherwise`. */
// Said and not inferred: what is inferred has the permissions of this package, which knows no catalog.
export const Can: DefineComponent<CanProps> = defineComponent({
  name: "Can",
  props: {
    /** The permission. */
    permission: { type: String as PropType<Permission>, required: true },
    /** Where it must be held. */
    at: { type: [Object, String] as PropType<CanAt>, default: "organization" },
    /** What the page knows of the resource and the moment. */
    facts: { type: Object as PropType<Facts>, default: undefined },
  },
  setup(props, { slots }) {
    const postern = usePostern();
    const held = (): boolean => {
      const { permission, at, facts } = props;
      if (at === "anywhere" || at === "everywhere") return postern.value[at](permission, facts);
      return postern.value.can(permission, typeof at === "string" ? undefined : at, facts);
    };
    return () => (held() ? slots["default"]?.() : slots["otherwise"]?.());
  },
});
