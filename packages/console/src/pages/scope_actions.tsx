// What is done to a scope: somebody joins it; it is deleted, restored, and deleted for good.

import { useState } from "react";
import { useApp, useNoWriteAt, WRITE_ASSIGNMENTS } from "../context.js";
import { SubjectField } from "../fields.js";
import type { Ask } from "../impact.js";
import { segments, type Write } from "../interface.js";
import { Action, Dialog, Form, Trouble } from "../parts.js";
import type { Purged, Scope } from "../types.js";
import { placeText, purgedText } from "../words.js";

export function ScopeActions({ scope, ask }: { scope: Scope; ask: <T>(asked: Ask<T>) => void }) {
  const { management } = useApp();
  const [joining, setJoining] = useState(false);
  const [subject, setSubject] = useState("");
  const [error, setError] = useState<unknown>(undefined);
  const place = { type: scope.type, id: scope.id };
  const deleted = scope.deleted_at !== null;
  // What is deleted is inactive, and nothing is held there: whether one may is then asked of the whole organization.
  const noManage = useNoWriteAt(["resource:manage"])(deleted ? null : place);
  const noJoin = useNoWriteAt(WRITE_ASSIGNMENTS)(place);
  const at = `scopes/${segments(scope.type, scope.id)}`;
  const name = placeText(place);
  const joins = scope.roles.some(({ auto_assign: auto }) => auto);
  /** What ends a scope ends it as it is now, and no other. */
  const end = <T,>(asked: Omit<Ask<T>, "write">, write: Write): void => {
    setError(undefined);
    management.tagged<Scope>(at).then(({ etag }) => ask({ ...asked, write: { ...write, etag } }), setError);
  };
  return (
    <>
      <div className="actions">
        {!deleted && (
          <Action
            because={noJoin ?? (joins ? undefined : "None of its roles is assigned to who joins.")}
            onClick={() => setJoining(true)}
          >
            Add somebody …
          </Action>
        )}
        {deleted ? (
          <>
            <Action
              because={noManage}
              onClick={() =>
                end(
                  { title: `Restore ${name}`, verb: "Restore", done: `${name} is restored.` },
                  { method: "POST", path: `${at}/restore` },
                )
              }
            >
              Restore …
            </Action>
            <Action
              kind="danger"
              because={noManage}
              onClick={() =>
                end<Purged>(
                  {
                    title: `Purge ${name}`,
                    verb: "Purge",
                    danger: true,
                    done: (purged) =>
                      `${name} is gone for good, with ${purged === undefined ? "what stood there" : purgedText(purged)}.`,
                  },
                  { method: "POST", path: `${at}/purge` },
                )
              }
            >
              Purge …
            </Action>
          </>
        ) : (
          <Action
            kind="danger"
            because={noManage}
            onClick={() =>
              end(
                {
                  title: `Delete ${name}`,
                  verb: "Delete",
                  danger: true,
                  done: `${name} is deleted. It can be restored.`,
                },
                { method: "DELETE", path: at },
              )
            }
          >
            Delete …
          </Action>
        )}
      </div>
      {error !== undefined && <Trouble error={error} />}
      {joining && (
        <Dialog title={`Add somebody to ${name}`} onClose={() => setJoining(false)}>
          <Form
            submit="Count what changes"
            onClose={() => setJoining(false)}
            onSubmit={() => {
              setJoining(false);
              const who = subject.trim();
              ask({
                title: `Add ${who} to ${name}`,
                verb: "Add",
                write: { method: "POST", path: `${at}/members`, body: { subject: who } },
                done: `${who} has joined ${name}.`,
              });
            }}
          >
            <p>
              They are assigned{" "}
              {scope.roles
                .filter(({ auto_assign: auto }) => auto)
                .map(({ name }) => name)
                .join(", ")}
              .
            </p>
            <SubjectField label="Who" value={subject} onChange={setSubject} />
          </Form>
        </Dialog>
      )}
    </>
  );
}
