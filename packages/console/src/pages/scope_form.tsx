// A new scope, with the roles of the presets of its type.

import { useState } from "react";
import { PlaceField, placeOf, SubjectField } from "../fields.js";
import { Dialog, Form } from "../parts.js";
import type { Catalog } from "../types.js";

export interface NewScope {
  readonly type: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly parents: readonly { readonly type: string; readonly id: string }[];
  readonly creator?: string;
}

export function ScopeForm({
  catalog,
  onClose,
  onChoose,
}: {
  catalog: Catalog;
  onClose: () => void;
  onChoose: (scope: NewScope) => void;
}) {
  const types = Object.keys(catalog.types);
  const scopes = types.filter((name) => catalog.types[name]?.scope === true);
  const [type, setType] = useState(scopes.length === 1 ? (scopes[0] ?? "") : "");
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [parent, setParent] = useState({ type: "", id: "" });
  const [forOther, setForOther] = useState(false);
  const [creator, setCreator] = useState("");
  return (
    <Dialog title="New scope" onClose={onClose}>
      <Form
        submit="Count what changes"
        onClose={onClose}
        onSubmit={() => {
          const above = placeOf(parent);
          onChoose({
            type,
            id: id.trim(),
            attributes: name.trim() === "" ? {} : { name: name.trim() },
            parents: above === null ? [] : [above],
            ...(forOther ? { creator: creator.trim() } : {}),
          });
        }}
      >
        <div className="pair">
          <label>
            Type
            <select value={type} onChange={(event) => setType(event.target.value)} required autoFocus>
              <option value="">Choose a type</option>
              {scopes.map((scope) => (
                <option key={scope}>{scope}</option>
              ))}
            </select>
          </label>
          <label>
            Id
            <input
              value={id}
              onChange={(event) => setId(event.target.value)}
              spellCheck={false}
              autoComplete="off"
              required
            />
          </label>
        </div>
        <label>
          Name
          <input value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <PlaceField label="In" types={types} whole="Nothing else" value={parent} onChange={setParent} />
        <label className="choice">
          <input type="checkbox" checked={forOther} onChange={(event) => setForOther(event.target.checked)} />
          <span>It is made for somebody: they are assigned what is for its creator</span>
        </label>
        {forOther && <SubjectField label="For whom" value={creator} onChange={setCreator} groups={false} />}
        <p className="muted small">It gets a role of each preset of its type.</p>
      </Form>
    </Dialog>
  );
}
