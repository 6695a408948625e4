// Who follows the organization at this gateway and how far they are, and every revision as it comes.

import { useState } from "react";
import { useApp, useEvery, useLoaded } from "../context.js";
import { Await, Chip, Empty, Page, Table } from "../parts.js";
import type { Place, Streams } from "../types.js";
import { count, placeText, timeText } from "../words.js";

const AGAIN_MS = 3000;

export function Edges() {
  const { management, newest, feed } = useApp();
  const [turn, setTurn] = useState(0);
  useEvery(AGAIN_MS, () => setTurn((turn) => turn + 1));
  const read = useLoaded("streams", `${newest} ${turn}`, (signal) =>
    management.get<Streams>("streams", signal),
  );
  return (
    <Page title="Edges" about="Who follows at this gateway, and every change as it comes.">
      <h2>Enforcement points</h2>
      <Await of={read} what="who follows">
        {({ items, slices }) => (
          <>
            <p>
              {count(slices, "browser")} {slices === 1 ? "follows its" : "follow their"} own slice here.
            </p>
            {items.length === 0 ? (
              <Empty title="No enforcement point follows here">
                <p>
                  <code>postern edge</code> and <code>@postern/edge</code> do, with an API key of the
                  organization.
                </p>
              </Empty>
            ) : (
              <Table label="Enforcement points" head={["Key", "Program", "Since", "Has", "Behind"]}>
                {items.map((stream) => (
                  <tr key={stream.id}>
                    <th scope="row">
                      {stream.key || stream.prefix}
                      {stream.key !== "" && <span className="muted small">{stream.prefix}…</span>}
                    </th>
                    <td>{stream.agent ?? "unknown"}</td>
                    <td className="time">{timeText(stream.since)}</td>
                    <td>{stream.sent}</td>
                    <td>
                      <Chip kind={stream.behind === "0" ? "good" : "warn"}>
                        {stream.behind === "0" ? "current" : count(Number(stream.behind), "revision")}
                      </Chip>
                    </td>
                  </tr>
                ))}
              </Table>
            )}
          </>
        )}
      </Await>
      <h2>Revisions</h2>
      {feed.length === 0 ? (
        <p className="state muted" role="status">
          Waiting for the first revision that is remembered …
        </p>
      ) : (
        <ol className="feed" aria-live="polite" aria-label="Revisions, newest first">
          {feed.map(({ revision, changes, more }) => (
            <li key={revision}>
              <strong>{revision}</strong>{" "}
              {changes.length === 0
                ? more
                  ? "everything may have changed"
                  : "nothing that a decision depends on"
                : changes
                    .slice(0, 6)
                    .map(({ relation, key }) => `${relation.replaceAll("_", " ")} of ${keyText(key)}`)
                    .join("; ")}
              {(more || changes.length > 6) && changes.length > 0 && "; and more"}
            </li>
          ))}
        </ol>
      )}
    </Page>
  );
}

const keyText = (key: string | Place): string =>
  key === null ? "anybody" : typeof key === "string" ? key : placeText(key);
