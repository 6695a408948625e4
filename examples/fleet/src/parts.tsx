// Pieces that several pages use.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Permission } from "./catalog.js";
import { atSite, useApp, useLoaded } from "./context.js";
import { loadSite, type MinerState, type Site } from "./data.js";
import { STATE_LABEL } from "./format.js";
import { Icon } from "./icons.js";

/** The head of a page: its name, what it is about, and what can be done there. */
export function PageHead({
  title,
  about,
  children,
}: {
  title: string;
  about?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <header class="page-head">
      <div>
        <h1 tabIndex={-1}>{title}</h1>
        {about !== undefined && <p class="muted">{about}</p>}
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </header>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      Loading {what} …
    </div>
  );
}

export function Failed({ what, error }: { what: string; error: Error }) {
  return (
    <div class="notice warn" role="alert">
      <strong>Could not load {what}.</strong> {error.message}
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty muted">{children}</p>;
}

/** A miner's state: a word with a colour, never a colour alone. */
export function State({ state }: { state: MinerState }) {
  return <span class={`state ${state}`}>{STATE_LABEL[state]}</span>;
}

/** A share as a bar, with the words beside it elsewhere. */
export function Bar({ share }: { share: number }) {
  return (
    <span class="bar" aria-hidden="true">
      <span ref={(element) => element?.style.setProperty("inline-size", `${Math.round(share * 100)}%`)} />
    </span>
  );
}

/** A link inside the application. */
export function Go({
  to,
  children,
  class: name,
}: {
  to: string;
  children: ComponentChildren;
  class?: string;
}) {
  return (
    <a href={to} class={name}>
      {children}
    </a>
  );
}

export function Card({
  title,
  children,
  aside,
}: {
  title: string;
  children: ComponentChildren;
  aside?: ComponentChildren;
}) {
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Ids of the sites at which one of the permissions is held: what a list shows. */
export function useSiteIds(...permissions: Permission[]): string[] {
  const { postern } = useApp();
  const ids = new Set(permissions.flatMap((permission) => postern.filter(permission, "site")));
  return [...ids].sort();
}

/** The sites with their racks and miners, as far as the slice lets the person see them. */
export function useSites(...permissions: Permission[]): Site[] | Error | undefined {
  const ids = useSiteIds(...permissions);
  return useLoaded(ids.join(" "), () => Promise.all(ids.map(loadSite)));
}

/** Only what is permitted at a site, of whatever lies at sites. */
export function useAllowedAt<T>(permission: Permission, all: readonly T[], site: (item: T) => string): T[] {
  const { postern } = useApp();
  return all.filter((item) => postern.can(permission, atSite(site(item))));
}

/** Pages of a long list. Resets to the first when `key` changes. */
export function usePaging<T>(
  key: string,
  all: readonly T[],
  size: number,
): { shown: T[]; controls: ComponentChildren } {
  const [state, setState] = useState({ key, page: 0 });
  const last = Math.max(0, Math.ceil(all.length / size) - 1);
  const page = state.key === key ? Math.min(state.page, last) : 0;
  const turn = (by: number): void => setState({ key, page: Math.min(Math.max(page + by, 0), last) });
  const from = page * size;
  const controls =
    all.length <= size ? null : (
      <nav class="paging" aria-label="Pages of the list">
        <button
          type="button"
          class="button icon"
          aria-label="Previous page"
          disabled={page === 0}
          onClick={() => turn(-1)}
        >
          <Icon name="left" />
        </button>
        <span>
          {from + 1} to {Math.min(from + size, all.length)} of {all.length.toLocaleString("en")}
        </span>
        <button
          type="button"
          class="button icon"
          aria-label="Next page"
          disabled={page === last}
          onClick={() => turn(1)}
        >
          <Icon name="right" />
        </button>
      </nav>
    );
  return { shown: all.slice(from, from + size), controls };
}

/** A panel over the page. The browser's own dialog keeps the focus inside and gives it back. */
export function Drawer({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class="drawer"
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === ref.current && onClose()}
    >
      <div class="drawer-body">
        <header>
          <h2>{title}</h2>
          <button type="button" class="button icon" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
