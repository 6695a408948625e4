// Why somebody may or may not: the decision with everything that it looked at, and the smallest change that would allow it.

import { useState } from "react";
import { useSearchParams } from "react-router";
import { useApp, useLoaded } from "../context.js";
import { Await, Chip, Page, Trouble } from "../parts.js";
import type { Catalog, Explanation, Role } from "../types.js";
import { placeText, reasonText, remedyText, stepText, type Names } from "../words.js";

interface Asked {
  readonly subject: string;
  readonly permission: string;
  readonly resource: { type: string; id: string } | null;
}

export function Why() {
  const { management, newest } = useApp();
  const [parameters, setParameters] = useSearchParams();
  const [error, setError] = useState<string | undefined>(undefined);
  const [subject, setSubject] = useState(parameters.get("subject") ?? "");
  const [permission, setPermission] = useState(parameters.get("permission") ?? "");
  const [type, setType] = useState(parameters.get("type") ?? "");
  const [id, setId] = useState(parameters.get("id") ?? "");
  const catalog = useLoaded("catalog", "", (signal) => management.get<Catalog>("catalog", signal));
  const asked = question(parameters);
  const submit = (): void => {
    if (!/^[^:]+:.+$/.test(subject.trim())) setError("Write the subject with its type, such as user:ann.");
    else if (permission.trim() === "") setError("Which permission?");
    else if (type !== "" && id.trim() === "")
      setError("Which resource of that type? Leave the type empty for the whole organization.");
    else {
      setError(undefined);
      setParameters({
        subject: subject.trim(),
        permission: permission.trim(),
        ...(type === "" ? {} : { type, id: id.trim() }),
      });
    }
  };
  return (
    <Page title="Why" about="Why somebody may or may not do something, and what would let them.">
      <Await of={catalog} what="the catalog">
        {({ permissions, types }) => (
          <form
            className="question"
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <label>
              Who
              <input
                value={subject}
                onChange={(event) => setSubject(event.target.value)}
                placeholder="user:ann"
                spellCheck={false}
              />
            </label>
            <label>
              may
              <input
                value={permission}
                onChange={(event) => setPermission(event.target.value)}
                list="permissions"
                placeholder="a permission"
                spellCheck={false}
              />
            </label>
            <datalist id="permissions">
              {Object.keys(permissions).map((key) => (
                <option key={key} value={key} />
              ))}
            </datalist>
            <label>
              at
              <select value={type} onChange={(event) => setType(event.target.value)}>
                <option value="">the whole organization</option>
                {Object.keys(types).map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
            {type !== "" && (
              <label>
                of the id
                <input value={id} onChange={(event) => setId(event.target.value)} spellCheck={false} />
              </label>
            )}
            <button type="submit" className="button primary">
              Explain
            </button>
          </form>
        )}
      </Await>
      {error !== undefined && (
        <p className="notice bad" role="alert">
          {error}
        </p>
      )}
      {asked !== undefined && <Answer key={JSON.stringify(asked)} asked={asked} version={newest} />}
    </Page>
  );
}

function question(parameters: URLSearchParams): Asked | undefined {
  const [subject, permission] = [parameters.get("subject"), parameters.get("permission")];
  const [type, id] = [parameters.get("type"), parameters.get("id")];
  if (!subject || !permission) return undefined;
  return { subject, permission, resource: type && id ? { type, id } : null };
}

function Answer({ asked, version }: { asked: Asked; version: string }) {
  const { management } = useApp();
  const read = useLoaded(JSON.stringify(asked), version, async () => {
    const [explanation, roles] = await Promise.all([
      management.post<Explanation>("explain", asked),
      management.all<Role>("roles", 10),
    ]);
    const names: Names = new Map(roles.items.map((role) => [role.id, role.name]));
    return { explanation, names };
  });
  return (
    <section className="answer" aria-label="Answer" aria-live="polite">
      <Await of={read} what="the decision">
        {({ explanation, names }) => {
          if ("error" in explanation) return <Trouble error={new Error(reasonText(explanation.error))} />;
          const { decision, reason, trail, remedy } = explanation;
          return (
            <>
              <h2>
                <Chip kind={decision === "allow" ? "good" : "bad"}>
                  {decision === "allow" ? "may" : "may not"}
                </Chip>{" "}
                {asked.subject} · <code>{asked.permission}</code> · {placeText(asked.resource)}
              </h2>
              <p>{reasonText(reason)}</p>
              <h3>What the decision looked at</h3>
              {trail.length === 0 ? (
                <p className="muted">Nothing that they hold counts there.</p>
              ) : (
                <ol className="trail">
                  {trail.map((step, at) => (
                    <li key={at}>{stepText(step, names)}</li>
                  ))}
                </ol>
              )}
              {remedy.length > 0 && (
                <>
                  <h3>What would let them</h3>
                  <p className="muted">The smallest change, all of it together:</p>
                  <ul className="trail">
                    {remedy.map((change, at) => (
                      <li key={at}>{remedyText(change, asked.permission, asked.subject, names)}</li>
                    ))}
                  </ul>
                </>
              )}
            </>
          );
        }}
      </Await>
    </section>
  );
}
