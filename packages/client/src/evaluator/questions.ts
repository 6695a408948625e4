// The questions whose answer is a decision, asked of an opened slice.

import type { AllowReason, DenyReason, Permission, Resource } from "../question.js";
import { fail, read, type Declared, type FactsAt, type Reason } from "./core.js";

/** An opened slice, to ask with the functions here. All but `revision` is internal. */
export type OpenSlice = ReturnType<typeof read>;

/** How a check is answered: `docs/semantics.md`, section 6. */
export type CheckAnswer =
  | { readonly decision: "allow"; readonly reason: AllowReason }
  | { readonly decision: "deny"; readonly reason: Exclude<DenyReason, "stale" | "closed"> };

/**
 * Opens the bytes of a slice: one pass for the checksum and one that builds the tables, tens of milliseconds for 100 KB.
 * The bytes are copied. Throws `bad_slice` for what is damaged, of another version, or no slice.
 */
export function open(bytes: Uint8Array): OpenSlice {
  try {
    return read(bytes);
  } catch {
    return fail("bad_slice");
  }
}

/**
 * May the slice's subject do it there? `null` asks in the whole organization. Rules 1 to 12, and section 7 for what a
 * slice cannot judge. Throws `invalid_request` and `unknown_permission`; never an allow.
 */
export function check(
  slice: OpenSlice,
  permission: Permission,
  resource: Resource | null,
  facts: FactsAt,
): CheckAnswer {
  const [decide] = slice.ask(facts, resource);
  const reason = decide(declared(slice, permission));
  return { decision: allows(reason) ? "allow" : "deny", reason } as CheckAnswer;
}

/** Held in the whole organization or at one live scope at least? Throws as {@link check}. */
export const anywhere = (slice: OpenSlice, permission: Permission, facts: FactsAt): boolean =>
  level(slice, permission, facts).includes(true);

/** Held in the whole organization and at every live scope? Throws as {@link check}. */
export const everywhere = (slice: OpenSlice, permission: Permission, facts: FactsAt): boolean =>
  !level(slice, permission, facts).includes(false);

/** Whether a reason is that of an allow. `owner`, `assignment` and `grant` are; no other begins like them. */
export const allows = (reason: Reason): boolean => /^[oag]/.test(reason);

/** A permission of the catalog. Throws `invalid_request` and `unknown_permission`. */
export const declared = (slice: OpenSlice, permission: string): Declared =>
  slice.permissions.get(permission) ?? fail(permission ? "unknown_permission" : "invalid_request");

const level = (slice: OpenSlice, permission: string, facts: FactsAt): boolean[] => {
  const row = declared(slice, permission);
  const [decide, alive] = slice.ask(facts);
  return slice.places.flatMap((place) =>
    place.kind[0] & 1 && alive(place) ? allows(decide(row, place)) : [],
  );
};
