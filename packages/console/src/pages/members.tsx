// Who there is, what each of them holds where, and in which groups they are.

import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { Chooser } from "../chooser.js";
import { READ_ROLES, useAny, useApp, useLoaded, useNoWrite, WRITE_ASSIGNMENTS } from "../context.js";
import { Confirm } from "../impact.js";
import { segments, withQuery, type Write } from "../interface.js";
import { Action, Await, Chip, Dialog, Empty, Form, Page, Table } from "../parts.js";
import type { Assignment, Membership, Role, Scope, Subject } from "../types.js";
import { lifeText, placeText, roleText, type Names } from "../words.js";

export function Members() {
  const { management, newest } = useApp();
  const [parameters, setParameters] = useSearchParams();
  const chosen = parameters.get("subject");
  const read = useLoaded("subjects", newest, (signal) => management.all<Subject>("subjects", 10, signal));
  return (
    <Page title="Members" about="People, services and groups, and what each of them holds.">
      <Await of={read} what="the members">
        {({ items, more }) => {
          if (items.length === 0)
            return (
              <Empty title="Nobody is listed">
                <p>Subjects are listed by an import, by the interface, or by SQL.</p>
              </Empty>
            );
          return (
            <Chooser
              what="member"
              by="id, alias or attribute"
              items={items}
              more={more}
              chosen={chosen ?? undefined}
              idOf={(subject) => subject.id}
              textOf={text}
              row={(subject) => (
                <>
                  <span>{subject.id}</span>
                  <span className="muted small">{about(subject)}</span>
                  {!subject.active && <Chip kind="warn">off</Chip>}
                </>
              )}
              onChoose={(subject) => setParameters({ subject: subject.id })}
            >
              {chosen === null ? (
                <Empty title="Choose a member">
                  <p>What they hold, and where, stands here.</p>
                </Empty>
              ) : (
                <Member key={chosen} id={chosen} listed={items.find(({ id }) => id === chosen)} />
              )}
            </Chooser>
          );
        }}
      </Await>
    </Page>
  );
}

const text = (subject: Subject): string =>
  [subject.id, ...subject.aliases, ...Object.values(subject.attributes)].join(" ").toLowerCase();

const about = (subject: Subject): string =>
  [...Object.values(subject.attributes), ...subject.aliases].slice(0, 2).join(" · ");

function Member({ id, listed }: { id: string; listed: Subject | undefined }) {
  const { management, newest, say } = useApp();
  const reads = useAny(READ_ROLES);
  const noWrite = useNoWrite(WRITE_ASSIGNMENTS);
  const [adding, setAdding] = useState(false);
  const [write, setWrite] = useState<
    { title: string; verb: string; done: string; write: Write } | undefined
  >();
  const read = useLoaded(`member ${id} ${reads}`, newest, async (signal) => {
    if (!reads) return undefined;
    const [assignments, memberships, roles] = await Promise.all([
      management.all<Assignment>(withQuery("assignments", { subject: id }), 5, signal),
      management.all<Membership>(withQuery("memberships", { subject: id }), 5, signal),
      management.all<Role>("roles", 10, signal),
    ]);
    const names: Names = new Map(roles.items.map((role) => [role.id, role.name]));
    return { assignments: assignments.items, memberships: memberships.items, roles: roles.items, names };
  });
  return (
    <>
      <h2>{id}</h2>
      {listed === undefined && <p className="muted">Not listed; what it was given counts all the same.</p>}
      {listed !== undefined && about(listed) !== "" && <p className="muted">{about(listed)}</p>}
      {!reads && <p className="muted">What they hold is for those who hold {READ_ROLES.join(" or ")}.</p>}
      {reads && (
        <Await of={read} what="what they hold">
          {(held) =>
            held === undefined ? null : (
              <>
                <div className="head">
                  <h3>Roles</h3>
                  <Action because={noWrite} onClick={() => setAdding(true)}>
                    Assign a role …
                  </Action>
                </div>
                {held.assignments.length === 0 ? (
                  <p className="muted">No role of their own.</p>
                ) : (
                  <Table label={`Roles of ${id}`} head={["Role", "Where", "When", "Action"]}>
                    {held.assignments.map((assignment) => {
                      const name = roleText(assignment.role, held.names);
                      const where = placeText(assignment.at);
                      return (
                        <tr key={assignment.id}>
                          <th scope="row">{name}</th>
                          <td>{where}</td>
                          <td>{lifeText(assignment)}</td>
                          <td>
                            <Action
                              kind="danger"
                              label={`Take away ${name} at ${where}`}
                              because={noWrite}
                              onClick={() =>
                                setWrite({
                                  title: `Take ${name} away from ${id}`,
                                  verb: "Take away",
                                  done: `${id} no longer holds ${name} at ${where}.`,
                                  write: { method: "DELETE", path: `assignments/${segments(assignment.id)}` },
                                })
                              }
                            >
                              Take away
                            </Action>
                          </td>
                        </tr>
                      );
                    })}
                  </Table>
                )}
                <h3>Groups</h3>
                {held.memberships.length === 0 ? (
                  <p className="muted">In no group.</p>
                ) : (
                  <ul className="plain">
                    {held.memberships.map(({ id: membership, group }) => (
                      <li key={membership}>{group}</li>
                    ))}
                  </ul>
                )}
                {adding && (
                  <Assign
                    subject={id}
                    roles={held.roles}
                    onClose={() => setAdding(false)}
                    onChoose={(body, name) => {
                      setAdding(false);
                      setWrite({
                        title: `Assign ${name} to ${id}`,
                        verb: "Assign",
                        done: `${id} holds ${name} at ${placeText(body.at)}.`,
                        write: { method: "POST", path: "assignments", body },
                      });
                    }}
                  />
                )}
              </>
            )
          }
        </Await>
      )}
      {write !== undefined && (
        <Confirm
          title={write.title}
          verb={write.verb}
          danger={write.verb !== "Assign"}
          write={write.write}
          onClose={() => setWrite(undefined)}
          onDone={() => {
            setWrite(undefined);
            say(write.done);
          }}
        />
      )}
    </>
  );
}

