// Fields that several dialogs have: who, where, which permissions, and when.

import { useId, useState } from "react";
import { READ_SUBJECTS, useAny, useApp, useLoaded } from "./context.js";
import { byType, covers } from "./matrix.js";
import type { Catalog, Life, Place, Subject } from "./types.js";
import { local, moment } from "./values.js";
import { count } from "./words.js";

/** A subject's id, with those that are listed to choose from, for who may see them. */
export function SubjectField({
  label,
  value,
  onChange,
  groups = true,
}: {
  label: string;
  value: string;
  onChange: (subject: string) => void;
  groups?: boolean;
}) {
  const { management } = useApp();
  const reads = useAny(READ_SUBJECTS);
  const id = useId();
  const read = useLoaded(`subjects to choose ${reads}`, "", async (signal) =>
    reads ? (await management.all<Subject>("subjects", 2, signal)).items : [],
  );
  return (
    <label>
      {label}
      <input
        value={value}
        onChange={(event) => onChange(event.target.value)}
        placeholder={groups ? "user:ann or group:crew" : "user:ann"}
        pattern="[^:\s]+:.+"
        title="With its type, such as user:ann"
        list={id}
        spellCheck={false}
        autoComplete="off"
        required
      />
      <datalist id={id}>
        {read.state === "ready" &&
          read.value
            .filter((subject) => groups || !subject.id.startsWith("group:"))
            .map((subject) => <option key={subject.id} value={subject.id} />)}
      </datalist>
    </label>
  );
}

/** A resource, or nothing: what that means is `whole`. */
export function PlaceField({
  label,
  types,
  value,
  onChange,
  whole,
}: {
  label: string;
  types: readonly string[];
  value: { readonly type: string; readonly id: string };
  onChange: (place: { type: string; id: string }) => void;
  /** What no type stands for; without it a resource has to be named. */
  whole?: string;
}) {
  return (
    <div className="pair">
      <label>
        {label}
        <select
          value={value.type}
          onChange={(event) => onChange({ type: event.target.value, id: value.id })}
          required={whole === undefined}
        >
          <option value="">{whole ?? "Choose a type"}</option>
          {types.map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      {value.type !== "" && (
        <label>
          Id of the {value.type}
          <input
            value={value.id}
            onChange={(event) => onChange({ type: value.type, id: event.target.value })}
            spellCheck={false}
            autoComplete="off"
            required
          />
        </label>
      )}
    </div>
  );
}

/** The place that such a field says. */
export const placeOf = ({ type, id }: { type: string; id: string }): Place =>
  type === "" ? null : { type, id: id.trim() };

/** Entries of a permission list: keys of the catalog, all of a type, or all. */
export function PermissionsField({
  catalog,
  value,
  onChange,
  of,
}: {
  catalog: Catalog;
  value: readonly string[];
  onChange: (permissions: string[]) => void;
  /** Offers those of this type before the others. */
  of?: string | undefined;
}) {
  const [filter, setFilter] = useState("");
  const wanted = filter.trim().toLowerCase();
  const groups = byType(Object.keys(catalog.permissions));
  const first = groups.filter(([type]) => type === of);
  const entries = [...first, ...groups.filter(([type]) => type !== of)].flatMap(([type, keys]) => [
    [`${type}:*`, `All of ${type}, and what is added to it later`] as const,
    ...keys.map((key) => [key, catalog.permissions[key]?.description ?? ""] as const),
  ]);
  const all = [...entries, ["*", "Everything there is, and what is added later"] as const];
  const shown = all.filter(([entry, about]) => `${entry} ${about}`.toLowerCase().includes(wanted));
  const toggle = (entry: string): void =>
    onChange(value.includes(entry) ? value.filter((other) => other !== entry) : [...value, entry].sort());
  return (
    <fieldset>
      <legend>Permissions</legend>
      <label>
        <span className="hidden">Find a permission</span>
        <input
          type="search"
          placeholder="Find a permission"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      </label>
      <ul className="choices" aria-label="Permissions to choose">
        {shown.map(([entry, about]) => {
          const by = value.find((other) => other !== entry && covers(other, entry));
          return (
            <li key={entry}>
              <label className="choice">
                <input
                  type="checkbox"
                  checked={value.includes(entry) || by !== undefined}
                  disabled={by !== undefined && !value.includes(entry)}
                  onChange={() => toggle(entry)}
                />
                <span>
                  <code>{entry}</code>{" "}
                  <span className="muted small">{by === undefined ? about : `by ${by}`}</span>
                </span>
              </label>
            </li>
          );
        })}
      </ul>
      <p className="muted small" role="status">
        {value.length === 0
          ? "None chosen yet."
          : `${count(value.length, "entry", "entries")}: ${value.join(", ")}`}
      </p>
    </fieldset>
  );
}

/** From when until when. */
export function LifeFields({ value, onChange }: { value: Life; onChange: (life: Life) => void }) {
  return (
    <div className="pair">
      <label>
        From <span className="muted small">(at once if empty)</span>
        <input
          type="datetime-local"
          value={local(value.not_before)}
          onChange={(event) => onChange({ ...value, not_before: moment(event.target.value) })}
        />
      </label>
      <label>
        Until <span className="muted small">(for good if empty)</span>
        <input
          type="datetime-local"
          value={local(value.expires_at)}
          onChange={(event) => onChange({ ...value, expires_at: moment(event.target.value) })}
        />
      </label>
    </div>
  );
}

export const ALWAYS: Life = { active: true, not_before: null, expires_at: null };
