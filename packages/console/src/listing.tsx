// A table that is searched: what was found is counted, and the first rows of it are shown.

import { useDeferredValue, useState, type ReactNode } from "react";
import { ROWS } from "./chooser.js";
import { Table } from "./parts.js";
import { count } from "./words.js";

export function Listing<T>({
  what,
  many,
  by,
  head,
  items,
  more,
  textOf,
  row,
  children,
}: {
  /** What each is called, in the singular. */
  what: string;
  /** Default: with an `s` at its end. */
  many?: string;
  /** What one finds them by. */
  by: string;
  head: readonly string[];
  items: readonly T[];
  /** There are more than were read. */
  more: boolean;
  /** Everything that it is found by. */
  textOf: (item: T) => string;
  row: (item: T) => ReactNode;
  /** Beside the search. */
  children?: ReactNode;
}) {
  const [filter, setFilter] = useState("");
  const wanted = useDeferredValue(filter.trim().toLowerCase());
  const found = items.filter((item) => textOf(item).toLowerCase().includes(wanted));
  return (
    <>
      <div className="toolbar">
        <label className="search">
          <span className="hidden">Find a {what}</span>
          <input
            type="search"
            placeholder={`Find by ${by}`}
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        </label>
        {children}
      </div>
      <p className="muted small" role="status">
        {count(found.length, what, many)}
        {found.length > ROWS && `, of which the first ${ROWS} are shown`}
        {more && "; there are more than were read"}
      </p>
      {found.length > 0 && (
        <Table label={many ?? `${what}s`} head={head}>
          {found.slice(0, ROWS).map(row)}
        </Table>
      )}
    </>
  );
}
