// Presets: which roles every new scope of a type gets; and what a sync would change of those that were made.

import { useState } from "react";
import { useSearchParams } from "react-router";
import { Chooser } from "../chooser.js";
import { useApp, useEvery, useLoaded, useNoWrite } from "../context.js";
import { useAsk, type Ask } from "../impact.js";
import { segments, type Tagged } from "../interface.js";
import { Action, Await, Chip, Empty, Page, Table, Trouble } from "../parts.js";
import type { Catalog, Preset, PresetSync } from "../types.js";
import { count, placeText } from "../words.js";
import { PresetForm } from "./preset_form.js";

const WRITE_PRESETS = ["role:manage"] as const;
const AGAIN_MS = 5000;

export function Presets() {
  const { management, newest } = useApp();
  const noWrite = useNoWrite(WRITE_PRESETS);
  const [parameters, setParameters] = useSearchParams();
  const [making, setMaking] = useState(false);
  const [turn, setTurn] = useState(0);
  // What was just deleted is asked about no more, also while the list that lacks it is on its way.
  const [gone, setGone] = useState<string | undefined>(undefined);
  const [dialog, ask] = useAsk();
  const again = (): void => setTurn((turn) => turn + 1);
  // Presets are no facts: no revision tells of one that was written.
  useEvery(AGAIN_MS, again);
  const id = parameters.get("id") ?? undefined;
  const read = useLoaded("presets", `${newest} ${turn}`, async (signal) => {
    const [{ items, more }, catalog] = await Promise.all([
      management.all<Preset>("presets", 5, signal),
      management.get<Catalog>("catalog", signal),
    ]);
    return { items, more, catalog };
  });
  return (
    <Page
      title="Presets"
      about="Which roles every new scope of a type gets."
      actions={
        <Action kind="primary" because={noWrite} onClick={() => setMaking(true)}>
          New preset …
        </Action>
      }
    >
      <Await of={read} what="the presets">
        {({ items: listed, more, catalog }) => {
          const items = listed.filter((preset) => preset.id !== gone);
          const chosen = items.find((preset) => preset.id === id);
          return (
            <>
              {items.length === 0 ? (
                <Empty title="There are no presets">
                  <p>New scopes get no roles of their own until there is one of their type.</p>
                </Empty>
              ) : (
                <Chooser
                  what="preset"
                  by="name, type or permission"
                  items={items}
                  more={more}
                  chosen={chosen?.id}
                  idOf={(preset) => preset.id}
                  textOf={({ name, type, permissions }) =>
                    [name, type, ...permissions].join(" ").toLowerCase()
                  }
                  row={(preset) => (
                    <>
                      <span>{preset.name}</span>
                      <span className="muted small">each new {preset.type}</span>
                      {preset.deleted_at !== null && <Chip kind="bad">deleted</Chip>}
                    </>
                  )}
                  onChoose={(preset) => setParameters({ id: preset.id })}
                >
                  {chosen === undefined ? (
                    <Empty title="Choose a preset">
                      <p>What its roles give, and what a sync would change, stands here.</p>
                    </Empty>
                  ) : (
                    <One
                      key={chosen.id}
                      preset={chosen}
                      catalog={catalog}
                      noWrite={noWrite}
                      turn={turn}
                      again={again}
                      ask={ask}
                      onGone={() => {
                        setGone(chosen.id);
                        setParameters({});
                        again();
                      }}
                    />
                  )}
                </Chooser>
              )}
              {making && (
                <PresetForm
                  catalog={catalog}
                  onClose={() => setMaking(false)}
                  onChoose={(body) => {
                    setMaking(false);
                    ask<Preset>({
                      title: `Make the preset ${body.name}`,
                      verb: "Make it",
                      instead: <Later type={body.type} />,
                      write: { method: "POST", path: "presets", body },
                      done: `Each new ${body.type} gets ${body.name}.`,
                      onDone: (preset) => {
                        if (preset !== undefined) setParameters({ id: preset.id });
                        again();
                      },
                    });
                  }}
                />
              )}
            </>
          );
        }}
      </Await>
      {dialog}
    </Page>
  );
}

function Later({ type }: { type: string }) {
  return (
    <p>It changes nothing of the scopes that there are. Each {type} that is made from now on gets a role.</p>
  );
}

