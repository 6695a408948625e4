// What was written, by whom, and what was decided for those who asked: both newest first.

import { useState, type ReactNode } from "react";
import { useSearchParams } from "react-router";
import { useApp, useLoaded } from "../context.js";
import { members } from "../diff.js";
import { withQuery, type Page as Part } from "../interface.js";
import { Action, Await, Chip, Empty, Page, Table, Tabs, Trouble } from "../parts.js";
import type { AuditEvent, DecisionEvent } from "../types.js";
import { placeText, timeText } from "../words.js";

export function Audit() {
  const [parameters, setParameters] = useSearchParams();
  const decisions = parameters.get("of") === "decisions";
  return (
    <Page title="Audit" about="What was written through the interface, and what was decided.">
      <Tabs
        label="Which"
        of={[
          ["writes", "Writes"],
          ["decisions", "Decisions"],
        ]}
        chosen={decisions ? "decisions" : "writes"}
        onChoose={(of) => setParameters(of === "decisions" ? { of } : {})}
      />
      {decisions ? <Decisions /> : <Writes />}
    </Page>
  );
}

function Writes() {
  const { newest } = useApp();
  return (
    <Pages<AuditEvent> path="audit" version={newest} what="the audit" empty="Nothing has been written yet">
      {(events) => (
        <Table label="Writes" head={["When", "Revision", "Who", "What", "Of what", "Changes"]}>
          {events.map((event) => (
            <tr key={event.id}>
              <td className="time">{timeText(event.occurred_at)}</td>
              <td>{event.revision}</td>
              <td>{event.actor}</td>
              <th scope="row">{event.operation}</th>
              <td className="breaks">{event.target}</td>
              <td>
                <Members of={event} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Pages>
  );
}

function Members({ of: { before, after } }: { of: AuditEvent }) {
  const changed = members(before, after);
  if (changed.length === 0) return null;
  return (
    <details>
      <summary>{changed.length === 1 ? changed[0]?.name : `${changed.length} members`}</summary>
      <dl>
        {changed.map(({ name, removed, added }) => (
          <div key={name}>
            <dt>{name}</dt>
            {removed !== undefined && (
              <dd className="lost">
                <span className="hidden">before: </span>
                {removed}
              </dd>
            )}
            {added !== undefined && (
              <dd className="gained">
                <span className="hidden">after: </span>
                {added}
              </dd>
            )}
          </div>
        ))}
      </dl>
    </details>
  );
}

function Decisions() {
  return (
    <Pages<DecisionEvent>
      path="decisions"
      version=""
      what="the decisions"
      empty="No decisions are kept"
      hint={
        <p>
          The gateway keeps them when it is started with{" "}
          <code>--decision-log all --decision-log-to database</code>. Decisions of pages and edges are made
          there.
        </p>
      }
    >
      {(events) => (
        <Table label="Decisions" head={["When", "Decision", "Who", "What", "Where", "Why", "Asked by"]}>
          {events.map((event) => (
            <tr key={event.id}>
              <td className="time">{timeText(event.decided_at)}</td>
              <td>
                <Chip kind={event.decision === "allow" ? "good" : "bad"}>{event.decision}</Chip>
              </td>
              <th scope="row">{event.subject}</th>
              <td>{event.permission}</td>
              <td>{placeText(event.resource)}</td>
              <td>{event.reason}</td>
              <td>{event.asked_by}</td>
            </tr>
          ))}
        </Table>
      )}
    </Pages>
  );
}

/** A list whose older pages are read when they are asked for. */
function Pages<T>({
  path,
  version,
  what,
  empty,
  hint,
  children,
}: {
  path: string;
  version: string;
  what: string;
  empty: string;
  hint?: ReactNode;
  children: (items: readonly T[]) => ReactNode;
}) {
  const { management } = useApp();
  const [older, setOlder] = useState<
    { of: unknown; items: readonly T[]; cursor: string | null } | undefined
  >();
  const [error, setError] = useState<unknown>(undefined);
  const first = useLoaded(path, version, (signal) =>
    management.get<Part<T>>(withQuery(path, { limit: "100" }), signal),
  );
  return (
    <Await of={first} what={what}>
      {(page) => {
        if (page.items.length === 0) return <Empty title={empty}>{hint}</Empty>;
        // Those that were read belong to the first page that they followed.
        const more = older?.of === page ? older : { of: page, items: [], cursor: page.next_cursor };
        const { cursor } = more;
        const read = (): void => {
          setError(undefined);
          if (cursor === null) return;
          management
            .get<Part<T>>(withQuery(path, { limit: "100", cursor }))
            .then(
              (next) =>
                setOlder({ of: page, items: [...more.items, ...next.items], cursor: next.next_cursor }),
              setError,
            );
        };
        return (
          <>
            {children([...page.items, ...more.items])}
            {error !== undefined && <Trouble error={error} again={read} />}
            {cursor !== null && (
              <p className="more">
                <Action because={undefined} onClick={read}>
                  Older
                </Action>
              </p>
            )}
          </>
        );
      }}
    </Await>
  );
}
