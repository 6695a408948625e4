// A new grant or exclusion: for whom, what, where, under which conditions, and when.

import { useState } from "react";
import { ALWAYS, LifeFields, PermissionsField, PlaceField, placeOf, SubjectField } from "../fields.js";
import { Dialog, Form } from "../parts.js";
import type { Catalog, Grant, Role } from "../types.js";
import { pairs } from "../values.js";
import { placeText } from "../words.js";

export type NewGrant = Omit<Grant, "id" | "share">;

type Holder = "subject" | "role" | "all";

export function GrantForm({
  catalog,
  roles,
  onClose,
  onChoose,
}: {
  catalog: Catalog;
  roles: readonly Role[];
  onClose: () => void;
  onChoose: (grant: NewGrant) => void;
}) {
  const [effect, setEffect] = useState<Grant["effect"]>("allow");
  const [holder, setHolder] = useState<Holder>("subject");
  const [subject, setSubject] = useState("");
  const [role, setRole] = useState("");
  const [permissions, setPermissions] = useState<string[]>([]);
  const [at, setAt] = useState({ type: "", id: "" });
  const [where, setWhere] = useState("");
  const [require, setRequire] = useState("");
  const [own, setOwn] = useState(false);
  const [session, setSession] = useState("");
  const [life, setLife] = useState(ALWAYS);
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const submit = (): void => {
    const [conditions, required] = [pairs(where), pairs(require)];
    if (permissions.length === 0) setWrong("Choose a permission.");
    else if (conditions === undefined || required === undefined)
      setWrong("Write each condition on a line of its own, as name = value, and each name once.");
    else
      onChoose({
        subject: holder === "all" ? "user:all" : holder === "role" ? role : subject.trim(),
        effect,
        permissions,
        at: placeOf(at),
        where: conditions,
        require: required,
        own,
        session: session.trim() === "" ? null : session.trim(),
        ...life,
      });
  };
  return (
    <Dialog title="New grant or exclusion" onClose={onClose}>
      <Form submit="Count what changes" onClose={onClose} onSubmit={submit}>
        <div className="pair">
          <label>
            It
            <select
              value={effect}
              onChange={(event) => setEffect(event.target.value as Grant["effect"])}
              autoFocus
            >
              <option value="allow">gives (a grant)</option>
              <option value="exclude">takes away (an exclusion)</option>
            </select>
          </label>
          <label>
            {effect === "allow" ? "to" : "from"}
            <select value={holder} onChange={(event) => setHolder(event.target.value as Holder)}>
              <option value="subject">a subject or a group</option>
              <option value="role">whoever holds a role</option>
              <option value="all">everybody</option>
            </select>
          </label>
        </div>
        {holder === "subject" && <SubjectField label="Subject" value={subject} onChange={setSubject} />}
        {holder === "role" && (
          <label>
            Role
            <select value={role} onChange={(event) => setRole(event.target.value)} required>
              <option value="">Choose a role</option>
              {roles
                .filter(({ immutable }) => !immutable)
                .map(({ id, name, scope }) => (
                  <option key={id} value={id}>
                    {scope === null ? name : `${name} (${placeText(scope)})`}
                  </option>
                ))}
            </select>
          </label>
        )}
        <PermissionsField catalog={catalog} value={permissions} onChange={setPermissions} of={at.type} />
        <PlaceField
          label="Where"
          types={Object.keys(catalog.types)}
          whole="The whole organization"
          value={at}
          onChange={setAt}
        />
        <details>
          <summary>Under conditions</summary>
          <div className="conditions">
            <div className="pair">
              <label>
                Where, one a line
                <textarea
                  rows={2}
                  placeholder="env = test"
                  value={where}
                  onChange={(event) => setWhere(event.target.value)}
                  spellCheck={false}
                />
              </label>
              <label>
                Required, one a line
                <textarea
                  rows={2}
                  placeholder="mfa = yes"
                  value={require}
                  onChange={(event) => setRequire(event.target.value)}
                  spellCheck={false}
                />
              </label>
            </div>
            <label>
              In the session
              <input
                value={session}
                onChange={(event) => setSession(event.target.value)}
                placeholder="any, or none"
                spellCheck={false}
              />
            </label>
            <label className="choice">
              <input type="checkbox" checked={own} onChange={(event) => setOwn(event.target.checked)} />
              <span>Only at what they own</span>
            </label>
          </div>
        </details>
        <LifeFields value={life} onChange={setLife} />
        {wrong !== undefined && (
          <p className="notice bad" role="alert">
            {wrong}
          </p>
        )}
      </Form>
    </Dialog>
  );
}
