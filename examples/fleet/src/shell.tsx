// The frame around every page: the menu, the state of the connection, and the guard of addresses.
//
// The guard and the menu ask the same manifest, at every rendering, and every change of permissions renders.

import type { Postern, Status } from "@postern/client";
import { decide, NO_ACCESS, visible } from "@postern/client/routes";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { AppContext, type App } from "./context.js";
import { siteName } from "./data.js";
import { Icon } from "./icons.js";
import { PAGES, type PageEntry, type Section } from "./manifest.js";
import { Miners } from "./pages/miners.js";
import { ActivityLog, Curtailment } from "./pages/operations.js";
import { Dashboard } from "./pages/overview.js";
import { Racks } from "./pages/racks.js";
import { Settings } from "./pages/settings.js";
import { SiteDetail, Sites } from "./pages/sites.js";
import { Team } from "./pages/team.js";
import type { Persona } from "./session.js";
import { initials } from "./sign_in.js";

interface Props {
  postern: Postern;
  persona: Persona;
  onLeave: (message?: string) => void;
}

const SAY_MS = 7000;

export function Shell({ postern, persona, onLeave }: Props) {
  const [, render] = useState(0);
  const [said, setSaid] = useState<string | undefined>(undefined);
  const [status, setStatus] = useState<Status>(postern.status);
  const [menuOpen, setMenuOpen] = useState(false);
  const rerender = (): void => render((count) => count + 1);
  const main = useRef<HTMLElement>(null);

  const app = useMemo((): App => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return {
      postern,
      siteName,
      go: (path) => {
        history.pushState(null, "", path);
        rerender();
      },
      say: (message) => {
        clearTimeout(timer);
        setSaid(message);
        timer = setTimeout(() => setSaid(undefined), SAY_MS);
      },
    };
  }, [postern]);

  useEffect(() => {
    const stops = [
      postern.subscribe(({ cause, revision }) => {
        if (cause === "revision") app.say(`Roles have changed: revision ${revision} is in force.`);
        rerender();
      }),
      postern.onStatus((next) => {
        setStatus(next);
        if (next === "closed") onLeave(postern.error && "Your sign-in is no longer valid. Sign in again.");
      }),
    ];
    // What happened between connecting and this moment.
    setStatus(postern.status);
    addEventListener("popstate", rerender);
    return () => {
      removeEventListener("popstate", rerender);
      for (const stop of stops) stop();
    };
  }, [postern]);

  const decision = decide(PAGES, location.pathname, postern);
  const entries = visible(PAGES, postern);
  const current = "entry" in decision ? decision.entry : undefined;
  const page = "entry" in decision ? decision.entry.path : NO_ACCESS;

  // Where the guard refuses an address, it is replaced: the way back must not lead into the same refusal.
  const shownPage = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    if (!("redirect" in decision) || decision.redirect === location.pathname) return;
    const lost = shownPage.current === location.pathname;
    if (lost) app.say("You no longer have access to the page you were on.");
    else if (decision.because === "denied") app.say("You do not have access to that page.");
    history.replaceState(null, "", decision.redirect);
    rerender();
  });

  // A new page starts at its heading, for those who read it and for those who hear it.
  useEffect(() => {
    const first = shownPage.current === undefined;
    shownPage.current = location.pathname;
    document.title = current === undefined ? "No access · Fleet" : `${current.label} · Fleet`;
    setMenuOpen(false);
    if (first) return;
    main.current?.scrollTo(0, 0);
    (main.current?.querySelector("h1") ?? main.current)?.focus({ preventScroll: true });
  }, [location.pathname, page]);

  const onClick = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (link === null || !plain || link.origin !== location.origin || link.hash !== "") return;
    event.preventDefault();
    if (link.pathname !== location.pathname) app.go(link.pathname);
  };

  return (
    <AppContext.Provider value={app}>
      <div class="shell" onClick={onClick}>
        <a class="skip" href="#main">
          Skip to the page
        </a>
        <header class="top">
          <button
            type="button"
            class="button icon menu-button"
            aria-label="Menu"
            aria-expanded={menuOpen}
            aria-controls="menu"
            onClick={() => setMenuOpen(!menuOpen)}
          >
            <Icon name={menuOpen ? "close" : "menu"} />
          </button>
          <p class="brand">
            <Icon name="shield" /> Fleet
          </p>
          <Revision revision={postern.revision} status={status} />
          <div class="who">
            <span class="avatar" aria-hidden="true">
              {initials(persona.name)}
            </span>
            <span class="who-name">
              <strong>{persona.name}</strong>
              <span class="muted small">{persona.title}</span>
            </span>
            <button type="button" class="button icon" aria-label="Sign out" onClick={() => onLeave()}>
              <Icon name="out" />
            </button>
          </div>
        </header>
        <Menu entries={entries} current={current} open={menuOpen} />
        <main id="main" tabIndex={-1} ref={main}>
          {status !== "live" && status !== "connecting" && <Offline status={status} />}
          <Page decision={decision} />
        </main>
        <div class={said === undefined ? "toast" : "toast shown"} role="status">
          {said}
        </div>
      </div>
    </AppContext.Provider>
  );
}

