// Who to be. An example needs no passwords; see session.ts.

import type { Persona } from "./session.js";
import { Icon } from "./icons.js";

interface Props {
  personas: Persona[] | Error | undefined;
  message: string | undefined;
  onChoose: (persona: Persona) => void;
}

export function SignIn({ personas, message, onChoose }: Props) {
  return (
    <main class="sign-in">
      <div class="sign-in-box">
        <p class="brand">
          <Icon name="shield" /> Fleet
        </p>
        <h1>Who do you want to be?</h1>
        <p class="muted">
          Five people of one mining company. Each sees the same application with other doors. Roles live in
          Postgres; change one there, and the page changes while you look at it.
        </p>
        {message !== undefined && (
          <p class="notice warn" role="alert">
            {message}
          </p>
        )}
        {personas instanceof Error && (
          <p class="notice warn" role="alert">
            There are no demo tokens beside this page. Start the example with <code>cargo xtask demo</code>,
            which writes them.
          </p>
        )}
        {Array.isArray(personas) && (
          <ul class="personas">
            {personas.map((persona) => (
              <li key={persona.subject}>
                <button type="button" class="persona" onClick={() => onChoose(persona)}>
                  <span class="avatar" aria-hidden="true">
                    {initials(persona.name)}
                  </span>
                  <span>
                    <strong>{persona.name}</strong>
                    <span class="title">{persona.title}</span>
                    <span class="muted small">{persona.about}</span>
                  </span>
                </button>
              </li>
            ))}
          </ul>
        )}
        <p class="muted small">
          Demo sign-in: the tokens lie beside this page for anybody to read. Nothing you do here reaches a
          miner.
        </p>
      </div>
    </main>
  );
}

/** Two letters for a round picture. */
export const initials = (name: string): string =>
  name
    .split(" ")
    .map((part) => part.charAt(0))
    .join("")
    .slice(0, 2);
