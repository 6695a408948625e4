// Invitations: those of the organization, and one's own to answer.

import { useState } from "react";
import { useSearchParams } from "react-router";
import {
  READ_ROLES,
  useAny,
  useApp,
  useEvery,
  useLoaded,
  useNoWrite,
  useNoWriteAnywhere,
} from "../context.js";
import { useAsk } from "../impact.js";
import { segments } from "../interface.js";
import { Listing } from "../listing.js";
import { Action, Await, Chip, Empty, Page, Tabs } from "../parts.js";
import type { Catalog, Invitation, Role } from "../types.js";
import { lifeText, placeText, timeText, type Names } from "../words.js";
import { InvitationForm } from "./invitation_form.js";

export const INVITE = ["role:manage", "user:manage", "resource:share"] as const;
const AGAIN_MS = 5000;
const NO_NAMES: Names = new Map();

/** Those of whoever is signed in. Nobody else may answer them, and no right is needed to see them. */
export function Invitations({ own, again }: { own: readonly Invitation[]; again: () => void }) {
  const reads = useAny(READ_ROLES);
  const [parameters, setParameters] = useSearchParams();
  const of = !reads || parameters.get("of") === "yours" ? "yours" : "all";
  const waiting = own.filter(({ state }) => state === "pending").length;
  return (
    <Page title="Invitations" about="Roles and shares that wait for somebody to want them.">
      {reads && (
        <Tabs
          label="Which"
          of={[
            ["all", "All"],
            ["yours", waiting === 0 ? "Yours" : `Yours (${waiting})`],
          ]}
          chosen={of}
          onChoose={(of) => setParameters(of === "yours" ? { of } : {})}
        />
      )}
      {of === "all" ? <All /> : <Yours own={own} again={again} reads={reads} />}
    </Page>
  );
}

function All() {
  const { management, newest } = useApp();
  const noInvite = useNoWriteAnywhere(INVITE);
  const noCancel = useNoWrite(INVITE);
  const [inviting, setInviting] = useState(false);
  const [turn, setTurn] = useState(0);
  const [dialog, ask] = useAsk();
  const again = (): void => setTurn((turn) => turn + 1);
  // Invitations are no facts: no revision tells of one that was sent or rejected.
  useEvery(AGAIN_MS, again);
  const read = useLoaded("invitations", `${newest} ${turn}`, (signal) =>
    management.all<Invitation>("invitations", 10, signal),
  );
  const roles = useLoaded("roles of invitations", newest, async (signal) => {
    const [{ items }, catalog] = await Promise.all([
      management.all<Role>("roles", 10, signal),
      management.get<Catalog>("catalog", signal),
    ]);
    const names: Names = new Map(items.map((role) => [role.id, role.name]));
    return { roles: items, names, catalog };
  });
  const names = roles.state === "ready" ? roles.value.names : NO_NAMES;
  const button = (
    <Action kind="primary" because={noInvite} onClick={() => setInviting(true)}>
      Invite …
    </Action>
  );
  return (
    <>
      <Await of={read} what="the invitations">
        {({ items, more }) =>
          items.length === 0 ? (
            <Empty title="Nobody is invited">
              <p>Who is invited holds nothing until they accept.</p>
              <p>{button}</p>
            </Empty>
          ) : (
            <Listing
              what="invitation"
              by="subject, what is offered or state"
              head={["Who", "State", "Offered", "By", "Until", "Action"]}
              items={[...items].reverse()}
              more={more}
              textOf={(invitation) =>
                [
                  invitation.subject,
                  invitation.state,
                  offerText(invitation, names),
                  invitation.invited_by,
                ].join(" ")
              }
              row={(invitation) => (
                <tr key={invitation.id}>
                  <th scope="row">{invitation.subject}</th>
                  <td>
                    <StateOf invitation={invitation} />
                  </td>
                  <td className="breaks">{offerText(invitation, names)}</td>
                  <td>{invitation.invited_by}</td>
                  <td className="time">{until(invitation)}</td>
                  <td>
                    <Action
                      kind="danger"
                      label={`Cancel the invitation of ${invitation.subject}: ${offerText(invitation, names)}`}
                      because={
                        noCancel ??
                        (invitation.state === "pending" ? undefined : `It is ${invitation.state} already.`)
                      }
                      onClick={() =>
                        ask({
                          title: `Cancel the invitation of ${invitation.subject}`,
                          verb: "Cancel it",
                          danger: true,
                          instead: <p>They can accept it no more. They held nothing by it.</p>,
                          write: { method: "POST", path: `invitations/${segments(invitation.id)}/cancel` },
                          done: `${invitation.subject} is no longer invited.`,
                          onDone: again,
                        })
                      }
                    >
                      Cancel
                    </Action>
                  </td>
                </tr>
              )}
            >
              {button}
            </Listing>
          )
        }
      </Await>
      {inviting && roles.state === "ready" && (
        <InvitationForm
          catalog={roles.value.catalog}
          roles={roles.value.roles}
          onClose={() => setInviting(false)}
          onChoose={(body, subject) => {
            setInviting(false);
            ask({
              title: `Invite ${subject}`,
              verb: "Invite",
              write: { method: "POST", path: "invitations", body },
              done: `${subject} is invited.`,
              onDone: again,
            });
          }}
        />
      )}
      {dialog}
    </>
  );
}

