// Roles as a matrix: permissions down, roles across. One role is edited at a time; what would change is shown before it is
// saved.

import { useMemo, useState } from "react";
import { useApp, useLoaded, useNoWrite } from "../context.js";
import { Confirm } from "../impact.js";
import { segments, type Tagged } from "../interface.js";
import { byType, cell, difference, missing, reapply, satisfied, toggle } from "../matrix.js";
import { Action, Await, Chip, Dialog, Empty, Form, Page, Trouble } from "../parts.js";
import type { Catalog, Role } from "../types.js";
import { count, placeText } from "../words.js";
import { RoleAliases } from "./role_aliases.js";

interface Draft {
  /** As it was opened, with its tag. */
  readonly opened: Tagged<Role>;
  readonly permissions: readonly string[];
}

type Open =
  | { at: "nothing" }
  | { at: "new" }
  | { at: "save"; draft: Draft }
  | { at: "delete"; role: Tagged<Role>; reassign: string }
  | { at: "held"; role: Tagged<Role>; holders: number };

export function Roles() {
  const { management, newest } = useApp();
  const noWrite = useNoWrite(["role:manage"]);
  const [open, setOpen] = useState<Open>({ at: "nothing" });
  const read = useLoaded("roles", newest, async (signal) => ({
    catalog: await management.get<Catalog>("catalog", signal),
    ...(await management.all<Role>("roles", 10, signal)),
  }));
  return (
    <Page
      title="Roles"
      about="Which permissions each role gives. A change is counted before it is saved."
      actions={
        <Action kind="primary" because={noWrite} onClick={() => setOpen({ at: "new" })}>
          New role
        </Action>
      }
    >
      <Await of={read} what="the roles">
        {({ catalog, items, more }) => (
          <>
            <Matrix
              catalog={catalog}
              roles={items}
              more={more}
              noWrite={noWrite}
              open={open}
              setOpen={setOpen}
            />
            {items.length > 0 && <RoleAliases roles={items} noWrite={noWrite} />}
          </>
        )}
      </Await>
    </Page>
  );
}

