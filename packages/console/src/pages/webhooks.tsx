// Who is told of what is written: webhooks, how their deliveries go, and what they are signed with.

import { useState } from "react";
import { useSearchParams } from "react-router";
import { Chooser } from "../chooser.js";
import { READ_AUDIT, useAny, useApp, useEvery, useLoaded, useNoWrite } from "../context.js";
import { useAsk } from "../impact.js";
import { segments } from "../interface.js";
import { Action, Await, Chip, Empty, Page, Table } from "../parts.js";
import { ShownOnce } from "../shown_once.js";
import type { Deliveries, Webhook } from "../types.js";
import { count, timeText } from "../words.js";
import { WebhookForm } from "./webhook_form.js";

export const MANAGE_WEBHOOKS = ["webhook:manage"] as const;
const AGAIN_MS = 3000;

export function Webhooks() {
  const { management, newest, say } = useApp();
  const noWrite = useNoWrite(MANAGE_WEBHOOKS);
  const [parameters, setParameters] = useSearchParams();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<string | undefined>(undefined);
  const [turn, setTurn] = useState(0);
  // What was just deleted is asked about no more, also while the list that lacks it is on its way.
  const [gone, setGone] = useState<string | undefined>(undefined);
  const again = (): void => setTurn((turn) => turn + 1);
  // Webhooks are no facts: no revision tells of them.
  useEvery(AGAIN_MS, again);
  const id = parameters.get("id") ?? undefined;
  const read = useLoaded("webhooks", `${newest} ${turn}`, (signal) =>
    management.all<Webhook>("webhooks", 5, signal),
  );
  const button = (
    <Action kind="primary" because={noWrite} onClick={() => setMaking(true)}>
      New webhook …
    </Action>
  );
  return (
    <Page title="Webhooks" about="Who is told by HTTP of what is written." actions={button}>
      <Await of={read} what="the webhooks">
        {({ items: listed, more }) => {
          const items = listed.filter((webhook) => webhook.id !== gone);
          const chosen = items.find((webhook) => webhook.id === id);
          if (items.length === 0)
            return (
              <Empty title="Nobody is told of anything">
                <p>A webhook tells an address of what is written, signed and in order, until it is taken.</p>
              </Empty>
            );
          return (
            <Chooser
              what="webhook"
              by="address or description"
              items={items}
              more={more}
              chosen={chosen?.id}
              idOf={(webhook) => webhook.id}
              textOf={({ url, description, events }) => [url, description, ...events].join(" ").toLowerCase()}
              row={(webhook) => (
                <>
                  <span>{webhook.url}</span>
                  <span className="muted small">{webhook.description || webhook.events.join(", ")}</span>
                  {!webhook.active && <Chip kind="warn">off</Chip>}
                </>
              )}
              onChoose={(webhook) => setParameters({ id: webhook.id })}
            >
              {chosen === undefined ? (
                <Empty title="Choose a webhook">
                  <p>What it hears of, and how its deliveries go, stands here.</p>
                </Empty>
              ) : (
                <One
                  key={chosen.id}
                  webhook={chosen}
                  isNew={chosen.id === made}
                  noWrite={noWrite}
                  turn={turn}
                  again={again}
                  onGone={() => {
                    setGone(chosen.id);
                    setParameters({});
                    again();
                  }}
                />
              )}
            </Chooser>
          );
        }}
      </Await>
      {making && (
        <WebhookForm
          onClose={() => setMaking(false)}
          onDone={(webhook) => {
            setMaking(false);
            setMade(webhook.id);
            setParameters({ id: webhook.id });
            again();
            say(`${webhook.url} is told from now on.`);
          }}
        />
      )}
    </Page>
  );
}

