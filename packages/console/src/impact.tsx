// What a write would change, before it is made: asked, shown, and then written or not.

import { useEffect, useState } from "react";
import { useApp } from "./context.js";
import { Refused, type Write } from "./interface.js";
import { Action, Dialog, Table, Trouble } from "./parts.js";
import { summary } from "./summary.js";
import type { Preview } from "./types.js";
import { placeText } from "./words.js";

type Stage =
  | { at: "asking" }
  | { at: "asked"; preview: Preview }
  | { at: "refused"; error: unknown }
  | { at: "writing"; preview: Preview };

/** Shows what a write would change, and makes it when it is confirmed. */
export function Confirm<T>({
  title,
  verb,
  danger = false,
  write,
  onDone,
  onClose,
  onRefused,
}: {
  title: string;
  verb: string;
  danger?: boolean;
  write: Write;
  onDone: (written: { item: T | undefined; etag: string; revision: string }) => void;
  onClose: () => void;
  /** Takes a refusal over; whether it did. */
  onRefused?: (refused: Refused) => boolean;
}) {
  const { management } = useApp();
  const [stage, setStage] = useState<Stage>({ at: "asking" });
  const refused = (error: unknown): void => {
    if (error instanceof Refused && onRefused?.(error) === true) return;
    setStage({ at: "refused", error });
  };
  const ask = (): void => {
    setStage({ at: "asking" });
    management.preview(write).then((preview) => setStage({ at: "asked", preview }), refused);
  };
  useEffect(ask, []);
  const go = (preview: Preview): void => {
    setStage({ at: "writing", preview });
    management.write<T>(write).then(onDone, refused);
  };
  const preview = stage.at === "asked" || stage.at === "writing" ? stage.preview : undefined;
  return (
    <Dialog title={title} onClose={onClose}>
      <div aria-live="polite">
        {stage.at === "asking" && <p className="muted">Counting what would change …</p>}
        {stage.at === "refused" && <Trouble error={stage.error} again={ask} />}
        {preview !== undefined && <Impact preview={preview} />}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        {preview !== undefined && (
          <Action
            kind={danger ? "danger" : "primary"}
            because={stage.at === "writing" ? "It is being written." : undefined}
            onClick={() => go(preview)}
          >
            {stage.at === "writing" ? "Writing …" : verb}
          </Action>
        )}
      </div>
    </Dialog>
  );
}

/** Rows that are shown at once; the rest is counted. */
const ROWS = 200;

function Impact({ preview }: { preview: Preview }) {
  const shown = preview.changes.slice(0, ROWS);
  return (
    <>
      <p className="impact">{summary(preview)}</p>
      {shown.length > 0 && (
        <Table label="Who gains and loses what" head={["Who", "Where", "Gains", "Loses"]}>
          {shown.map((row) => (
            <tr key={`${row.subject} ${placeText(row.at)}`}>
              <th scope="row">{row.subject}</th>
              <td>{placeText(row.at)}</td>
              <td className="gained">{row.gained.join(", ")}</td>
              <td className="lost">{row.lost.join(", ")}</td>
            </tr>
          ))}
        </Table>
      )}
      {(preview.more || preview.changes.length > ROWS) && (
        <p className="muted">These are the first {shown.length}; all are counted above.</p>
      )}
    </>
  );
}