function Matrix({
  catalog,
  roles,
  more,
  noWrite,
  open,
  setOpen,
}: {
  catalog: Catalog;
  roles: readonly Role[];
  more: boolean;
  noWrite: string | undefined;
  open: Open;
  setOpen: (open: Open) => void;
}) {
  const { management, say } = useApp();
  const [draft, setDraft] = useState<Draft | undefined>(undefined);
  const [error, setError] = useState<unknown>(undefined);
  const [theirs, setTheirs] = useState(false);
  const [filter, setFilter] = useState("");
  const keys = useMemo(() => Object.keys(catalog.permissions), [catalog]);
  const shown = keys.filter((key) =>
    `${key} ${catalog.permissions[key]?.description}`.toLowerCase().includes(filter.trim().toLowerCase()),
  );

  const read = (role: Role): Promise<Tagged<Role>> => management.tagged<Role>(`roles/${segments(role.id)}`);
  const edit = (role: Role): void => {
    setError(undefined);
    read(role).then((opened) => setDraft({ opened, permissions: opened.item.permissions }), setError);
  };
  const rebase = (before: Draft): void => {
    setOpen({ at: "nothing" });
    read(before.opened.item).then((opened) => {
      const mine = reapply(before.opened.item.permissions, before.permissions, opened.item.permissions, keys);
      // Together: who is told to look again has the new state before them.
      setDraft({ opened, permissions: mine });
      setTheirs(true);
    }, setError);
  };
  const close = (): void => setOpen({ at: "nothing" });
  const finish = (what: string): void => {
    close();
    setDraft(undefined);
    setTheirs(false);
    setError(undefined);
    say(what);
  };
  const change = draft && difference(draft.opened.item.permissions, draft.permissions, keys);
  const changed = change === undefined ? 0 : change.added.length + change.removed.length;
  const lacking = draft === undefined ? [] : missing(draft.permissions, catalog);

  if (roles.length === 0 && open.at === "nothing")
    return (
      <Empty title="There are no roles yet">
        <p>A role is a set of permissions under a name. Make the first one.</p>
      </Empty>
    );
  return (
    <>
      {error !== undefined && <Trouble error={error} />}
      <div className="toolbar">
        <label className="search">
          <span className="hidden">Find a permission</span>
          <input
            type="search"
            placeholder="Find a permission"
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        </label>
        <p className="muted small">
          <span className="mark listed" aria-hidden="true" /> listed{" "}
          <span className="mark wildcard" aria-hidden="true" /> by a wildcard{" "}
          <span className="mark implied" aria-hidden="true" /> implied
        </p>
      </div>
      {draft !== undefined && (
        <section className="draft" aria-label={`Changes of ${draft.opened.item.name}`}>
          <p role="status">
            <strong>{draft.opened.item.name}</strong>:{" "}
            {change === undefined || changed === 0 ? "no changes yet" : `${changes(change)} not saved`}
          </p>
          {theirs && (
            <p className="notice warn" role="alert">
              Somebody saved this role since you opened it. Your changes stand on what they saved; look at
              them again before you save.
            </p>
          )}
          {lacking.length > 0 && (
            <p className="notice warn">
              Its permissions need others that it lacks: {lacking.join(", ")}.{" "}
              <button
                type="button"
                className="button"
                onClick={() => setDraft({ ...draft, permissions: [...draft.permissions, ...lacking].sort() })}
              >
                Add them
              </button>
            </p>
          )}
          <div className="actions">
            <button
              type="button"
              className="button"
              onClick={() => {
                setDraft(undefined);
                setTheirs(false);
              }}
            >
              Discard
            </button>
            <Action
              kind="danger"
              because={noWrite ?? (draft.opened.item.builtin !== null ? "A built-in role stays." : undefined)}
              onClick={() => setOpen({ at: "delete", role: draft.opened, reassign: "" })}
            >
              Delete the role …
            </Action>
            <Action
              kind="primary"
              because={noWrite ?? (changed === 0 ? "Nothing is changed." : undefined)}
              onClick={() => setOpen({ at: "save", draft })}
            >
              Save …
            </Action>
          </div>
        </section>
      )}
      <div className="table matrix" role="region" aria-label="Roles and permissions" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Permission</th>
              {roles.map((role) => (
                <th key={role.id} scope="col" className={draft?.opened.item.id === role.id ? "edited" : ""}>
                  <span className="role-name">{role.name}</span>
                  {role.immutable && <Chip>immutable</Chip>}
                  {!role.immutable && role.builtin !== null && <Chip>built-in</Chip>}
                  {!role.active && <Chip kind="warn">off</Chip>}
                  {role.scope !== null && <Chip>{placeText(role.scope)}</Chip>}
                  <Action
                    kind="quiet"
                    label={`Edit ${role.name}`}
                    because={
                      noWrite ??
                      (role.immutable ? "This role is kept as it is by the gateway." : undefined) ??
                      (draft !== undefined && changed > 0
                        ? `Save or discard what you changed of ${draft.opened.item.name} first.`
                        : undefined)
                    }
                    onClick={() => edit(role)}
                  >
                    Edit
                  </Action>
                </th>
              ))}
            </tr>
          </thead>
          {byType(shown).map(([type, group]) => (
            <tbody key={type}>
              <tr className="group">
                <th scope="rowgroup">{type}</th>
                <td colSpan={roles.length} />
              </tr>
              {group.map((key) => (
                <tr key={key}>
                  <th scope="row">
                    <code>{key}</code>
                    <span className="muted small">{catalog.permissions[key]?.description}</span>
                  </th>
                  {roles.map((role) =>
                    draft?.opened.item.id === role.id ? (
                      <td key={role.id} className="edited">
                        <input
                          type="checkbox"
                          aria-label={`${role.name}: ${key}`}
                          checked={cell(draft.permissions, key) !== "none"}
                          onChange={() =>
                            setDraft({ ...draft, permissions: toggle(draft.permissions, key, keys) })
                          }
                        />
                      </td>
                    ) : (
                      <Mark key={role.id} how={satisfied(role.permissions, key, catalog)} />
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </div>
      {shown.length === 0 && <p className="state muted">No permission is called like that.</p>}
      {more && <p className="muted">There are more roles than are shown.</p>}
      {open.at === "new" && (
        <NewRole
          onClose={close}
          onMade={(role) => {
            finish(`${role.name} is made. It gives nothing yet.`);
            edit(role);
          }}
        />
      )}
      {open.at === "save" && (
        <Confirm
          title={`Save ${open.draft.opened.item.name}`}
          verb="Save"
          write={{
            method: "PUT",
            path: `roles/${segments(open.draft.opened.item.id)}`,
            etag: open.draft.opened.etag,
            body: {
              name: open.draft.opened.item.name,
              permissions: open.draft.permissions,
              active: open.draft.opened.item.active,
            },
          }}
          onClose={close}
          onDone={({ revision }) => finish(`Saved: revision ${revision}.`)}
          onRefused={({ code }) => {
            if (code === "precondition_failed") rebase(open.draft);
            return code === "precondition_failed";
          }}
        />
      )}
      {open.at === "delete" && (
        <Confirm
          key={open.reassign}
          title={`Delete ${open.role.item.name}`}
          verb="Delete"
          danger
          write={{
            method: "DELETE",
            path:
              `roles/${segments(open.role.item.id)}` +
              (open.reassign === "" ? "" : `?reassign_to=${encodeURIComponent(open.reassign)}`),
            etag: open.role.etag,
          }}
          onClose={close}
          onDone={() => finish(`${open.role.item.name} is deleted.`)}
          onRefused={({ code, members }) => {
            if (code !== "role_held") return false;
            setOpen({ at: "held", role: open.role, holders: Number(members["holders"] ?? 0) });
            return true;
          }}
        />
      )}
      {open.at === "held" && (
        <Reassign
          role={open.role.item}
          holders={open.holders}
          others={roles.filter(({ id, scope }) => id !== open.role.item.id && scope === null)}
          onClose={close}
          onChoose={(reassign) => setOpen({ at: "delete", role: open.role, reassign })}
        />
      )}
    </>
  );
}

function changes({ added, removed }: { added: string[]; removed: string[] }): string {
  const parts: string[] = [];
  if (added.length > 0) parts.push(`${count(added.length, "permission")} more`);
  if (removed.length > 0) parts.push(`${count(removed.length, "permission")} less`);
  return parts.join(" and ");
}

function Mark({ how }: { how: ReturnType<typeof satisfied> }) {
  const said = { listed: "yes", wildcard: "yes, by a wildcard", implied: "yes, implied", none: "no" }[how];
  return (
    <td>
      <span className={`mark ${how}`} aria-hidden="true" />
      <span className="hidden">{said}</span>
    </td>
  );
}

function NewRole({ onClose, onMade }: { onClose: () => void; onMade: (role: Role) => void }) {
  const { management } = useApp();
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>(undefined);
  return (
    <Dialog title="New role" onClose={onClose}>
      <Form
        submit="Make it"
        onClose={onClose}
        onSubmit={() => {
          management.post<Role>("roles", { name, permissions: [] }).then(onMade, setError);
        }}
      >
        {error !== undefined && <Trouble error={error} />}
        <label>
          Name
          <input value={name} onChange={(event) => setName(event.target.value)} required autoFocus />
        </label>
      </Form>
    </Dialog>
  );
}

function Reassign({
  role,
  holders,
  others,
  onClose,
  onChoose,
}: {
  role: Role;
  holders: number;
  others: readonly Role[];
  onClose: () => void;
  onChoose: (role: string) => void;
}) {
  const [chosen, setChosen] = useState("");
  return (
    <Dialog title={`Delete ${role.name}`} onClose={onClose}>
      <Form submit="Count what changes" onClose={onClose} onSubmit={() => onChoose(chosen)}>
        <p>
          {count(holders, "assignment")} of it would be left without a role. Which one do they get instead?
        </p>
        <label>
          Instead
          <select value={chosen} onChange={(event) => setChosen(event.target.value)} required>
            <option value="">Choose a role</option>
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </Form>
    </Dialog>
  );
}
