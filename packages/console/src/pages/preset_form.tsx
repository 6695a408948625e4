// A preset, new or changed.

import { useState } from "react";
import { PermissionsField } from "../fields.js";
import { missing } from "../matrix.js";
import { Dialog, Form } from "../parts.js";
import type { Catalog, Preset } from "../types.js";

export type PresetFields = Omit<Preset, "id" | "deleted_at">;

export function PresetForm({
  catalog,
  preset,
  onClose,
  onChoose,
}: {
  catalog: Catalog;
  preset?: Preset;
  onClose: () => void;
  onChoose: (preset: PresetFields) => void;
}) {
  const scopes = Object.entries(catalog.types).flatMap(([name, { scope }]) => (scope ? [name] : []));
  const [name, setName] = useState(preset?.name ?? "");
  const [type, setType] = useState(preset?.type ?? (scopes.length === 1 ? (scopes[0] ?? "") : ""));
  const [template, setTemplate] = useState(preset?.role_name ?? "");
  const [auto, setAuto] = useState(preset?.auto_assign ?? false);
  const [creator, setCreator] = useState(preset?.for_creator ?? false);
  const [permissions, setPermissions] = useState<readonly string[]>(preset?.permissions ?? []);
  const lacking = missing(permissions, catalog);
  return (
    <Dialog title={preset === undefined ? "New preset" : `Edit ${preset.name}`} onClose={onClose}>
      <Form
        submit="Go on"
        onClose={onClose}
        onSubmit={() =>
          onChoose({
            name: name.trim(),
            type,
            role_name: template.trim() === "" ? null : template.trim(),
            auto_assign: auto,
            for_creator: creator,
            permissions,
          })
        }
      >
        <div className="pair">
          <label>
            Name
            <input value={name} onChange={(event) => setName(event.target.value)} required autoFocus />
          </label>
          <label>
            For each new
            <select
              value={type}
              onChange={(event) => setType(event.target.value)}
              disabled={preset !== undefined}
              required
            >
              <option value="">Choose a type</option>
              {scopes.map((scope) => (
                <option key={scope}>{scope}</option>
              ))}
            </select>
          </label>
        </div>
        <label>
          Name of the role{" "}
          <span className="muted small">
            with {"{scope.name}"} or {"{scope.id}"}, and {"{scope.type}"} (the preset's name and the id if
            empty)
          </span>
          <input
            value={template}
            onChange={(event) => setTemplate(event.target.value)}
            placeholder="{scope.name} members"
            maxLength={64}
            spellCheck={false}
          />
        </label>
        <PermissionsField catalog={catalog} value={permissions} onChange={setPermissions} of={type} />
        {lacking.length > 0 && (
          <p className="notice warn">
            These permissions need others that are not chosen: {lacking.join(", ")}.{" "}
            <button
              type="button"
              className="button"
              onClick={() => setPermissions([...permissions, ...lacking].sort())}
            >
              Add them
            </button>
          </p>
        )}
        <label className="choice">
          <input type="checkbox" checked={auto} onChange={(event) => setAuto(event.target.checked)} />
          <span>Whoever joins the scope is assigned it</span>
        </label>
        <label className="choice">
          <input type="checkbox" checked={creator} onChange={(event) => setCreator(event.target.checked)} />
          <span>Whoever makes the scope is assigned it, also without holding what it gives</span>
        </label>
      </Form>
    </Dialog>
  );
}
