// Places, refusals and steps of a decision, in words.

import { Refused } from "./interface.js";
import type { Candidate, Change, Grant, Life, Place, Purged, Step } from "./types.js";

export const EVERYWHERE = "the whole organization";

export const placeText = (place: Place | undefined): string =>
  place == null ? EVERYWHERE : `${place.type} ${place.id}`;

/** A role as people know it: by its name where the roles are at hand. */
export type Names = ReadonlyMap<string, string>;

export const roleText = (role: string, names: Names): string => names.get(role) ?? role;

/** What went wrong, and what to do about it. */
export function refusalText(error: unknown): string {
  if (!(error instanceof Refused)) return error instanceof Error ? error.message : String(error);
  const { code, members } = error;
  const list = (value: unknown): string => (Array.isArray(value) ? value.join(", ") : "");
  switch (code) {
    case "unreachable":
      return "The gateway cannot be reached. Nothing was changed; try again when it answers.";
    case "forbidden":
      return `You may not do this: it needs ${String(members["required"])} in ${placeText(scope(members))}.`;
    case "cannot_grant":
      return `You cannot give what you do not hold: ${String(members["required"])} in ${placeText(scope(members))}.`;
    case "missing_permissions":
      return `Some permissions need others: ${Object.entries(
        (members["missing"] ?? {}) as Record<string, unknown>,
      )
        .map(([key, needs]) => `${key} needs ${list(needs)}`)
        .join("; ")}. Add them, or leave out what needs them.`;
    case "unknown_permissions":
      return `The catalog has none of these: ${list(members["permissions"])}.`;
    case "precondition_failed":
      return "Somebody has changed it since you opened it. Close this, and look at it again.";
    case "role_held":
      return `${String(members["holders"] ?? "Some")} still hold it. Choose the role that they get instead.`;
    case "last_super_admin":
      return "This is the last super admin. Give somebody else that role first.";
    case "webhook_not_allowed":
      return "The gateway tells nobody at this address. Whoever runs it allows origins with --webhook-to.";
    case "no_vault":
      return "This gateway keeps no secrets: it was started without --vault-keys.";
    case "inviter_may_not":
      return "Whoever invited you may not give this any more. The invitation stays, in case they may again.";
    case "already_held":
      return "They hold this already.";
    case "invitation_answered":
      return `This invitation is ${String(members["state"] ?? "answered")} already.`;
    case "invalid_token":
    case "expired_token":
      return "Your sign-in is no longer good. Sign out, and sign in again.";
    case "stale":
    case "unavailable":
      return `${error.message}. Try again in a moment.`;
    default:
      return `${sentence(error.message)} (${code})`;
  }
}

function scope(members: Readonly<Record<string, unknown>>): Place {
  const scope = members["scope"] as { type?: string; id?: string } | undefined;
  return scope?.type === undefined || scope.id === undefined ? null : { type: scope.type, id: scope.id };
}

export const sentence = (text: string): string =>
  text === "" ? text : text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

const REASONS: Readonly<Record<string, string>> = {
  assignment: "A role gives it.",
  grant: "A grant gives it.",
  owner: "The owner of the resource may.",
  not_granted: "Nothing gives it here.",
  narrowed: "A role that gives it in a wider place is replaced by a narrower one here.",
  excluded: "An exclusion takes it away.",
  unknown_subject: "Nobody of this id is listed.",
  unknown_resource: "No such resource is listed, and its type has to be.",
  inactive_subject: "The subject is switched off, or its time is over.",
  inactive_resource: "The resource, or what it lies in, is switched off.",
};

/** Why, in a sentence; a reason that has none, as it is. */
export const reasonText = (reason: string): string => REASONS[reason] ?? reason.replaceAll("_", " ");

/** One step of the trail. */
export function stepText(step: Step, names: Names): string {
  if ("candidate" in step) return candidateText(step.candidate, names);
  if ("grant" in step) return `A grant to ${step.grant.holder} at ${placeText(step.grant.at)} gives it.`;
  if ("exclusion" in step)
    return `An exclusion of ${step.exclusion.holder} at ${placeText(step.exclusion.at)} takes it away.`;
  return step.owner.satisfies
    ? "The subject owns the resource, and its owner may."
    : "The subject owns the resource, but its owner may not.";
}

function candidateText({ holder, role, at, satisfies, narrowed }: Candidate, names: Names): string {
  const held = `${holder} holds ${roleText(role, names)} at ${placeText(at)}`;
  if (narrowed)
    return `${held}; it does not count here, because a narrower assignment replaces it${satisfies ? " (it would give it)" : ""}.`;
  return `${held}, which ${satisfies ? "gives it" : "does not give it"}.`;
}

/** One part of the smallest change that would allow it. */
export function remedyText(change: Change, permission: string, subject: string, names: Names): string {
  switch (change) {
    case "activate_subject":
      return `Switch ${subject} on, or lengthen its time.`;
    case "list_resource":
      return "List the resource.";
    case "activate_resource":
      return "Switch the resource on, with everything that it lies in.";
  }
  if ("remove_exclusion" in change) {
    const { holder, at } = change.remove_exclusion;
    return `Take away the exclusion of ${holder} at ${placeText(at)}.`;
  }
  const { at, or_role: role } = change.grant;
  const or = role === null ? "" : `, or add it to ${roleText(role, names)}`;
  return `Give ${subject} a role with ${permission} at ${placeText(at)}${or}.`;
}

/** When something counts. */
export function lifeText({ active, not_before: from, expires_at: until }: Life): string {
  if (!active) return "switched off";
  const parts = [
    from === null ? "" : `from ${timeText(from)}`,
    until === null ? "" : `until ${timeText(until)}`,
  ];
  return parts.filter((part) => part !== "").join(" ") || "always";
}

/** Why something does not count at a moment; `undefined`: it counts. */
export function deadBecause(life: Life, now: number): "off" | "expired" | "not yet" | undefined {
  if (!life.active) return "off";
  if (life.expires_at !== null && Date.parse(life.expires_at) <= now) return "expired";
  return life.not_before !== null && Date.parse(life.not_before) > now ? "not yet" : undefined;
}

/** Whom a grant is for. */
export function holderText(subject: string, names: Names): string {
  if (subject === "user:all") return "Everybody";
  return subject.startsWith("role:") ? `Role ${roleText(subject, names)}` : subject;
}

/** Under which conditions a grant counts; empty: under none. */
export function conditionText({ where, require, own, session }: Grant): string {
  const pairs = (of: Readonly<Record<string, string>>): string =>
    Object.entries(of)
      .map(([name, value]) => `${name} = ${value}`)
      .join(", ");
  return [
    Object.keys(where).length === 0 ? "" : `where ${pairs(where)}`,
    Object.keys(require).length === 0 ? "" : `requires ${pairs(require)}`,
    own ? "only what they own" : "",
    session === null ? "" : `in the session ${session}`,
  ]
    .filter((part) => part !== "")
    .join("; ");
}

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A moment, as the reader's country writes it. */
export function timeText(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : TIME.format(time);
}

/** What a purge deleted; what there was none of is left out. */
export function purgedText({ edges, grants, assignments, roles }: Purged): string {
  const parts = [
    [edges, "edge"],
    [roles, "role"],
    [assignments, "assignment"],
    [grants, "grant"],
  ] as const;
  const told = parts.flatMap(([number, one]) => (number === 0 ? [] : [count(number, one)]));
  return told.length === 0 ? "nothing else" : told.join(", ");
}

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
