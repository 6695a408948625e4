// A new share: of which resource, with whom, and what they may do with it.

import { useState } from "react";
import { ALWAYS, LifeFields, PermissionsField, PlaceField, placeOf, SubjectField } from "../fields.js";
import { Dialog, Form } from "../parts.js";
import type { Catalog } from "../types.js";
import type { NewShare } from "./shares.js";

export function ShareForm({
  catalog,
  resource: fixed,
  permissions: first = [],
  onClose,
  onChoose,
}: {
  catalog: Catalog;
  /** What is shared, where that is decided already; with the name that people know it by. */
  resource?: { readonly type: string; readonly id: string; readonly name: string };
  permissions?: readonly string[];
  onClose: () => void;
  onChoose: (share: NewShare) => void;
}) {
  const [resource, setResource] = useState({ type: "", id: "" });
  const [subject, setSubject] = useState("");
  const [permissions, setPermissions] = useState<readonly string[]>(first);
  const [into, setInto] = useState({ type: "", id: "" });
  const [life, setLife] = useState(ALWAYS);
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const types = Object.keys(catalog.types);
  const of = fixed ?? resource;
  return (
    <Dialog title={fixed === undefined ? "Share a resource" : `Share ${fixed.name}`} onClose={onClose}>
      <Form
        submit="Count what changes"
        onClose={onClose}
        onSubmit={() => {
          if (permissions.length === 0) return setWrong("Choose a permission.");
          onChoose({
            resource: { type: of.type, id: of.id.trim() },
            subject: subject.trim(),
            permissions,
            into: placeOf(into),
            ...life,
          });
        }}
      >
        {fixed === undefined && (
          <PlaceField label="What" types={types} value={resource} onChange={setResource} />
        )}
        <SubjectField label="With whom" value={subject} onChange={setSubject} />
        <PermissionsField catalog={catalog} value={permissions} onChange={setPermissions} of={of.type} />
        {fixed === undefined && (
          <PlaceField
            label="Where they find it"
            types={types}
            whole="Nowhere else"
            value={into}
            onChange={setInto}
          />
        )}
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
