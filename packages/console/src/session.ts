// Who is signed in, for this tab only: an organization and a subject's token, pasted or given in the fragment.

export interface Session {
  readonly organization: string;
  readonly token: string;
}

const KEY = "postern-console-session";

/** What `#token=…&organization=…` says; a fragment without both says nothing. */
export function fromFragment(fragment: string): Session | undefined {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const [organization, token] = [given.get("organization")?.trim(), given.get("token")?.trim()];
  return organization && token ? { organization, token } : undefined;
}

/** The session of this tab. A token in the address is taken out of it at once, so that nobody copies it. */
export function begin(): Session | undefined {
  const given = fromFragment(location.hash);
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  if (given !== undefined) keep(given);
  return given ?? kept();
}

export function keep(session: Session): void {
  sessionStorage.setItem(KEY, JSON.stringify(session));
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}

function kept(): Session | undefined {
  try {
    const session = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Partial<Session> | null;
    if (typeof session?.organization === "string" && typeof session.token === "string")
      return { organization: session.organization, token: session.token };
  } catch {
    // What somebody else wrote there is no session.
  }
  return undefined;
}

/** The subject that a token names. It is only shown: whether the token is good is the gateway's to say. */
export function subjectOf(token: string): string {
  try {
    const body = token.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(body.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof claims.sub === "string" ? claims.sub : "";
  } catch {
    return "";
  }
}
