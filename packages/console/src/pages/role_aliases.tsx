// Former ids of roles, while both names are in use.

import { useState } from "react";
import { useApp, useEvery, useLoaded } from "../context.js";
import { useAsk } from "../impact.js";
import { segments } from "../interface.js";
import { Action, Await, Dialog, Form, Table } from "../parts.js";
import type { Role, RoleAlias } from "../types.js";
import { roleText, type Names } from "../words.js";

const AGAIN_MS = 15_000;

export function RoleAliases({ roles, noWrite }: { roles: readonly Role[]; noWrite: string | undefined }) {
  const { management, newest } = useApp();
  const [turn, setTurn] = useState(0);
  const [making, setMaking] = useState(false);
  const [id, setId] = useState("");
  const [role, setRole] = useState("");
  const [dialog, ask] = useAsk();
  const again = (): void => setTurn((turn) => turn + 1);
  // They are no facts: no revision tells of them.
  useEvery(AGAIN_MS, again);
  const read = useLoaded("role aliases", `${newest} ${turn}`, (signal) =>
    management.all<RoleAlias>("role-aliases", 5, signal),
  );
  const names: Names = new Map(roles.map(({ id, name }) => [id, name]));
  return (
    <section aria-label="Former ids" className="answer">
      <div className="head">
        <h2>Former ids</h2>
        <Action because={noWrite} onClick={() => setMaking(true)}>
          Add a former id …
        </Action>
      </div>
      <Await of={read} what="the former ids">
        {({ items, more }) =>
          items.length === 0 ? (
            <p className="muted">No role is known by another id.</p>
          ) : (
            <>
              <Table label="Former ids of roles" head={["Former id", "Stands for", "Action"]}>
                {items.map((alias) => (
                  <tr key={alias.id}>
                    <th scope="row">
                      <code>{alias.id}</code>
                    </th>
                    <td>{roleText(alias.role, names)}</td>
                    <td>
                      <Action
                        kind="danger"
                        label={`End ${alias.id}`}
                        because={noWrite}
                        onClick={() =>
                          ask({
                            title: `Have ${alias.id} stand for nothing`,
                            verb: "End it",
                            danger: true,
                            instead: (
                              <p>
                                What was given under it stays with {roleText(alias.role, names)}. Who still
                                writes it is refused from then on.
                              </p>
                            ),
                            write: { method: "DELETE", path: `role-aliases/${segments(alias.id)}` },
                            done: `${alias.id} stands for nothing.`,
                            onDone: again,
                          })
                        }
                      >
                        End
                      </Action>
                    </td>
                  </tr>
                ))}
              </Table>
              {more && <p className="muted">There are more than are shown.</p>}
            </>
          )
        }
      </Await>
      {making && (
        <Dialog title="A former id" onClose={() => setMaking(false)}>
          <Form
            submit="Go on"
            onClose={() => setMaking(false)}
            onSubmit={() => {
              setMaking(false);
              const name = roleText(role, names);
              ask({
                title: `Have ${id.trim()} stand for ${name}`,
                verb: "Add it",
                instead: (
                  <p>
                    Whoever names {id.trim()} means {name}, in grants and assignments. Nobody gains anything
                    by it.
                  </p>
                ),
                write: { method: "POST", path: "role-aliases", body: { id: id.trim(), role } },
                done: `${id.trim()} stands for ${name}.`,
                onDone: again,
              });
            }}
          >
            <label>
              Former id
              <input
                value={id}
                onChange={(event) => setId(event.target.value)}
                placeholder="role:editors"
                pattern="\s*role:[^:]+"
                title="Such as role:editors, with one colon"
                spellCheck={false}
                autoComplete="off"
                required
                autoFocus
              />
            </label>
            <label>
              Stands for
              <select value={role} onChange={(event) => setRole(event.target.value)} required>
                <option value="">Choose a role</option>
                {roles.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          </Form>
        </Dialog>
      )}
      {dialog}
    </section>
  );
}