const KINDS = { pending: "", accepted: "good", rejected: "bad", cancelled: "warn", expired: "warn" } as const;

function StateOf({ invitation: { state } }: { invitation: Invitation }) {
  return <Chip kind={KINDS[state]}>{state}</Chip>;
}

const until = ({ state, answered_at, expires_at }: Invitation): string =>
  state === "pending" || answered_at === null ? timeText(expires_at) : `${state} ${timeText(answered_at)}`;

/** What is offered, where, and for how long. Who may not read roles knows no names of them. */
export function offerText({ assignment, share }: Invitation, names: Names): string {
  if (assignment !== null) {
    const life = lifeText(assignment);
    const when = life === "always" ? "" : `, ${life}`;
    return `${names.get(assignment.role) ?? "a role"} at ${placeText(assignment.at)}${when}`;
  }
  if (share === null) return "nothing";
  return `${placeText(share.resource)}: ${share.permissions.join(", ")}`;
}

function Yours({ own, again, reads }: { own: readonly Invitation[]; again: () => void; reads: boolean }) {
  const { management, newest, status } = useApp();
  const [dialog, ask] = useAsk();
  const roles = useLoaded(`roles of own invitations ${reads}`, newest, async (signal) =>
    reads ? (await management.all<Role>("roles", 10, signal)).items : [],
  );
  const names: Names =
    roles.state === "ready" ? new Map(roles.value.map((role) => [role.id, role.name])) : NO_NAMES;
  const away =
    status === "live" || status === "connecting" ? undefined : "Not while the gateway cannot be reached.";
  if (own.length === 0)
    return (
      <Empty title="You are not invited to anything">
        <p>What somebody offers you stands here until you answer.</p>
      </Empty>
    );
  return (
    <>
      <ul className="plain cards">
        {[...own].reverse().map((invitation) => {
          const offer = offerText(invitation, names);
          const pending = invitation.state === "pending";
          return (
            <li key={invitation.id} className="card">
              <h2>
                {offer} <StateOf invitation={invitation} />
              </h2>
              {invitation.assignment !== null && !names.has(invitation.assignment.role) && (
                <p className="muted small">
                  <code>{invitation.assignment.role}</code>
                </p>
              )}
              <p className="muted">
                Offered by {invitation.invited_by}, {timeText(invitation.created_at)}.{" "}
                {pending ? `Answer until ${timeText(invitation.expires_at)}.` : `${until(invitation)}.`}
              </p>
              {pending && (
                <div className="actions">
                  <Action
                    kind="primary"
                    label={`Accept: ${offer}`}
                    because={away}
                    onClick={() =>
                      ask({
                        title: `Accept ${offer}`,
                        verb: "Accept",
                        write: { method: "POST", path: `invitations/${segments(invitation.id)}/accept` },
                        done: "Accepted. It is yours now.",
                        onDone: again,
                      })
                    }
                  >
                    Accept …
                  </Action>
                  <Action
                    kind="danger"
                    label={`Reject: ${offer}`}
                    because={away}
                    onClick={() =>
                      ask({
                        title: `Reject ${offer}`,
                        verb: "Reject",
                        danger: true,
                        instead: <p>It is not offered again, unless somebody invites you again.</p>,
                        write: { method: "POST", path: `invitations/${segments(invitation.id)}/reject` },
                        done: "Rejected.",
                        onDone: again,
                      })
                    }
                  >
                    Reject …
                  </Action>
                </div>
              )}
            </li>
          );
        })}
      </ul>
      {dialog}
    </>
  );
}
