// The frame around every page: who, where, how current, and the menu of what is open to the signed-in person.

import type { Postern, Status } from "@postern/client";
import { useFreshness, usePostern } from "@postern/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { NavLink, Route, Routes } from "react-router";
import {
  AppContext,
  READ_AUDIT,
  READ_ROLES,
  READ_SCOPES,
  READ_SHARES,
  READ_SUBJECTS,
  useEvery,
  type App,
} from "./context.js";
import { Management, Refused, withQuery } from "./interface.js";
import { useOwnInvitations } from "./own_invitations.js";
import { Gate } from "./parts.js";
import { Audit } from "./pages/audit.js";
import { Edges } from "./pages/edges.js";
import { Grants } from "./pages/grants.js";
import { Invitations } from "./pages/invitations.js";
import { Members } from "./pages/members.js";
import { Presets } from "./pages/presets.js";
import { Roles } from "./pages/roles.js";
import { Scopes } from "./pages/scopes.js";
import { Why } from "./pages/why.js";
import { MANAGE_WEBHOOKS, Webhooks } from "./pages/webhooks.js";
import { Secrets, USE_SECRETS } from "./pages/secrets.js";
import { subjectOf, type Session } from "./session.js";
import type { Revision, Revisions } from "./types.js";

const SAY_MS = 6000;
/** Between looks for new revisions. */
const FEED_MS = 2000;
/** Revisions that are shown. */
const FEED_MAX = 50;

const PAGES = [
  { path: "/", label: "Members", needs: READ_SUBJECTS, page: <Members /> },
  { path: "/roles", label: "Roles", needs: READ_ROLES, page: <Roles /> },
  { path: "/scopes", label: "Scopes", needs: READ_SCOPES, page: <Scopes /> },
  { path: "/presets", label: "Presets", needs: READ_ROLES, page: <Presets /> },
  { path: "/grants", label: "Grants", needs: READ_SHARES, page: <Grants /> },
  { path: "/invitations", label: "Invitations", needs: READ_ROLES, page: undefined },
  { path: "/secrets", label: "Secrets", needs: USE_SECRETS, page: <Secrets /> },
  { path: "/webhooks", label: "Webhooks", needs: MANAGE_WEBHOOKS, page: <Webhooks /> },
  { path: "/why", label: "Why", needs: READ_ROLES, page: <Why /> },
  { path: "/audit", label: "Audit", needs: READ_AUDIT, page: <Audit /> },
  { path: "/edges", label: "Edges", needs: READ_ROLES, page: <Edges /> },
] as const;

export function Shell({
  session,
  postern,
  onLeave,
}: {
  session: Session;
  postern: Postern;
  onLeave: (message?: string) => void;
}) {
  const management = useMemo(() => new Management(session), [session]);
  const subject = useMemo(() => subjectOf(session.token), [session]);
  const [status, setStatus] = useState<Status>(postern.status);
  const [said, setSaid] = useState("");
  const permissions = usePostern();
  const { newest, feed } = useFeed(
    management,
    READ_ROLES.some((key) => permissions.can(key)),
  );

  useEffect(() => {
    const stop = postern.onStatus((next) => {
      setStatus(next);
      if (next === "closed") onLeave(postern.error && "Your sign-in is no longer good. Sign in again.");
    });
    setStatus(postern.status);
    return stop;
  }, [postern]);

  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => setSaid(""), SAY_MS);
    return () => clearTimeout(timer);
  }, [said]);

  const app: App = { session, subject, management, status, newest, feed, say: setSaid };
  const { own, again } = useOwnInvitations(management, subject, permissions.revision);
  const invitations = <Invitations own={own} again={again} />;
  // Who is invited answers, whatever they hold.
  const open = PAGES.filter(
    ({ needs, page }) =>
      needs.some((need) => permissions.can(need)) || (page === undefined && own.length > 0),
  );
  return (
    <AppContext.Provider value={app}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <p className="brand">
          <img src="/console/icon.svg" alt="" width="24" height="24" /> Postern
        </p>
        <p className="organization" title="Organization">
          {session.organization}
        </p>
        <Currency newest={newest} status={status} />
        <p className="who" title="Signed in as">
          {subject}
        </p>
        <button type="button" className="button quiet" onClick={() => onLeave()}>
          Sign out
        </button>
      </header>
      <nav className="menu" aria-label="Main">
        {open.map(({ path, label }) => (
          <NavLink key={path} to={path} end>
            {label}
          </NavLink>
        ))}
        {open.length === 0 && <p className="muted small">Nothing here is open to you yet.</p>}
      </nav>
      <main id="main" tabIndex={-1}>
        {(status === "reconnecting" || status === "stale") && (
          <p className="notice warn" role="status">
            <strong>The gateway cannot be reached.</strong> You see what was last read. Nothing can be changed
            until it answers.
          </p>
        )}
        <Routes>
          {PAGES.map(({ path, label, needs, page }) => (
            <Route
              key={path}
              path={path}
              element={
                page === undefined && own.length > 0 ? (
                  invitations
                ) : (
                  <Gate title={label} needs={needs}>
                    {page ?? invitations}
                  </Gate>
                )
              }
            />
          ))}
          <Route path="*" element={<Nowhere />} />
        </Routes>
      </main>
      <div className={said === "" ? "toast" : "toast shown"} role="status">
        {said}
      </div>
    </AppContext.Provider>
  );
}

