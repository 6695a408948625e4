// An invitation: to whom, what is offered, and until when it can be answered.

import { useState } from "react";
import { READ_SCOPES, useAny, useApp, useLoaded } from "../context.js";
import { ALWAYS, LifeFields, PermissionsField, PlaceField, placeOf, SubjectField } from "../fields.js";
import { Dialog, Form } from "../parts.js";
import type { Assignment, Catalog, Role, Scope } from "../types.js";
import { local, moment } from "../values.js";
import { placeText } from "../words.js";
import type { NewShare } from "./shares.js";

export interface NewInvitation {
  readonly assignment?: Omit<Assignment, "id">;
  readonly share?: NewShare;
  readonly expires_at: string | null;
}

export function InvitationForm({
  catalog,
  roles,
  onClose,
  onChoose,
}: {
  catalog: Catalog;
  roles: readonly Role[];
  onClose: () => void;
  onChoose: (invitation: NewInvitation, subject: string) => void;
}) {
  const { management, newest } = useApp();
  const readsScopes = useAny(READ_SCOPES);
  const [what, setWhat] = useState<"role" | "share">("role");
  const [subject, setSubject] = useState("");
  const [role, setRole] = useState("");
  const [at, setAt] = useState("");
  const [resource, setResource] = useState({ type: "", id: "" });
  const [permissions, setPermissions] = useState<string[]>([]);
  const [into, setInto] = useState({ type: "", id: "" });
  const [life, setLife] = useState(ALWAYS);
  const [end, setEnd] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const read = useLoaded(`scopes ${readsScopes}`, newest, async (signal) =>
    readsScopes ? (await management.all<Scope>("scopes", 5, signal)).items : [],
  );
  const scopes = read.state === "ready" ? read.value.filter(({ deleted_at: gone }) => gone === null) : [];
  const types = Object.keys(catalog.types);
  // A role that exists for a scope is offered there only.
  const fixed = roles.find(({ id }) => id === role)?.scope ?? null;
  const submit = (): void => {
    const who = subject.trim();
    if (what === "role") {
      const found = fixed ?? scopes.find((scope) => placeText(scope) === at) ?? null;
      const place = found === null ? null : { type: found.type, id: found.id };
      onChoose({ assignment: { subject: who, role, at: place, ...life }, expires_at: end }, who);
    } else if (permissions.length === 0) setWrong("Choose a permission.");
    else
      onChoose(
        {
          share: {
            resource: { type: resource.type, id: resource.id.trim() },
            subject: who,
            permissions,
            into: placeOf(into),
            ...life,
          },
          expires_at: end,
        },
        who,
      );
  };
  return (
    <Dialog title="Invite" onClose={onClose}>
      <Form submit="Count what would change" onClose={onClose} onSubmit={submit}>
        <SubjectField label="Who" value={subject} onChange={setSubject} groups={false} />
        <label>
          Is offered
          <select value={what} onChange={(event) => setWhat(event.target.value as typeof what)}>
            <option value="role">a role</option>
            <option value="share">a share of a resource</option>
          </select>
        </label>
        {what === "role" ? (
          <div className="pair">
            <label>
              Role
              <select value={role} onChange={(event) => setRole(event.target.value)} required>
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
                value={fixed === null ? at : placeText(fixed)}
                onChange={(event) => setAt(event.target.value)}
                disabled={fixed !== null}
              >
                <option value="">The whole organization</option>
                {fixed !== null && <option>{placeText(fixed)}</option>}
                {scopes.map((scope) => (
                  <option key={placeText(scope)} value={placeText(scope)}>
                    {[placeText(scope), scope.attributes["name"]].filter(Boolean).join(" · ")}
                  </option>
                ))}
              </select>
            </label>
          </div>
        ) : (
          <>
            <PlaceField label="Of what" types={types} value={resource} onChange={setResource} />
            <PermissionsField
              catalog={catalog}
              value={permissions}
              onChange={setPermissions}
              of={resource.type}
            />
            <PlaceField
              label="Where they find it"
              types={types}
              whole="Nowhere else"
              value={into}
              onChange={setInto}
            />
          </>
        )}
        <LifeFields value={life} onChange={setLife} />
        <label>
          Can be answered until <span className="muted small">(for a week if empty)</span>
          <input
            type="datetime-local"
            value={local(end)}
            onChange={(event) => setEnd(moment(event.target.value))}
          />
        </label>
        <p className="muted small">
          What is counted is what they would gain by accepting. Until then they hold nothing.
        </p>
        {wrong !== undefined && (
          <p className="notice bad" role="alert">
            {wrong}
          </p>
        )}
      </Form>
    </Dialog>
  );
}
