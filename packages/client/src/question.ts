// The words of a question: what is asked about, and what the asker knows about it.

/**
 * What `postern codegen --lang ts` says of the catalog: the file that it writes adds the members `permission` and
 * `resourceType` here. Without such a file it is empty, and any text may be asked about.
 */
export interface Register {}

/** What may be asked about: a permission of the catalog where one is registered, else any text. */
export type Permission = Register extends { readonly permission: infer Key extends string } ? Key : string;

/** A resource type of the catalog where one is registered, else any text. */
export type ResourceType = Register extends { readonly resourceType: infer Name extends string }
  ? Name
  : string;

/** A permission, or the beginning of some with `*` after it. */
export type PermissionPattern = Permission | `${string}*`;

/** Seconds by pattern. */
export type MaxAgeByPattern = { readonly [Pattern in PermissionPattern]?: number };

/** What is acted on. */
export interface Resource {
  readonly type: ResourceType;
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
  can(permission: Permission, resource?: Resource, facts?: Facts, demand?: Demand): boolean;
  decide(permission: Permission, resource?: Resource, facts?: Facts, demand?: Demand): Decision;
  anywhere(permission: Permission, facts?: Facts): boolean;
  everywhere(permission: Permission, facts?: Facts): boolean;
  filter(permission: Permission, type: ResourceType, facts?: Facts): string[];
  /** Texts, whatever is registered: the catalog in force may have more than the one that code was generated from. */
  actions(resource?: Resource, facts?: Facts): string[];
}