interface NewAssignment {
  readonly subject: string;
  readonly role: string;
  readonly at: { type: string; id: string } | null;
}

function Assign({
  subject,
  roles,
  onClose,
  onChoose,
}: {
  subject: string;
  roles: readonly Role[];
  onClose: () => void;
  onChoose: (assignment: NewAssignment, name: string) => void;
}) {
  const { management, newest } = useApp();
  const [role, setRole] = useState("");
  const [at, setAt] = useState("");
  const read = useLoaded("scopes", newest, (signal) => management.all<Scope>("scopes", 5, signal));
  const chosen = roles.find(({ id }) => id === role);
  // A role that exists for a scope is assigned there only.
  const fixed = chosen?.scope ?? null;
  const scopes = useMemo(
    () => (read.state === "ready" ? read.value.items.filter(({ deleted_at: gone }) => gone === null) : []),
    [read],
  );
  const place = fixed ?? scopes.find((scope) => `${scope.type} ${scope.id}` === at) ?? null;
  return (
    <Dialog title={`Assign a role to ${subject}`} onClose={onClose}>
      <Form
        submit="Count what changes"
        onClose={onClose}
        onSubmit={() => {
          if (chosen === undefined) return;
          const where = place === null ? null : { type: place.type, id: place.id };
          onChoose({ subject, role, at: where }, chosen.name);
        }}
      >
        <label>
          Role
          <select value={role} onChange={(event) => setRole(event.target.value)} required autoFocus>
            <option value="">Choose a role</option>
            {roles.map(({ id, name, scope }) => (
              <option key={id} value={id}>
                {scope === null ? name : `${name} (${placeText(scope)})`}
              </option>
            ))}
          </select>
        </label>
        <label>
          Where
          <select
            value={fixed === null ? at : `${fixed.type} ${fixed.id}`}
            onChange={(event) => setAt(event.target.value)}
            disabled={fixed !== null}
          >
            <option value="">The whole organization</option>
            {scopes.map(({ type, id, attributes }) => (
              <option key={`${type} ${id}`} value={`${type} ${id}`}>
                {[`${type} ${id}`, attributes["name"]].filter(Boolean).join(" · ")}
              </option>
            ))}
          </select>
        </label>
        {read.state === "refused" && <p className="muted">The scopes could not be read.</p>}
      </Form>
    </Dialog>
  );
}
