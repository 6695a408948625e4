// Curtailment and activity.

import { Act } from "../act.js";
import { Card, Empty, Failed, Loading, PageHead, useAllowedAt } from "../parts.js";
import { atSite, useApp, useLoaded } from "../context.js";
import { loadActivity, loadCurtailment } from "../data.js";

const EVENT_STATE = { planned: "Planned", running: "Running", ended: "Ended" } as const;

export function Curtailment() {
  const { siteName } = useApp();
  const events = useLoaded("curtailment", loadCurtailment);
  const shown = useAllowedAt("curtailment:read", Array.isArray(events) ? events : [], (event) => event.site);
  return (
    <>
      <PageHead title="Curtailment" about="When the grid needs the power more than the miners do">
        <Act label="Plan event" permission="curtailment:manage" icon="plus" kind="primary" />
      </PageHead>
      {events === undefined && <Loading what="events" />}
      {events instanceof Error && <Failed what="events" error={events} />}
      {Array.isArray(events) && shown.length === 0 && <Empty>No event at your sites.</Empty>}
      <ul class="grid wide">
        {shown.map((event) => (
          <li key={event.id} class="card event">
            <div>
              <span class={`state ${event.state}`}>{EVENT_STATE[event.state]}</span>
              <h2>{event.title}</h2>
              <p class="muted">
                {siteName(event.site)} · {event.window}
              </p>
            </div>
            <p class="big">{event.megawatts} MW</p>
            <div class="actions">
              {event.state !== "ended" && (
                <Act
                  label={event.state === "running" ? "End now" : "Cancel"}
                  permission="curtailment:manage"
                  resource={atSite(event.site)}
                />
              )}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

export function ActivityLog() {
  const { postern } = useApp();
  const entries = useLoaded("activity", loadActivity);
  return (
    <>
      <PageHead title="Activity" about="Who did what, today">
        <Act label="Alert rules" permission="alert:manage" />
      </PageHead>
      {entries === undefined && <Loading what="activity" />}
      {entries instanceof Error && <Failed what="activity" error={entries} />}
      {Array.isArray(entries) && postern.can("activity:read") && (
        <Card title="Today">
          <ol class="timeline">
            {entries.map((entry) => (
              <li key={entry.when}>
                <time>{entry.when}</time>
                <span>
                  <strong>{entry.who}</strong> {entry.what}
                </span>
                <span class="muted">{entry.where}</span>
              </li>
            ))}
          </ol>
        </Card>
      )}
    </>
  );
}
