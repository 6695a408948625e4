// A button that knows whether it is allowed. Where it is not, it stays in place, can be reached by keyboard, and says
// why: an absent button teaches nobody whom to ask.

import type { DenyReason, Facts, Resource } from "@postern/client";
import { useId } from "preact/hooks";
import type { Permission } from "./catalog.js";
import { useApp } from "./context.js";
import { Icon, type IconName } from "./icons.js";

const WHY: Record<DenyReason, string> = {
  not_granted: "None of your roles holds it here.",
  narrowed: "Your role for this site replaces the wider one that holds it.",
  excluded: "It is excluded for you.",
  not_in_slice: "You hold nothing at this place.",
  unknown_resource: "This place does not exist.",
  inactive_resource: "This place is not in use.",
  inactive_subject: "Your account is not active.",
  unknown_subject: "You are not a member of this organization.",
  stale: "The gateway has not been heard for too long.",
  closed: "You are signed out.",
};

export interface ActProps {
  /** What the button says. */
  label: string;
  /** What it needs. */
  permission: Permission;
  /** Where; absent: in the whole organization. */
  resource?: Resource | undefined;
  /** What is known of the resource. */
  facts?: Facts | undefined;
  /** An icon alone, with the label for those who cannot see it. */
  icon?: IconName;
  kind?: "primary" | "plain" | "danger" | "icon";
  /** What happens; default: a sentence that says what would. */
  onAct?: () => void;
}

/** See the head of this file. */
export function Act({ label, permission, resource, facts, icon, kind = "plain", onAct }: ActProps) {
  const { postern, say, siteName } = useApp();
  const tip = useId();
  const decision = postern.decide(permission, resource, facts);
  const allowed = decision.decision === "allow";
  const site = [resource, ...(facts?.in ?? [])].find((each) => each?.type === "site");
  const place = site === undefined ? "in the whole organization" : `at ${siteName(site.id)}`;
  const why = allowed ? "" : `Needs ${permission} ${place}. ${WHY[decision.reason as DenyReason]}`;
  const shown = allowed || kind === "icon" ? icon : "lock";
  const onClick = (): void => {
    if (!allowed) say(why);
    else if (onAct !== undefined) onAct();
    else
      say(
        `${label}${resource === undefined ? "" : `: ${resource.id}`}. This is an example: nothing was sent.`,
      );
  };
  return (
    <span class="act">
      <button
        type="button"
        class={`button ${kind}`}
        aria-disabled={!allowed}
        aria-label={kind === "icon" ? label : undefined}
        aria-describedby={allowed ? undefined : tip}
        data-permission={permission}
        data-reason={decision.reason}
        onClick={onClick}
      >
        {shown !== undefined && <Icon name={shown} />}
        {kind !== "icon" && <span>{label}</span>}
      </button>
      {!allowed && (
        <span class="tip" role="tooltip" id={tip}>
          <strong>{label}</strong> {why} <code>{decision.reason}</code>
        </span>
      )}
      {allowed && kind === "icon" && (
        <span class="tip small" aria-hidden="true">
          {label}
        </span>
      )}
    </span>
  );
}
