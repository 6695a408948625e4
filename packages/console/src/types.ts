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

export interface Assignment {
  readonly id: string;
  readonly subject: string;
  readonly role: string;
  readonly at: Place;
  readonly active: boolean;
  readonly not_before: string | null;
  readonly expires_at: string | null;
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
