// What the management interface answers (openapi.json), as far as the console reads it.

export type Place = { readonly type: string; readonly id: string } | null;

export interface Role {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
  readonly builtin: string | null;
  readonly immutable: boolean;
  readonly scope: Place;
  readonly permissions: readonly string[];
}

/** When something counts; `null` is no bound. */
export interface Life {
  readonly active: boolean;
  readonly not_before: string | null;
  readonly expires_at: string | null;
}

/** A former id of a role. */
export interface RoleAlias {
  readonly id: string;
  readonly role: string;
}

export interface Assignment extends Life {
  readonly id: string;
  readonly subject: string;
  readonly role: string;
  readonly at: Place;
}

export interface Grant extends Life {
  readonly id: string;
  readonly subject: string;
  readonly effect: "allow" | "exclude";
  readonly permissions: readonly string[];
  readonly at: Place;
  readonly where: Readonly<Record<string, string>>;
  readonly require: Readonly<Record<string, string>>;
  readonly own: boolean;
  readonly session: string | null;
  readonly share: boolean;
}

export interface Share extends Life {
  readonly id: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly subject: string;
  readonly permissions: readonly string[];
  readonly into: Place;
}

export interface Invitation {
  readonly id: string;
  readonly subject: string;
  readonly assignment: Omit<Assignment, "id" | "subject"> | null;
  readonly share: Omit<Share, "id" | "subject"> | null;
  readonly invited_by: string;
  readonly state: "pending" | "accepted" | "rejected" | "cancelled" | "expired";
  readonly created_at: string;
  readonly expires_at: string;
  readonly answered_at: string | null;
}

export interface Preset {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly role_name: string | null;
  readonly auto_assign: boolean;
  readonly for_creator: boolean;
  readonly deleted_at: string | null;
  readonly permissions: readonly string[];
}

export interface PresetSync {
  readonly preset: string;
  readonly roles: readonly {
    readonly id: string;
    readonly name: string;
    readonly scope: { readonly type: string; readonly id: string };
    readonly added: readonly string[];
    readonly removed: readonly string[];
  }[];
  readonly unchanged: number;
}

export type Visibility =
  | { readonly to: "user" | "organization" }
  | { readonly to: "group"; readonly groups: readonly string[] }
  | { readonly to: "session"; readonly session: string; readonly participants: string };

/** What grants say that were made otherwise. */
export interface OtherReaders {
  readonly to: "other";
  readonly readers: readonly { readonly subject: string; readonly session: string | null }[];
}

export interface Secret extends Life {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly description: string;
  readonly owner: string | null;
  readonly visibility: Visibility | OtherReaders;
  readonly version: number;
  readonly changed_at: string;
}

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly events: readonly string[];
  readonly active: boolean;
}

export interface Deliveries {
  readonly waiting: number;
  readonly last_delivered_at: string | null;
  readonly failing_since: string | null;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly next_attempt_at: string | null;
  readonly given_up: number;
  readonly dead_letters: readonly {
    readonly id: string;
    readonly type: string;
    readonly error: string;
    readonly given_up_at: string;
  }[];
}

export interface Subject {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly active: boolean;
}

export interface Membership {
  readonly id: string;
  readonly subject: string;
  readonly group: string;
}

export interface Scope {
  readonly type: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly active: boolean;
  readonly deleted_at: string | null;
  readonly parents: readonly { readonly type: string; readonly id: string; readonly relation: string }[];
  readonly roles: readonly { readonly id: string; readonly name: string; readonly auto_assign: boolean }[];
}

export interface PermissionEntry {
  readonly description: string;
  readonly requires: readonly string[];
  readonly implied_by: readonly string[];
}

export interface Catalog {
  readonly types: Readonly<Record<string, { readonly scope: boolean }>>;
  readonly permissions: Readonly<Record<string, PermissionEntry>>;
}

export interface AuditEvent {
  readonly id: number;
  readonly occurred_at: string;
  readonly revision: number;
  readonly actor: string;
  readonly operation: string;
  readonly target: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly request_id: string | null;
}

export interface DecisionEvent {
  readonly id: number;
  readonly decided_at: string;
  readonly revision: number;
  readonly asked_by: string;
  readonly subject: string;
  readonly permission: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly decision: "allow" | "deny";
  readonly reason: string;
}

export interface Stream {
  readonly id: string;
  readonly key: string;
  readonly prefix: string;
  readonly since: string;
  readonly deltas: boolean;
  readonly agent: string | null;
  readonly sent: string;
  readonly behind: string;
}

/** How many of each a purge deleted. */
export interface Purged {
  readonly edges: number;
  readonly grants: number;
  readonly assignments: number;
  readonly permissions: number;
  readonly roles: number;
}

export interface Streams {
  readonly gateway: string;
  readonly slices: number;
  readonly items: readonly Stream[];
}

export interface Revision {
  readonly revision: string;
  readonly changes: readonly { readonly relation: string; readonly key: string | Place }[];
  readonly more: boolean;
}

export interface Revisions {
  readonly epoch: string;
  readonly newest: string;
  readonly items: readonly Revision[];
}

export interface Preview {
  readonly preview: true;
  readonly revision: string;
  readonly concerned: number;
  readonly gained: { readonly subjects: number; readonly permissions: number };
  readonly lost: { readonly subjects: number; readonly permissions: number };
  readonly changes: readonly {
    readonly subject: string;
    readonly at: Place;
    readonly gained: readonly string[];
    readonly lost: readonly string[];
  }[];
  readonly more: boolean;
}

export type Step =
  | { readonly candidate: Candidate }
  | { readonly grant: { readonly holder: string; readonly at: Place } }
  | { readonly exclusion: { readonly holder: string; readonly at: Place } }
  | { readonly owner: { readonly satisfies: boolean } };

export interface Candidate {
  readonly holder: string;
  readonly role: string;
  readonly at: Place;
  readonly satisfies: boolean;
  readonly narrowed: boolean;
}

export type Change =
  | "activate_subject"
  | "list_resource"
  | "activate_resource"
  | { readonly remove_exclusion: { readonly holder: string; readonly at: Place } }
  | { readonly grant: { readonly at: Place; readonly or_role: string | null } };

export type Explanation =
  | { readonly error: string }
  | {
      readonly decision: "allow" | "deny";
      readonly reason: string;
      readonly trail: readonly Step[];
      readonly remedy: readonly Change[];
    };