const STATUS_WORDS: Record<Status, string> = {
  connecting: "connecting",
  live: "live",
  reconnecting: "reconnecting",
  stale: "offline",
  closed: "closed",
};

function Revision({ revision, status }: { revision: number; status: Status }) {
  return (
    <p
      class={`revision ${status}`}
      title="The revision of the organization's roles that this page decides on"
    >
      <span class="dot" aria-hidden="true" />
      <span>
        Revision <strong data-testid="revision">{revision}</strong>
      </span>
      <span class="muted" data-testid="status">
        {STATUS_WORDS[status]}
      </span>
    </p>
  );
}

function Offline({ status }: { status: Status }) {
  return (
    <p class="notice warn" role="status">
      <strong>{status === "stale" ? "You are offline." : "Reconnecting …"}</strong> The page goes on with the
      roles it last heard of. Whatever you do is checked again where it is done.
    </p>
  );
}

function Menu({
  entries,
  current,
  open,
}: {
  entries: PageEntry[];
  current: PageEntry | undefined;
  open: boolean;
}) {
  const sections = new Map<Section, PageEntry[]>();
  for (const entry of entries) sections.set(entry.section, [...(sections.get(entry.section) ?? []), entry]);
  return (
    <nav id="menu" class={open ? "menu open" : "menu"} aria-label="Main">
      {[...sections].map(([section, pages]) => (
        <div key={section}>
          <p class="section" id={`section-${section}`}>
            {section}
          </p>
          <ul aria-labelledby={`section-${section}`}>
            {pages.map((entry) => (
              <li key={entry.path}>
                <a href={entry.path} data-nav aria-current={ariaCurrent(entry, current)}>
                  <Icon name={entry.icon} />
                  {entry.label}
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
      {entries.length === 0 && <p class="muted small empty">Nothing here is open to you yet.</p>}
    </nav>
  );
}

/** `page` for the page itself, `true` for the entry above it. */
function ariaCurrent(entry: PageEntry, current: PageEntry | undefined): "page" | "true" | undefined {
  if (current === undefined) return undefined;
  if (entry.path === current.path) return "page";
  return entry.path !== "/" && current.path.startsWith(`${entry.path}/`) ? "true" : undefined;
}

function Page({ decision }: { decision: ReturnType<typeof decide<PageEntry>> }): ComponentChildren {
  if (!("entry" in decision)) return decision.redirect === NO_ACCESS ? <NoAccess /> : null;
  const { path } = decision.entry;
  if (path === "/sites/:site")
    return <SiteDetail key={decision.params["site"]} id={decision.params["site"] ?? ""} />;
  if (path.startsWith("/settings")) return <Settings path={path} />;
  switch (path) {
    case "/sites":
      return <Sites />;
    case "/racks":
      return <Racks />;
    case "/miners":
      return <Miners />;
    case "/curtailment":
      return <Curtailment />;
    case "/activity":
      return <ActivityLog />;
    case "/team":
      return <Team />;
    default:
      return <Dashboard />;
  }
}

function NoAccess() {
  return (
    <section class="no-access">
      <Icon name="lock" />
      <h1 tabIndex={-1}>No access yet</h1>
      <p class="muted">
        You are signed in, but hold no role in this organization. Ask an administrator for one: this page
        opens by itself when you have it.
      </p>
    </section>
  );
}
