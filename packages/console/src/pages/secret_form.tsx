// A secret, new or changed, and another value for one. What is typed is gone with the dialog.

import { useState } from "react";
import { ALWAYS, LifeFields } from "../fields.js";
import { Dialog, Form } from "../parts.js";
import type { Life, OtherReaders, Secret, Visibility } from "../types.js";
import { ids } from "../values.js";

/** Who reads a secret beside its owner, and those whom it is shared with. */
export function visibilityText(visibility: Visibility | OtherReaders): string {
  switch (visibility.to) {
    case "user":
      return "its owner alone";
    case "organization":
      return "whoever belongs to the organization";
    case "group":
      return `the members of ${visibility.groups.join(", ") || "no group"}`;
    case "session":
      return `${visibility.participants}, in the session ${visibility.session}`;
    case "other":
      return visibility.readers
        .map(({ subject, session }) => (session === null ? subject : `${subject} in the session ${session}`))
        .join(", ");
  }
}

export interface NewSecret extends Life {
  readonly name: string;
  readonly kind: string;
  readonly description: string;
  readonly value?: string;
  readonly visibility?: Visibility;
}

type To = Visibility["to"] | "as it is";

export function SecretForm({
  secret,
  noVisibility,
  onClose,
  onChoose,
}: {
  secret?: Secret;
  /** Why who reads it cannot be changed. */
  noVisibility?: string | undefined;
  onClose: () => void;
  onChoose: (secret: NewSecret) => void;
}) {
  const before = secret?.visibility;
  const [name, setName] = useState(secret?.name ?? "");
  const [kind, setKind] = useState(secret?.kind ?? "password");
  const [description, setDescription] = useState(secret?.description ?? "");
  const [value, setValue] = useState("");
  const [to, setTo] = useState<To>(secret === undefined ? "user" : "as it is");
  const [groups, setGroups] = useState(before?.to === "group" ? before.groups.join("\n") : "");
  const [session, setSession] = useState(before?.to === "session" ? before.session : "");
  const [participants, setParticipants] = useState(before?.to === "session" ? before.participants : "");
  const [life, setLife] = useState<Life>(secret ?? ALWAYS);
  const visibility = (): Visibility | undefined => {
    if (to === "as it is") return undefined;
    if (to === "group") return { to, groups: ids(groups) };
    if (to === "session") return { to, session: session.trim(), participants: participants.trim() };
    return { to };
  };
  const submit = (): void => {
    const chosen = visibility();
    onChoose({
      name: name.trim(),
      kind: kind.trim(),
      description: description.trim(),
      ...(secret === undefined ? { value } : {}),
      ...(chosen === undefined ? {} : { visibility: chosen }),
      active: life.active,
      not_before: life.not_before,
      expires_at: life.expires_at,
    });
  };
  return (
    <Dialog title={secret === undefined ? "New secret" : `Edit ${secret.name}`} onClose={onClose}>
      <Form submit="Count what changes" onClose={onClose} onSubmit={submit}>
        <div className="pair">
          <label>
            Name
            <input
              value={name}
              onChange={(event) => setName(event.target.value)}
              pattern="[A-Za-z0-9_.\-]{1,256}"
              title="1 to 256 of a-z, A-Z, 0-9, _, . and -"
              spellCheck={false}
              autoComplete="off"
              required
              autoFocus
            />
          </label>
          <label>
            Kind
            <input
              value={kind}
              onChange={(event) => setKind(event.target.value)}
              pattern="[A-Za-z0-9_.\-]{1,64}"
              title="Such as password or ssh_key: 1 to 64 of a-z, A-Z, 0-9, _, . and -"
              spellCheck={false}
              autoComplete="off"
              required
            />
          </label>
        </div>
        <label>
          Description
          <input
            value={description}
            onChange={(event) => setDescription(event.target.value)}
            maxLength={1024}
            autoComplete="off"
          />
        </label>
        {secret === undefined && <ValueField value={value} onChange={setValue} />}
        <label>
          Who reads it, beside its owner
          <select
            value={to}
            onChange={(event) => setTo(event.target.value as To)}
            disabled={noVisibility !== undefined}
            title={noVisibility}
          >
            {secret !== undefined && (
              <option value="as it is">As it is: {visibilityText(secret.visibility)}</option>
            )}
            <option value="user">Nobody else</option>
            <option value="group">The members of groups</option>
            <option value="session">Who takes part in a session</option>
            <option value="organization">Whoever belongs to the organization</option>
          </select>
        </label>
        {noVisibility !== undefined && <p className="muted small">{noVisibility}</p>}
        {to === "group" && (
          <label>
            Groups, one a line
            <textarea
              rows={2}
              value={groups}
              onChange={(event) => setGroups(event.target.value)}
              placeholder="group:operations"
              spellCheck={false}
              required
            />
          </label>
        )}
        {to === "session" && (
          <div className="pair">
            <label>
              Session
              <input
                value={session}
                onChange={(event) => setSession(event.target.value)}
                spellCheck={false}
                required
              />
            </label>
            <label>
              The group of who takes part
              <input
                value={participants}
                onChange={(event) => setParticipants(event.target.value)}
                placeholder="group:s1"
                pattern="group:.+"
                title="A group, such as group:s1"
                spellCheck={false}
                required
              />
            </label>
          </div>
        )}
        <LifeFields value={life} onChange={setLife} />
      </Form>
    </Dialog>
  );
}

export function ValueForm({
  name,
  onClose,
  onChoose,
}: {
  name: string;
  onClose: () => void;
  onChoose: (value: string) => void;
}) {
  const [value, setValue] = useState("");
  return (
    <Dialog title={`Another value for ${name}`} onClose={onClose}>
      <Form submit="Go on" onClose={onClose} onSubmit={() => onChoose(value)}>
        <ValueField value={value} onChange={setValue} />
      </Form>
    </Dialog>
  );
}

/** Hidden while it is typed, unless it is looked at. Its lines stay: keys have several. */
function ValueField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [seen, setSeen] = useState(false);
  return (
    <>
      <label>
        Value
        <textarea
          className={seen ? "" : "masked"}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          rows={3}
          spellCheck={false}
          autoComplete="off"
          required
        />
      </label>
      <label className="choice">
        <input type="checkbox" checked={seen} onChange={(event) => setSeen(event.target.checked)} />
        <span>Show what I type</span>
      </label>
    </>
  );
}
