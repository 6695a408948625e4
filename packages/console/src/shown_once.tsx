// A secret on the screen: read when it is asked for, shown for a moment, and kept nowhere afterwards.

import { useEffect, useState } from "react";
import { useApp } from "./context.js";
import { Action, Trouble } from "./parts.js";

/** How long it stays. */
const SHOWN_MS = 30_000;

/**
 * A button that reads something secret and shows it until it is hidden, half a minute is over, the page is looked away
 * from, or `because` says that it may not be read any more. `first`: it is read at once.
 */
export function ShownOnce({
  what,
  verb,
  because,
  first = false,
  read,
}: {
  /** What it is called, with its article. */
  what: string;
  verb: string;
  because: string | undefined;
  first?: boolean;
  read: () => Promise<string>;
}) {
  const { say } = useApp();
  const [shown, setShown] = useState<string | undefined>(undefined);
  const [error, setError] = useState<unknown>(undefined);
  const [wanted, setWanted] = useState(first);
  const hide = (): void => {
    setShown(undefined);
    setWanted(false);
  };
  useEffect(() => {
    if (!wanted) return;
    let asked = true;
    setError(undefined);
    read().then(
      (value) => asked && setShown(value),
      (error: unknown) => {
        if (!asked) return;
        setError(error);
        setWanted(false);
      },
    );
    // An answer that comes after nobody wants it any more is dropped.
    return () => {
      asked = false;
    };
  }, [wanted]);
  useEffect(() => {
    if (shown === undefined) return;
    const timer = setTimeout(hide, SHOWN_MS);
    const away = (): void => {
      if (document.visibilityState === "hidden") hide();
    };
    document.addEventListener("visibilitychange", away);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", away);
    };
  }, [shown]);
  useEffect(() => {
    if (because !== undefined) hide();
  }, [because]);
  return (
    <>
      {error !== undefined && <Trouble error={error} />}
      {shown === undefined ? (
        <p>
          <Action
            because={because ?? (wanted ? "It is being read." : undefined)}
            onClick={() => setWanted(true)}
          >
            {verb}
          </Action>
        </p>
      ) : (
        <div className="shown-secret">
          <output aria-label={`The ${what}`}>{shown}</output>
          <div className="actions">
            <Action
              because={undefined}
              onClick={() => {
                navigator.clipboard.writeText(shown).then(
                  () => say(`The ${what} is copied.`),
                  () => say("The browser does not let this page copy. Select the text instead."),
                );
              }}
            >
              Copy
            </Action>
            <Action because={undefined} onClick={hide}>
              Hide
            </Action>
          </div>
          <p className="muted small">It is hidden again after {SHOWN_MS / 1000} seconds.</p>
        </div>
      )}
    </>
  );
}
