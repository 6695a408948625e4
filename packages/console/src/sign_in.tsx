// The way in: an organization, and a subject's token. The gateway has no passwords; a token comes from `postern token`
// or from an identity provider.

import { useState, type FormEvent } from "react";
import type { Session } from "./session.js";

export function SignIn({
  message,
  onChoose,
}: {
  message: string | undefined;
  onChoose: (session: Session) => void;
}) {
  const [organization, setOrganization] = useState("");
  const [token, setToken] = useState("");
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const session = { organization: organization.trim(), token: token.trim() };
    if (session.token.startsWith("postern_"))
      setWrong(
        "That is an API key. The console works in somebody's name: paste the token of a subject, which `postern token` prints.",
      );
    else if (session.organization === "" || session.token === "") setWrong("Both are needed.");
    else onChoose(session);
  };
  return (
    <main className="way-in">
      <form className="card" onSubmit={submit} noValidate>
        <p className="brand">
          <img src="/console/icon.svg" alt="" width="28" height="28" /> Postern
        </p>
        <h1>Sign in</h1>
        {(wrong ?? message) !== undefined && (
          <p className="notice bad" role="alert">
            {wrong ?? message}
          </p>
        )}
        <label>
          Organization
          <input
            value={organization}
            onChange={(event) => setOrganization(event.target.value)}
            autoComplete="organization"
            spellCheck={false}
            autoFocus
          />
        </label>
        <label>
          Token
          <textarea
            value={token}
            onChange={(event) => setToken(event.target.value)}
            rows={4}
            spellCheck={false}
            autoComplete="off"
          />
        </label>
        <p className="muted small">
          A token of a subject: <code>postern token --organization … --subject user:… --ttl 8h</code> prints
          one. It stays in this tab.
        </p>
        <button type="submit" className="button primary">
          Sign in
        </button>
      </form>
    </main>
  );
}
