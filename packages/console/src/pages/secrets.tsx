// Secrets: what is told of them, and who reads them. A value is read when somebody asks for it, and kept nowhere.

import { useState } from "react";
import { useSearchParams } from "react-router";
import { Chooser } from "../chooser.js";
import { useApp, useEvery, useLoaded, useNoWrite } from "../context.js";
import { useAsk } from "../impact.js";
import { Refused, withQuery } from "../interface.js";
import { Action, Await, Chip, Empty, Page } from "../parts.js";
import type { Secret } from "../types.js";
import { deadBecause } from "../words.js";
import { SecretForm } from "./secret_form.js";
import { OneSecret } from "./secret.js";

/** One of these opens the page; what it lists is decided secret by secret. */
export const USE_SECRETS = ["secret:create", "secret:describe", "secret:read", "secret:manage"] as const;
/** What expires does so without a revision. */
const AGAIN_MS = 15_000;

export function Secrets() {
  const { management, newest } = useApp();
  const noNew = useNoWrite(["secret:create"]);
  const [parameters, setParameters] = useSearchParams();
  const [making, setMaking] = useState(false);
  const [turn, setTurn] = useState(0);
  // What was just deleted is asked about no more, also while the list that lacks it is on its way.
  const [gone, setGone] = useState<string | undefined>(undefined);
  const [dialog, ask] = useAsk();
  const again = (): void => setTurn((turn) => turn + 1);
  useEvery(AGAIN_MS, again);
  const [id, session] = [parameters.get("id") ?? undefined, parameters.get("session") ?? ""];
  const read = useLoaded(`secrets ${session}`, `${newest} ${turn}`, async (signal) => {
    try {
      const path = withQuery("secrets", { session: session === "" ? undefined : session });
      return { vault: true, ...(await management.all<Secret>(path, 10, signal)) };
    } catch (error) {
      if (error instanceof Refused && error.code === "no_vault")
        return { vault: false, items: [], more: false };
      throw error;
    }
  });
  const open = (secret: string): void =>
    setParameters({ id: secret, ...(session === "" ? {} : { session }) });
  return (
    <Page
      title="Secrets"
      about="What the vault keeps, and who reads it."
      actions={
        <Action kind="primary" because={noNew} onClick={() => setMaking(true)}>
          New secret …
        </Action>
      }
    >
      <InSession session={session} onChoose={(session) => setParameters(session === "" ? {} : { session })} />
      <Await of={read} what="the secrets">
        {({ vault, items: listed, more }) => {
          const items = listed.filter((secret) => secret.id !== gone);
          const chosen = items.find((secret) => secret.id === id);
          if (!vault)
            return (
              <Empty title="This gateway keeps no secrets">
                <p>
                  It has a vault when it is started with <code>--vault-keys</code>.
                </p>
              </Empty>
            );
          if (items.length === 0)
            return (
              <Empty title="No secret is open to you">
                <p>
                  Those stand here that you made, that you may read or describe, and that are shared with you.
                </p>
              </Empty>
            );
          return (
            <Chooser
              what="secret"
              by="name, kind, owner or description"
              items={items}
              more={more}
              chosen={chosen?.id}
              idOf={(secret) => secret.id}
              textOf={({ name, kind, owner, description }) =>
                [name, kind, owner, description].join(" ").toLowerCase()
              }
              row={(secret) => (
                <>
                  <span>{secret.name}</span>
                  <span className="muted small">
                    {[secret.kind, secret.owner].filter(Boolean).join(" · ")}
                  </span>
                  <SecretState of={secret} />
                </>
              )}
              onChoose={(secret) => open(secret.id)}
            >
              {chosen === undefined ? (
                <Empty title="Choose a secret">
                  <p>Who reads it, and what was done with it, stands here.</p>
                </Empty>
              ) : (
                <OneSecret
                  key={`${chosen.id} ${session}`}
                  secret={chosen}
                  session={session}
                  again={again}
                  onGone={() => {
                    setGone(chosen.id);
                    again();
                  }}
                />
              )}
            </Chooser>
          );
        }}
      </Await>
      {making && (
        <SecretForm
          onClose={() => setMaking(false)}
          onChoose={(body) => {
            setMaking(false);
            ask<Secret>({
              title: `Keep ${body.name}`,
              verb: "Keep it",
              write: { method: "POST", path: "secrets", body },
              done: `${body.name} is kept.`,
              onDone: (secret) => {
                if (secret !== undefined) open(secret.id);
                again();
              },
            });
          }}
        />
      )}
      {dialog}
    </Page>
  );
}

export function SecretState({ of }: { of: Secret }) {
  const dead = deadBecause(of, Date.now());
  return dead === undefined ? null : <Chip kind="warn">{dead}</Chip>;
}

/** In which session one looks: some secrets are read by who takes part in one, and there only. */
function InSession({ session, onChoose }: { session: string; onChoose: (session: string) => void }) {
  const [text, setText] = useState(session);
  return (
    <form
      className="question"
      onSubmit={(event) => {
        event.preventDefault();
        onChoose(text.trim());
      }}
    >
      <label>
        In the session
        <input
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="none"
          spellCheck={false}
          autoComplete="off"
        />
      </label>
      <button type="submit" className="button">
        Look there
      </button>
    </form>
  );
}
