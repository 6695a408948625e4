// Rendering what the subject may do.

import type { Facts, Permission, Resource } from "@postern/client";
import type { ReactNode } from "react";
import { useAnywhere, useCan, useEverywhere } from "./hooks.js";

/** What {@link Can} takes. */
export interface CanProps {
  /** The permission. */
  readonly permission: Permission;
  /** Where: a resource, or `"organization"` (the default), `"anywhere"` or `"everywhere"`. */
  readonly at?: Resource | "organization" | "anywhere" | "everywhere" | undefined;
  /** What the page knows of the resource and the moment. */
  readonly facts?: Facts | undefined;
  /** Shown where it is denied. Default: nothing. */
  readonly otherwise?: ReactNode;
  /** Shown where it is allowed. */
  readonly children?: ReactNode;
}

/** Renders its children where the permission is held, else `otherwise`. */
export function Can({ permission, at = "organization", facts, otherwise, children }: CanProps): ReactNode {
  const here = useCan(permission, typeof at === "string" ? undefined : at, facts);
  const anywhere = useAnywhere(permission, facts);
  const everywhere = useEverywhere(permission, facts);
  const held = at === "anywhere" ? anywhere : at === "everywhere" ? everywhere : here;
  return (held ? children : otherwise) ?? null;
}