function One({
  preset,
  catalog,
  noWrite,
  turn,
  again,
  ask,
  onGone,
}: {
  preset: Preset;
  catalog: Catalog;
  noWrite: string | undefined;
  turn: number;
  again: () => void;
  ask: <T>(asked: Ask<T>) => void;
  onGone: () => void;
}) {
  const { management, newest } = useApp();
  const [editing, setEditing] = useState<Tagged<Preset> | undefined>(undefined);
  const [error, setError] = useState<unknown>(undefined);
  const at = `presets/${segments(preset.id)}`;
  const deleted = preset.deleted_at !== null;
  const sync = useLoaded(at, `${newest} ${turn}`, (signal) =>
    management.tagged<PresetSync>(`${at}/sync`, signal),
  );
  const { name, type } = preset;
  /** What is done to a preset is done to its newest state, and to no other. */
  const newestOf = (then: (opened: Tagged<Preset>) => void): void => {
    setError(undefined);
    management.tagged<Preset>(at).then(then, setError);
  };
  return (
    <>
      <div className="head">
        <h2>
          {name} {deleted && <Chip kind="bad">deleted</Chip>}
        </h2>
        <div className="actions">
          <Action because={noWrite} onClick={() => newestOf(setEditing)}>
            Edit …
          </Action>
          {deleted ? (
            <>
              <Action
                because={noWrite}
                onClick={() =>
                  newestOf(({ etag }) =>
                    ask({
                      title: `Restore ${name}`,
                      verb: "Restore",
                      instead: <Later type={type} />,
                      write: { method: "POST", path: `${at}/restore`, etag },
                      done: `${name} is restored.`,
                      onDone: again,
                    }),
                  )
                }
              >
                Restore …
              </Action>
              <Action
                kind="danger"
                because={noWrite}
                onClick={() =>
                  newestOf(({ etag }) =>
                    ask({
                      title: `Purge ${name}`,
                      verb: "Purge",
                      danger: true,
                      instead: <p>It is gone for good. The roles that were made from it stay, without it.</p>,
                      write: { method: "POST", path: `${at}/purge`, etag },
                      done: `${name} is gone for good.`,
                      onDone: onGone,
                    }),
                  )
                }
              >
                Purge …
              </Action>
            </>
          ) : (
            <Action
              kind="danger"
              because={noWrite}
              onClick={() =>
                newestOf(({ etag }) =>
                  ask({
                    title: `Delete ${name}`,
                    verb: "Delete",
                    danger: true,
                    instead: (
                      <p>New scopes get no role of it until it is restored. The roles that there are stay.</p>
                    ),
                    write: { method: "DELETE", path: at, etag },
                    done: `${name} is deleted. It can be restored.`,
                    onDone: again,
                  }),
                )
              }
            >
              Delete …
            </Action>
          )}
        </div>
      </div>
      {error !== undefined && <Trouble error={error} />}
      <dl className="facts">
        <dt>For</dt>
        <dd>each new {type}</dd>
        <dt>Name of the role</dt>
        <dd>
          {preset.role_name === null ? (
            "the preset's name and the scope's id"
          ) : (
            <code>{preset.role_name}</code>
          )}
        </dd>
        <dt>Assigned to</dt>
        <dd>{assignedTo(preset)}</dd>
        <dt>Permissions</dt>
        <dd>{preset.permissions.join(", ") || "none"}</dd>
      </dl>
      <h3>Roles that were made from it</h3>
      <Await of={sync} what="what a sync would change">
        {({ item, etag }) => (
          <Sync
            sync={item}
            because={
              noWrite ??
              (deleted ? "Restore it first." : undefined) ??
              (item.roles.length === 0 ? "They have its permissions." : undefined)
            }
            onSync={() =>
              ask({
                title: `Give ${count(item.roles.length, "role")} the permissions of ${name}`,
                verb: "Sync",
                // Just what stands here is done: its tag says so.
                write: { method: "POST", path: `${at}/sync`, etag },
                done: `${count(item.roles.length, "role")} ${item.roles.length === 1 ? "has" : "have"} the permissions of ${name}.`,
                onDone: again,
              })
            }
          />
        )}
      </Await>
      {editing !== undefined && (
        <PresetForm
          catalog={catalog}
          preset={editing.item}
          onClose={() => setEditing(undefined)}
          onChoose={(body) => {
            setEditing(undefined);
            ask({
              title: `Change ${name}`,
              verb: "Save",
              instead: <p>It counts for scopes to come. The roles that there are change by a sync.</p>,
              write: { method: "PUT", path: at, body, etag: editing.etag },
              done: `${body.name} is changed.`,
              onDone: again,
            });
          }}
        />
      )}
    </>
  );
}

function assignedTo({ auto_assign: auto, for_creator: creator }: Preset): string {
  if (auto && creator) return "whoever makes the scope, and whoever joins it";
  if (auto) return "whoever joins the scope";
  return creator ? "whoever makes the scope" : "nobody by itself";
}

function Sync({
  sync,
  because,
  onSync,
}: {
  sync: PresetSync;
  because: string | undefined;
  onSync: () => void;
}) {
  const { roles, unchanged } = sync;
  return (
    <>
      {roles.length === 0 ? (
        <p className="muted">
          {unchanged === 0 ? "None yet." : `${count(unchanged, "role has", "roles have")} its permissions.`}
        </p>
      ) : (
        <>
          <p>
            {count(roles.length, "role differs", "roles differ")} from it
            {unchanged > 0 && `, ${count(unchanged, "other does", "others do")} not`}.
          </p>
          <Table label="What a sync would change" head={["Role", "Scope", "Gets", "Loses"]}>
            {roles.map((role) => (
              <tr key={role.id}>
                <th scope="row">{role.name}</th>
                <td>{placeText(role.scope)}</td>
                <td className="gained">{role.added.join(", ")}</td>
                <td className="lost">{role.removed.join(", ")}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
      <p>
        <Action because={because} onClick={onSync}>
          Sync …
        </Action>
      </p>
    </>
  );
}