function One({
  webhook,
  isNew,
  noWrite,
  turn,
  again,
  onGone,
}: {
  webhook: Webhook;
  isNew: boolean;
  noWrite: string | undefined;
  turn: number;
  again: () => void;
  onGone: () => void;
}) {
  const { management, newest, say } = useApp();
  const [editing, setEditing] = useState(false);
  const [rotated, setRotated] = useState(0);
  const [dialog, ask] = useAsk();
  const at = `webhooks/${segments(webhook.id)}`;
  const read = useLoaded(at, `${newest} ${turn}`, (signal) =>
    management.get<Deliveries>(`${at}/deliveries`, signal),
  );
  const needsAudit = webhook.events.some((event) => event !== "revision");
  const mayHear = useAny(READ_AUDIT) || !needsAudit;
  const noChange =
    noWrite ?? (mayHear ? undefined : "Needs audit:read in the whole organization: it hears of the audit.");
  return (
    <>
      <div className="head">
        <h2>
          {webhook.url} <Chip kind={webhook.active ? "good" : "warn"}>{webhook.active ? "on" : "off"}</Chip>
        </h2>
        <div className="actions">
          <Action because={noChange} onClick={() => setEditing(true)}>
            Edit …
          </Action>
          <Action
            kind="danger"
            because={noWrite}
            onClick={() =>
              ask({
                title: `Delete the webhook to ${webhook.url}`,
                verb: "Delete",
                danger: true,
                instead: <p>It is told nothing any more, and what it was not told yet is forgotten.</p>,
                write: { method: "DELETE", path: at, etag: "*" },
                done: "The webhook is deleted.",
                onDone: onGone,
              })
            }
          >
            Delete …
          </Action>
        </div>
      </div>
      {webhook.description !== "" && <p className="muted">{webhook.description}</p>}
      <p>
        Hears of{" "}
        {webhook.events.map((event) => (event === "*" ? "everything that is written" : event)).join(", ")}.
      </p>
      <h3>Deliveries</h3>
      <Await of={read} what="how deliveries go">
        {(deliveries) => (
          <Told
            deliveries={deliveries}
            active={webhook.active}
            noWrite={noWrite}
            onRetry={() =>
              ask<{ again: number }>({
                title: `Tell ${webhook.url} once more`,
                verb: "Tell once more",
                instead: (
                  <p>
                    {count(deliveries.given_up, "event")} that {deliveries.given_up === 1 ? "was" : "were"}{" "}
                    given up and what waits is told at once.
                  </p>
                ),
                write: { method: "POST", path: `${at}/retry` },
                done: (item) => `${count(item?.again ?? 0, "event")} given up are told once more.`,
                onDone: again,
              })
            }
          />
        )}
      </Await>
      <h3>What it is signed with</h3>
      <p className="muted">Whoever receives it verifies the signature with this secret.</p>
      <ShownOnce
        key={rotated}
        what="secret"
        verb="Show the secret"
        because={noWrite}
        first={isNew || rotated > 0}
        read={async () => (await management.get<{ secret: string }>(`${at}/secret`)).secret}
      />
      <p>
        <Action
          kind="danger"
          because={noWrite}
          onClick={() =>
            ask({
              title: "Sign with another secret",
              verb: "Change the secret",
              danger: true,
              instead: (
                <p>
                  For a day the secret that there is signs as well. Give the new one to the receiver until
                  then.
                </p>
              ),
              write: { method: "POST", path: `${at}/rotate` },
              done: "There is another secret.",
              onDone: () => setRotated((times) => times + 1),
            })
          }
        >
          Change the secret …
        </Action>
      </p>
      {editing && (
        <WebhookForm
          webhook={webhook}
          onClose={() => setEditing(false)}
          onDone={() => {
            setEditing(false);
            again();
            say("Saved. It is tried again at once.");
          }}
        />
      )}
      {dialog}
    </>
  );
}

function Told({
  deliveries,
  active,
  noWrite,
  onRetry,
}: {
  deliveries: Deliveries;
  active: boolean;
  noWrite: string | undefined;
  onRetry: () => void;
}) {
  const { waiting, last_delivered_at, failing_since, attempts, last_error, next_attempt_at } = deliveries;
  const { given_up: given, dead_letters: letters } = deliveries;
  const nothing = waiting === 0 && given === 0 ? "Nothing waits, and nothing was given up." : undefined;
  return (
    <>
      <dl className="facts">
        <dt>State</dt>
        <dd>
          {!active ? (
            <Chip kind="warn">told nothing</Chip>
          ) : failing_since !== null ? (
            <Chip kind="bad">failing</Chip>
          ) : (
            <Chip kind="good">well</Chip>
          )}
        </dd>
        <dt>Last taken</dt>
        <dd>{last_delivered_at === null ? "nothing yet" : timeText(last_delivered_at)}</dd>
        <dt>Waiting</dt>
        <dd>{count(waiting, "event")}</dd>
        {failing_since !== null && (
          <>
            <dt>Failing since</dt>
            <dd>
              {timeText(failing_since)}, {count(attempts, "attempt")}
            </dd>
            <dt>Because</dt>
            <dd>{last_error ?? "unknown"}</dd>
          </>
        )}
        {next_attempt_at !== null && failing_since !== null && (
          <>
            <dt>Next attempt</dt>
            <dd>{timeText(next_attempt_at)}</dd>
          </>
        )}
      </dl>
      {letters.length > 0 && (
        <>
          <Table label="Given up" head={["Event", "Of", "Given up", "Because"]}>
            {letters.map((letter) => (
              <tr key={letter.id}>
                <th scope="row">{letter.id}</th>
                <td>{letter.type}</td>
                <td className="time">{timeText(letter.given_up_at)}</td>
                <td>{letter.error}</td>
              </tr>
            ))}
          </Table>
          {given > letters.length && (
            <p className="muted">
              These are the first {letters.length} of {given}.
            </p>
          )}
        </>
      )}
      <p>
        <Action because={noWrite ?? nothing} onClick={onRetry}>
          Tell once more …
        </Action>
      </p>
    </>
  );
}
