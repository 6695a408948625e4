// What is asked at an edge, and what is answered.

import type { AllowReason, DenyReason, Facts, Permission, Resource } from "@postern/client";

/**
 * Why a question was denied. Beside the resolver's reasons: nothing is held yet (`no_snapshot`), what is held is not known to be
 * current any more (`stale_snapshot`), and questions that have no answer, which are never an allow.
 */
export type EdgeDenyReason =
  | Exclude<DenyReason, "stale" | "closed" | "not_in_slice">
  | "no_snapshot"
  | "stale_snapshot"
  | "unknown_permission"
  | "invalid_request";

/** A decision, why, on which revision, and how many milliseconds ago the authority was last sure of that. */
export type EdgeDecision =
  | {
      readonly decision: "allow";
      readonly reason: AllowReason;
      readonly revision: number;
      readonly ageMs: number;
    }
  | {
      readonly decision: "deny";
      readonly reason: EdgeDenyReason;
      readonly revision: number;
      readonly ageMs: number | undefined;
    };

/** What one subject may do, on what is held now: every question is answered at once. */
export interface SubjectPermissions {
  /** May the subject do it there? Without a resource: in the whole organization. */
  can(permission: Permission, resource?: Resource, facts?: Facts): boolean;
  /** Is it held in the whole organization or at one scope at least? */
  anywhere(permission: Permission, facts?: Facts): boolean;
  /** Is it held in the whole organization and at every scope? */
  everywhere(permission: Permission, facts?: Facts): boolean;
}
