// One secret: what is told of it, its value for a moment, who reads it, and what was done with it.

import { useState } from "react";
import { READ_AUDIT, READ_SHARES, useAny, useApp, useLoaded, useNoWriteAt } from "../context.js";
import { useAsk } from "../impact.js";
import { segments, withQuery, type Page as Part, type Tagged } from "../interface.js";
import { Action, Await, Table, Trouble } from "../parts.js";
import { ShownOnce } from "../shown_once.js";
import type { AuditEvent, Catalog, Secret, Share } from "../types.js";
import { deadBecause, lifeText, timeText } from "../words.js";
import { SecretForm, ValueForm, visibilityText } from "./secret_form.js";
import { SecretState } from "./secrets.js";
import { ShareForm } from "./share_form.js";
import { sharing, unshare } from "./shares.js";

export function OneSecret({
  secret,
  session,
  again,
  onGone,
}: {
  secret: Secret;
  session: string;
  again: () => void;
  onGone: () => void;
}) {
  const { management, newest } = useApp();
  const [open, setOpen] = useState<"nothing" | "value" | "share">("nothing");
  const [editing, setEditing] = useState<Tagged<Secret> | undefined>(undefined);
  const [error, setError] = useState<unknown>(undefined);
  const [dialog, ask] = useAsk();
  const resource = { type: "secret", id: secret.id };
  const facts = {
    ...(secret.owner === null ? {} : { owner: secret.owner }),
    ...(session === "" ? {} : { session }),
  };
  const noManage = useNoWriteAt(["secret:manage"])(resource, facts);
  const noValue = useNoWriteAt(["secret:write"])(resource, facts);
  const noRead = useNoWriteAt(["secret:read"])(resource, facts);
  const noShare = useNoWriteAt(["secret:share", "resource:share", "role:manage"])(resource, facts);
  const readsAll = useAny(READ_SHARES);
  const sharesIt = useNoWriteAt(["secret:share"])(resource, facts) === undefined;
  const readsShares = readsAll || sharesIt;
  const dead = deadBecause(secret, Date.now());
  const at = `secrets/${segments(secret.id)}`;
  const here = (path: string): string => withQuery(path, { session: session === "" ? undefined : session });
  const shares = useLoaded(`shares of ${secret.id} ${readsShares}`, newest, async (signal) => {
    if (!readsShares) return undefined;
    const path = withQuery("shares", { resource_type: "secret", resource_id: secret.id });
    const [{ items }, catalog] = await Promise.all([
      management.all<Share>(path, 5, signal),
      management.get<Catalog>("catalog", signal),
    ]);
    return { shares: items, catalog };
  });
  /** A change is made to the newest state, and to no other. */
  const newestOf = (then: (opened: Tagged<Secret>) => void): void => {
    setError(undefined);
    management.tagged<Secret>(here(at)).then(then, setError);
  };
  const change = (of: Tagged<Secret>, title: string, verb: string, body: object, done: string): void =>
    ask({ title, verb, write: { method: "PUT", path: at, body, etag: of.etag }, done, onDone: again });
  const turn = (): void =>
    newestOf((opened) => {
      const { name, kind, description, active, not_before, expires_at } = opened.item;
      const verb = active ? "Switch off" : "Switch on";
      change(
        opened,
        `${verb}: ${name}`,
        verb,
        { name, kind, description, active: !active, not_before, expires_at },
        active ? `${name} is off: nobody reads it.` : `${name} is on.`,
      );
    });
  return (
    <>
      <div className="head">
        <h2>
          {secret.name} <SecretState of={secret} />
        </h2>
        <div className="actions">
          <Action because={noManage} onClick={() => newestOf(setEditing)}>
            Edit …
          </Action>
          <Action because={noManage} onClick={turn}>
            {secret.active ? "Switch off …" : "Switch on …"}
          </Action>
          <Action
            kind="danger"
            because={noManage}
            onClick={() =>
              ask({
                title: `Delete ${secret.name}`,
                verb: "Delete",
                danger: true,
                write: { method: "DELETE", path: at, etag: "*" },
                done: `${secret.name} is deleted, with its value.`,
                onDone: onGone,
              })
            }
          >
            Delete …
          </Action>
        </div>
      </div>
      {error !== undefined && <Trouble error={error} />}
      {secret.description !== "" && <p>{secret.description}</p>}
      <dl className="facts">
        <dt>Kind</dt>
        <dd>{secret.kind}</dd>
        <dt>Owner</dt>
        <dd>{secret.owner ?? "nobody"}</dd>
        <dt>Read by</dt>
        <dd>{visibilityText(secret.visibility)}</dd>
        <dt>Counts</dt>
        <dd>{lifeText(secret)}</dd>
        <dt>Value</dt>
        <dd>
          version {secret.version}, of {timeText(secret.changed_at)}
        </dd>
      </dl>
      <h3>Value</h3>
      <p className="muted small">Every reading is taken down in the audit.</p>
      <ShownOnce
        what="value"
        verb="Show the value"
        because={dead === undefined ? noRead : DEAD[dead]}
        read={async () => (await management.get<{ value: string }>(here(`${at}/value`))).value}
      />
      <p>
        <Action because={noValue} onClick={() => setOpen("value")}>
          Another value …
        </Action>
      </p>
      <div className="head">
        <h3>Shared with</h3>
        <Action because={noShare} onClick={() => setOpen("share")}>
          Share …
        </Action>
      </div>
      {!readsShares ? (
        <p className="muted">With whom it is shared is for those who may share it.</p>
      ) : (
        <Await of={shares} what="its shares">
          {(found) => (
            <>
              {found === undefined || found.shares.length === 0 ? (
                <p className="muted">Nobody.</p>
              ) : (
                <Table label={`Shares of ${secret.name}`} head={["With whom", "What", "When", "Action"]}>
                  {found.shares.map((share) => (
                    <tr key={share.id}>
                      <th scope="row">{share.subject}</th>
                      <td>{share.permissions.join(", ")}</td>
                      <td>{lifeText(share)}</td>
                      <td>
                        <Action
                          kind="danger"
                          label={`End the share with ${share.subject}`}
                          because={noShare}
                          onClick={() =>
                            ask({
                              ...unshare(share),
                              title: `Share ${secret.name} with ${share.subject} no longer`,
                              done: `${secret.name} is no longer shared with ${share.subject}.`,
                            })
                          }
                        >
                          End
                        </Action>
                      </td>
                    </tr>
                  ))}
                </Table>
              )}
              {open === "share" && found !== undefined && (
                <ShareForm
                  catalog={found.catalog}
                  resource={{ ...resource, name: secret.name }}
                  permissions={["secret:read"]}
                  onClose={() => setOpen("nothing")}
                  onChoose={(body) => {
                    setOpen("nothing");
                    ask({
                      ...sharing(body),
                      title: `Share ${secret.name} with ${body.subject}`,
                      done: `${secret.name} is shared with ${body.subject}.`,
                    });
                  }}
                />
              )}
            </>
          )}
        </Await>
      )}
      <Done id={secret.id} />
      {editing !== undefined && (
        <SecretForm
          secret={editing.item}
          noVisibility={noShare}
          onClose={() => setEditing(undefined)}
          onChoose={(body) => {
            setEditing(undefined);
            change(editing, `Change ${secret.name}`, "Save", body, `${body.name} is changed.`);
          }}
        />
      )}
      {open === "value" && (
        <ValueForm
          name={secret.name}
          onClose={() => setOpen("nothing")}
          onChoose={(value) => {
            setOpen("nothing");
            ask({
              title: `Give ${secret.name} another value`,
              verb: "Write it",
              instead: <p>The value that there is cannot be read again. Who reads it stays as it is.</p>,
              write: { method: "PUT", path: `${at}/value`, body: { value }, etag: "*" },
              done: `${secret.name} has another value.`,
              onDone: again,
            });
          }}
        />
      )}
      {dialog}
    </>
  );
}

