// What a write would change, before it is made: asked, shown, and then written or not.

import { useEffect, useState, type ReactNode } from "react";
import { useApp } from "./context.js";
import { Refused, type Write } from "./interface.js";
import { Action, Dialog, Table, Trouble } from "./parts.js";
import { summary } from "./summary.js";
import type { Preview } from "./types.js";
import { placeText } from "./words.js";

type Stage =
  | { at: "asking" }
  | { at: "asked"; preview?: Preview }
  | { at: "refused"; error: unknown }
  | { at: "writing"; preview?: Preview };

/** Shows what a write would change, and makes it when it is confirmed. */
export function Confirm<T>({
  title,
  verb,
  danger = false,
  write,
  instead,
  onDone,
  onClose,
  onRefused,
}: {
  title: string;
  verb: string;
  danger?: boolean;
  write: Write;
  /** Said instead of a preview: of what no decision depends on, nothing is counted. */
  instead?: ReactNode;
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
    if (instead !== undefined) return setStage({ at: "asked" });
    setStage({ at: "asking" });
    management.preview(write).then((preview) => setStage({ at: "asked", preview }), refused);
  };
  useEffect(ask, []);
  const go = (): void => {
    setStage({ ...stage, at: "writing" });
    management.write<T>(write).then(onDone, refused);
  };
  const ready = stage.at === "asked" || stage.at === "writing";
  return (
    <Dialog title={title} onClose={onClose}>
      <div aria-live="polite">
        {stage.at === "asking" && <p className="muted">Counting what would change …</p>}
        {stage.at === "refused" && <Trouble error={stage.error} again={ask} />}
        {instead}
        {ready && stage.preview !== undefined && <Impact preview={stage.preview} />}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        {ready && (
          <Action
            kind={danger ? "danger" : "primary"}
            because={stage.at === "writing" ? "It is being written." : undefined}
            onClick={go}
          >
            {stage.at === "writing" ? "Writing …" : verb}
          </Action>
        )}
      </div>
    </Dialog>
  );
}

/** A write that is asked for, and what is said when it is made. */
export interface Ask<T = unknown> {
  readonly title: string;
  readonly verb: string;
  readonly danger?: boolean;
  readonly write: Write;
  readonly instead?: ReactNode;
  readonly done: string | ((item: T | undefined) => string);
  readonly onDone?: (item: T | undefined) => void;
}

/** Asks before a write, with what it would change: the dialog while there is one, and how to open it. */
export function useAsk(): [dialog: ReactNode, ask: <T>(asked: Ask<T>) => void] {
  const { say } = useApp();
  const [asked, setAsked] = useState<Ask<never> | undefined>(undefined);
  const dialog = asked !== undefined && (
    <Confirm<never>
      title={asked.title}
      verb={asked.verb}
      danger={asked.danger ?? false}
      write={asked.write}
      instead={asked.instead}
      onClose={() => setAsked(undefined)}
      onDone={({ item }) => {
        setAsked(undefined);
        asked.onDone?.(item);
        say(typeof asked.done === "string" ? asked.done : asked.done(item));
      }}
    />
  );
  return [dialog, (next) => setAsked(next as Ask<never>)];
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