const WORDS: Record<Status, string> = {
  connecting: "connecting",
  live: "live",
  reconnecting: "reconnecting",
  stale: "offline",
  closed: "closed",
};

function Currency({ newest, status }: { newest: string; status: Status }) {
  const permissions = usePostern();
  const { fresh } = useFreshness();
  const state = status === "live" && !fresh ? "stale" : WORDS[status];
  return (
    <p className={`currency ${state}`}>
      <span className="dot" aria-hidden="true" />
      <span>
        Revision <strong data-testid="revision">{newest === "" ? permissions.revision : newest}</strong>
      </span>
      <span className="muted" data-testid="status">
        {state}
      </span>
    </p>
  );
}

/** The newest revisions, asked for while the page is looked at. */
function useFeed(management: Management, may: boolean): { newest: string; feed: readonly Revision[] } {
  const [known, setKnown] = useState<{ newest: string; feed: readonly Revision[] }>({ newest: "", feed: [] });
  const asking = useRef(false);
  const ask = (): void => {
    if (!may || asking.current) return;
    asking.current = true;
    read(management, known.newest)
      .then((news) => {
        if (news === undefined) return;
        setKnown((before) => ({
          newest: news.newest,
          feed: [...news.items]
            .reverse()
            .concat(news.again ? [] : before.feed)
            .slice(0, FEED_MAX),
        }));
      })
      .finally(() => {
        asking.current = false;
      });
  };
  useEffect(ask, [may]);
  useEvery(FEED_MS, ask);
  return known;
}

/** What came after a revision; at first, and where that is forgotten, the newest ones. `undefined`: nothing new, or no answer. */
async function read(
  management: Management,
  after: string,
): Promise<(Revisions & { again: boolean }) | undefined> {
  try {
    if (after !== "") {
      const news = await management.get<Revisions>(withQuery("revisions", { after, limit: "500" }));
      return news.items.length === 0 ? undefined : { ...news, newest: last(news), again: false };
    }
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "revisions_forgotten") return undefined;
  }
  try {
    const { revision } = await management.get<{ revision: string }>("");
    const first = String(Math.max(Number(revision) - FEED_MAX, 0));
    const news = await management.get<Revisions>(withQuery("revisions", { after: first, limit: "500" }));
    return { ...news, newest: last(news) || revision, again: true };
  } catch {
    return undefined;
  }
}

const last = (news: Revisions): string => news.items.at(-1)?.revision ?? "";

function Nowhere() {
  return (
    <div className="state">
      <h1>There is no such page</h1>
      <p>
        <NavLink to="/">To the members</NavLink>
      </p>
    </div>
  );
}