const DEAD = {
  off: "It is switched off: nobody reads it.",
  expired: "It has expired: nobody reads it.",
  "not yet": "It has not begun: nobody reads it yet.",
} as const;

/** What was done with a secret, for who may see the audit. */
function Done({ id }: { id: string }) {
  const { management, newest } = useApp();
  const reads = useAny(READ_AUDIT);
  const [turn, setTurn] = useState(0);
  const read = useLoaded(`audit of ${id} ${reads}`, `${newest} ${turn}`, async (signal) => {
    if (!reads) return undefined;
    const path = withQuery("audit", { target: `secret:${id}`, limit: "20" });
    return (await management.get<Part<AuditEvent>>(path, signal)).items;
  });
  if (!reads) return null;
  return (
    <>
      <div className="head">
        <h3>What was done with it</h3>
        <Action kind="quiet" because={undefined} onClick={() => setTurn((turn) => turn + 1)}>
          Look again
        </Action>
      </div>
      <Await of={read} what="what was done with it">
        {(events) =>
          events === undefined || events.length === 0 ? (
            <p className="muted">Nothing is in the audit.</p>
          ) : (
            <Table label="What was done with it" head={["When", "Who", "What"]}>
              {events.map((event) => (
                <tr key={event.id}>
                  <td className="time">{timeText(event.occurred_at)}</td>
                  <th scope="row">{event.actor}</th>
                  <td>{OPERATIONS[event.operation] ?? event.operation}</td>
                </tr>
              ))}
            </Table>
          )
        }
      </Await>
    </>
  );
}

const OPERATIONS: Readonly<Record<string, string>> = {
  "secret.create": "made it",
  "secret.read": "read its value",
  "secret.denied": "was not allowed to read its value",
  "secret.update": "changed what is told of it",
  "secret.write": "gave it another value",
  "secret.delete": "deleted it",
};
