// A list to search and choose from, and what was chosen beside it.

import { useDeferredValue, useState, type ReactNode } from "react";
import { count } from "./words.js";

/** Rows that are shown at once. */
export const ROWS = 200;

export function Chooser<T>({
  what,
  by,
  items,
  more,
  chosen,
  idOf,
  textOf,
  row,
  onChoose,
  children,
}: {
  /** What each is called, in the singular. */
  what: string;
  /** What one finds them by. */
  by: string;
  items: readonly T[];
  /** There are more than were read. */
  more: boolean;
  /** The id of what is chosen; `undefined`: nothing is. */
  chosen: string | undefined;
  idOf: (item: T) => string;
  /** Everything that it is found by, in lower case. */
  textOf: (item: T) => string;
  row: (item: T) => ReactNode;
  onChoose: (item: T) => void;
  children: ReactNode;
}) {
  const [filter, setFilter] = useState("");
  const wanted = useDeferredValue(filter.trim().toLowerCase());
  const found = items.filter((item) => textOf(item).includes(wanted));
  return (
    <div className={chosen === undefined ? "split" : "split open"}>
      <section aria-label={`List of ${what}s`}>
        <label className="search">
          <span className="hidden">Find a {what}</span>
          <input
            type="search"
            placeholder={`Find by ${by}`}
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        </label>
        <p className="muted small" role="status">
          {count(found.length, what)}
          {found.length > ROWS && `, of which the first ${ROWS} are shown`}
          {more && "; there are more than were read"}
        </p>
        <ul className="list">
          {found.slice(0, ROWS).map((item) => (
            <li key={idOf(item)}>
              <button
                type="button"
                aria-current={idOf(item) === chosen ? "true" : undefined}
                onClick={() => onChoose(item)}
              >
                {row(item)}
              </button>
            </li>
          ))}
        </ul>
      </section>
      <section aria-label={`Chosen ${what}`}>{children}</section>
    </div>
  );
}
