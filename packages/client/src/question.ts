// The words of a question: what is asked about, and what the asker knows about it.

/** What is acted on. */
export interface Resource {
  readonly type: string;
  readonly id: string;
}

/**
 * What the page knows about the resource and the moment. A slice lists scopes, not every resource: about a machine
 * or document say where it is (`in`), and, where it matters, whose it is (`owner`). For a resource that the slice
 * lists, `in` and `owner` are ignored.
 */
export interface Facts {
  /** The parents of the resource: scopes of the slice. */
  readonly in?: readonly Resource[];
  /** The subject id of the owner: `user:7f…`. */
  readonly owner?: string;
  /** Dimensions that grants may depend on. They override attributes of the same name. */
  readonly where?: Readonly<Record<string, string>>;
  /** The session that a grant may be limited to. */
  readonly session?: string;
}

/** What one question asks of the answer. */
export interface Demand {
  /** Denied where what is held is not known to have been in force less than so many seconds ago. */
  readonly maxAge?: number | undefined;
}

/** Why a question was allowed. */
export type AllowReason = "owner" | "assignment" | "grant";

/** Why a question was denied. The last two are this client's own: nothing is allowed without a current slice. */
export type DenyReason =
  | "inactive_subject"
  | "unknown_resource"
  | "inactive_resource"
  | "excluded"
  | "narrowed"
  | "unknown_subject"
  | "not_granted"
  | "not_in_slice"
  | "stale"
  | "closed";

/** A decision, why it was so decided, and the revision of the facts that it was decided on. */
export type Decision =
  | { readonly decision: "allow"; readonly reason: AllowReason; readonly revision: number }
  | { readonly decision: "deny"; readonly reason: DenyReason; readonly revision: number };

/**
 * One subject's permissions, as they can be asked: the client, or an evaluator. What each question means is said at
 * the client's methods of the same names.
 */
export interface Permissions {
  /** The revision of the facts that are decided on. */
  readonly revision: number;
  can(permission: string, resource?: Resource, facts?: Facts, demand?: Demand): boolean;
  decide(permission: string, resource?: Resource, facts?: Facts, demand?: Demand): Decision;
  anywhere(permission: string, facts?: Facts): boolean;
  everywhere(permission: string, facts?: Facts): boolean;
  filter(permission: string, type: string, facts?: Facts): string[];
  actions(resource?: Resource, facts?: Facts): string[];
}
