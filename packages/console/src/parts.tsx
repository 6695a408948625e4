// What pages are made of: their frame, their states, buttons that say why they cannot be used, and dialogs.

import { useEffect, useId, useRef, type ReactNode } from "react";
import { useAny, useApp, type Loaded } from "./context.js";
import { Refused } from "./interface.js";
import { refusalText } from "./words.js";

/** What is for those who hold one of the permissions only. For others nothing of it is read. */
export function Gate({
  title,
  needs,
  children,
}: {
  title: string;
  needs: readonly string[];
  children: ReactNode;
}) {
  if (useAny(needs)) return children;
  return (
    <Page title={title} about="">
      <Denied needs={needs} />
    </Page>
  );
}

/** A page with its heading. */
export function Page({
  title,
  about,
  actions,
  children,
}: {
  title: string;
  about: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Postern`;
    // A new page begins at its heading, for those who hear it; not the first one, which begins at its top.
    if (document.activeElement !== document.body) heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [title]);
  return (
    <>
      <header className="page-head">
        <div>
          <h1 tabIndex={-1} ref={heading}>
            {title}
          </h1>
          <p className="muted">{about}</p>
        </div>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

export function Denied({ needs }: { needs: readonly string[] }) {
  return (
    <section className="state" aria-label="No access">
      <h2>You may not see this</h2>
      <p>
        It needs {needs.map((need, at) => [at > 0 && " or ", <code key={need}>{need}</code>])} in the whole
        organization. It opens by itself as soon as you hold that.
      </p>
    </section>
  );
}

/** What is read, or why it is not there. */
export function Await<T>({
  of,
  what,
  children,
}: {
  of: Loaded<T>;
  what: string;
  children: (value: T) => ReactNode;
}) {
  const { status } = useApp();
  if (of.state === "loading")
    return (
      <p className="state muted" role="status">
        Reading {what} …
      </p>
    );
  if (of.state === "refused") return <Trouble error={of.error} again={of.again} />;
  // That the gateway is away stands above the page already.
  const told = status !== "live" && of.old instanceof Refused && of.old.code === "unreachable";
  return (
    <>
      {of.old !== undefined && !told && (
        <div className="notice warn" role="status">
          <p>This may be old: {refusalText(of.old)}</p>
          <button type="button" className="button" onClick={of.again}>
            Read again
          </button>
        </div>
      )}
      {children(of.value)}
    </>
  );
}

/** A refusal, in words. */
export function Trouble({ error, again }: { error: unknown; again?: (() => void) | undefined }) {
  const needed =
    error instanceof Refused && error.code === "forbidden" ? error.members["required"] : undefined;
  if (typeof needed === "string") return <Denied needs={[needed]} />;
  return (
    <div className="notice bad" role="alert">
      <p>{refusalText(error)}</p>
      {again !== undefined && (
        <button type="button" className="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A button that stays where it is when it cannot be used, and says why. */
export function Action({
  because,
  kind = "",
  onClick,
  label,
  children,
}: {
  because: string | undefined;
  kind?: "" | "primary" | "danger" | "quiet";
  onClick: () => void;
  label?: string;
  children: ReactNode;
}) {
  const id = useId();
  if (because === undefined)
    return (
      <button type="button" className={`button ${kind}`} aria-label={label} onClick={onClick}>
        {children}
      </button>
    );
  return (
    <>
      <button
        type="button"
        className={`button ${kind}`}
        aria-label={label}
        aria-disabled="true"
        aria-describedby={id}
        title={because}
      >
        {children}
      </button>
      <span id={id} className="hidden">
        {because}
      </span>
    </>
  );
}

/** A dialog that is open while it is rendered. Escape closes it; the focus goes back to where it came from. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opened = dialog.current;
    const before = document.activeElement;
    opened?.showModal();
    return () => {
      opened?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

/** What a dialog asks for, with the ways out below it. */
export function Form({
  submit,
  onClose,
  onSubmit,
  children,
}: {
  submit: string;
  onClose: () => void;
  onSubmit: () => void;
  children: ReactNode;
}) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button primary">
          {submit}
        </button>
      </div>
    </form>
  );
}

/** One of several, all of which are named. */
export function Tabs<T extends string>({
  label,
  of,
  chosen,
  onChoose,
}: {
  label: string;
  of: readonly (readonly [T, string])[];
  chosen: T;
  onChoose: (tab: T) => void;
}) {
  return (
    <div className="tabs" role="group" aria-label={label}>
      {of.map(([tab, text]) => (
        <button
          key={tab}
          type="button"
          className="button"
          aria-pressed={tab === chosen}
          onClick={() => onChoose(tab)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

/** A table that scrolls by itself where it is too wide, also by the keyboard. */
export function Table({
  label,
  head,
  children,
}: {
  label: string;
  head: readonly string[];
  children: ReactNode;
}) {
  return (
    <div className="table" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Chip({ kind = "", children }: { kind?: "" | "good" | "bad" | "warn"; children: ReactNode }) {
  return <span className={`chip ${kind}`}>{children}</span>;
}
