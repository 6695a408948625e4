// A webhook, new or changed: where it is told, and of what.

import { useState } from "react";
import { READ_AUDIT, useAny, useApp, useLoaded } from "../context.js";
import { segments } from "../interface.js";
import { Dialog, Form, Trouble } from "../parts.js";
import type { Webhook } from "../types.js";

/** What webhooks may hear of, with what that is. */
const EVENTS = [
  ["revision", "there is a new revision"],
  ["*", "everything below"],
  ["role", "roles"],
  ["role_alias", "former ids of roles"],
  ["assignment", "who is assigned which role"],
  ["subject", "people, services and groups"],
  ["membership", "who is in which group"],
  ["resource", "resources"],
  ["edge", "which resource lies below which"],
  ["scope", "scopes"],
  ["preset", "presets"],
  ["grant", "grants and exclusions"],
  ["share", "shares"],
  ["invitation", "invitations"],
  ["secret", "secrets, without their values and readings"],
  ["webhook", "webhooks"],
  ["organization", "the organization"],
] as const;

export function WebhookForm({
  webhook,
  onClose,
  onDone,
}: {
  webhook?: Webhook;
  onClose: () => void;
  onDone: (webhook: Webhook) => void;
}) {
  const { management } = useApp();
  const hears = useAny(READ_AUDIT);
  const [url, setUrl] = useState(webhook?.url ?? "");
  const [description, setDescription] = useState(webhook?.description ?? "");
  const [events, setEvents] = useState<readonly string[]>(webhook?.events ?? ["revision"]);
  const [active, setActive] = useState(webhook?.active ?? true);
  const [error, setError] = useState<unknown>(undefined);
  const at = webhook === undefined ? "webhooks" : `webhooks/${segments(webhook.id)}`;
  // The tag of what is edited: what somebody else saves meanwhile is not written over.
  const read = useLoaded(at, "", async (signal) =>
    webhook === undefined ? "" : (await management.tagged<Webhook>(at, signal)).etag,
  );
  const submit = (): void => {
    if (events.length === 0) return setError(new Error("Choose what it hears of."));
    if (read.state !== "ready") return;
    const body = { url: url.trim(), description: description.trim(), events, active };
    management
      .write<Webhook>(
        webhook === undefined
          ? { method: "POST", path: at, body }
          : { method: "PUT", path: at, body, etag: read.value },
      )
      .then(({ item }) => item !== undefined && onDone(item), setError);
  };
  return (
    <Dialog title={webhook === undefined ? "New webhook" : "Edit the webhook"} onClose={onClose}>
      <Form submit={webhook === undefined ? "Make it" : "Save"} onClose={onClose} onSubmit={submit}>
        <label>
          Address
          <input
            type="url"
            value={url}
            onChange={(event) => setUrl(event.target.value)}
            placeholder="https://hooks.example.com/postern"
            maxLength={2048}
            spellCheck={false}
            required
            autoFocus
          />
        </label>
        <label>
          Description
          <input
            value={description}
            onChange={(event) => setDescription(event.target.value)}
            maxLength={2048}
          />
        </label>
        <fieldset>
          <legend>It hears of</legend>
          {!hears && (
            <p className="muted small">All but new revisions needs audit:read in the whole organization.</p>
          )}
          <ul className="choices columns" aria-label="What it hears of">
            {EVENTS.map(([event, about]) => {
              const by = event !== "revision" && event !== "*" && events.includes("*");
              return (
                <li key={event}>
                  <label className="choice">
                    <input
                      type="checkbox"
                      checked={events.includes(event) || by}
                      disabled={by || (!hears && event !== "revision")}
                      onChange={() =>
                        setEvents(
                          events.includes(event)
                            ? events.filter((other) => other !== event)
                            : [...events, event],
                        )
                      }
                    />
                    <span>
                      <code>{event}</code> <span className="muted small">{about}</span>
                    </span>
                  </label>
                </li>
              );
            })}
          </ul>
        </fieldset>
        <label className="choice">
          <input type="checkbox" checked={active} onChange={(event) => setActive(event.target.checked)} />
          <span>It is told (on)</span>
        </label>
        {error !== undefined && <Trouble error={error} />}
      </Form>
    </Dialog>
  );
}
