// Scopes: the resources at which roles are assigned, what lies above them, and who holds what there.

import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { Chooser, ROWS } from "../chooser.js";
import { READ_ROLES, useAny, useApp, useLoaded, useNoWriteAnywhere } from "../context.js";
import { useAsk } from "../impact.js";
import { Action, Await, Chip, Empty, Page, Table } from "../parts.js";
import type { Assignment, Catalog, Role, Scope } from "../types.js";
import { placeText, roleText, type Names } from "../words.js";
import { ScopeActions } from "./scope_actions.js";
import { ScopeForm } from "./scope_form.js";

export function Scopes() {
  const { management, newest } = useApp();
  const reads = useAny(READ_ROLES);
  const [parameters, setParameters] = useSearchParams();
  const [type, id] = [parameters.get("type"), parameters.get("id")];
  const noNew = useNoWriteAnywhere(["resource:manage"]);
  const [making, setMaking] = useState(false);
  const [dialog, ask] = useAsk();
  const catalog = useLoaded("catalog", making ? "asked" : "", async (signal) =>
    making ? management.get<Catalog>("catalog", signal) : undefined,
  );
  const scopes = useLoaded("scopes", newest, (signal) => management.all<Scope>("scopes", 10, signal));
  const held = useLoaded(`held ${reads}`, newest, async (signal) => {
    if (!reads) return { assignments: [], names: new Map<string, string>(), more: false };
    const [{ items, more }, roles] = await Promise.all([
      management.all<Assignment>("assignments", 10, signal),
      management.all<Role>("roles", 10, signal),
    ]);
    const names: Names = new Map(roles.items.map((role) => [role.id, role.name]));
    return { assignments: items, names, more };
  });
  return (
    <Page
      title="Scopes"
      about="Where roles are assigned, and who holds what there."
      actions={
        <Action kind="primary" because={noNew} onClick={() => setMaking(true)}>
          New scope …
        </Action>
      }
    >
      <Await of={scopes} what="the scopes">
        {({ items, more }) => {
          if (items.length === 0)
            return (
              <Empty title="There are no scopes">
                <p>Every role counts in the whole organization until a type of resource is a scope.</p>
              </Empty>
            );
          const chosen = items.find((scope) => scope.type === type && scope.id === id);
          return (
            <Chooser
              what="scope"
              by="id or attribute"
              items={items}
              more={more}
              chosen={chosen === undefined ? undefined : placeText(chosen)}
              idOf={placeText}
              textOf={text}
              row={(scope) => (
                <>
                  <span>{placeText(scope)}</span>
                  <span className="muted small">{scope.attributes["name"]}</span>
                  <State of={scope} />
                </>
              )}
              onChoose={(scope) => setParameters({ type: scope.type, id: scope.id })}
            >
              {chosen === undefined ? (
                <Empty title="Choose a scope">
                  <p>Who holds what there stands here.</p>
                </Empty>
              ) : (
                <>
                  <div className="head">
                    <h2>
                      {placeText(chosen)} <State of={chosen} />
                    </h2>
                    <ScopeActions key={placeText(chosen)} scope={chosen} ask={ask} />
                  </div>
                  <p className="muted">
                    {chosen.attributes["name"]}
                    {chosen.parents.length > 0 && ` In ${chosen.parents.map(placeText).join(", ")}.`}
                  </p>
                  {chosen.roles.length > 0 && (
                    <p>Roles of its own: {chosen.roles.map(({ name }) => name).join(", ")}.</p>
                  )}
                  <h3>Assigned here</h3>
                  {!reads ? (
                    <p className="muted">That is for those who hold {READ_ROLES.join(" or ")}.</p>
                  ) : (
                    <Await of={held} what="the assignments">
                      {({ assignments, names, more: cut }) => (
                        <Assigned scope={chosen} assignments={assignments} names={names} cut={cut} />
                      )}
                    </Await>
                  )}
                </>
              )}
            </Chooser>
          );
        }}
      </Await>
      {making && catalog.state === "ready" && catalog.value !== undefined && (
        <ScopeForm
          catalog={catalog.value}
          onClose={() => setMaking(false)}
          onChoose={(body) => {
            setMaking(false);
            ask<Scope>({
              title: `Make ${placeText(body)}`,
              verb: "Make it",
              write: { method: "POST", path: "scopes", body },
              done: (scope) =>
                `${placeText(body)} is made${scope === undefined || scope.roles.length === 0 ? "" : `, with ${scope.roles.map(({ name }) => name).join(", ")}`}.`,
              onDone: () => setParameters({ type: body.type, id: body.id }),
            });
          }}
        />
      )}
      {dialog}
    </Page>
  );
}

const text = (scope: Scope): string =>
  [scope.type, scope.id, ...Object.values(scope.attributes)].join(" ").toLowerCase();

function State({ of }: { of: Scope }) {
  if (of.deleted_at !== null) return <Chip kind="bad">deleted</Chip>;
  return of.active ? null : <Chip kind="warn">off</Chip>;
}

function Assigned({
  scope,
  assignments,
  names,
  cut,
}: {
  scope: Scope;
  assignments: readonly Assignment[];
  names: Names;
  cut: boolean;
}) {
  const here = assignments.filter(({ at }) => at?.type === scope.type && at.id === scope.id);
  return (
    <>
      {here.length === 0 ? (
        <p className="muted">
          Nothing is assigned at this scope itself. Roles of wider places count here too.
        </p>
      ) : (
        <Table label={`Assigned at ${placeText(scope)}`} head={["Who", "Role"]}>
          {here.slice(0, ROWS).map((assignment) => (
            <tr key={assignment.id}>
              <th scope="row">
                <Link to={`/?subject=${encodeURIComponent(assignment.subject)}`}>{assignment.subject}</Link>
              </th>
              <td>{roleText(assignment.role, names)}</td>
            </tr>
          ))}
        </Table>
      )}
      {here.length > ROWS && (
        <p className="muted">
          These are the first {ROWS} of {here.length}.
        </p>
      )}
      {cut && <p className="muted">There are more assignments in the organization than were read.</p>}
    </>
  );
}
