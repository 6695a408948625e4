// Settings: their own navigation, from the same manifest as the menu, and one form each.

import { holds } from "@postern/client/routes";
import { Act } from "../act.js";
import type { Permission } from "../catalog.js";
import { Card, PageHead } from "../parts.js";
import { useApp } from "../context.js";
import { SETTINGS } from "../manifest.js";

interface Field {
  readonly label: string;
  readonly value: string;
}

/** What each page shows, and what saving it needs. */
const FORMS: Record<string, { about: string; permission: Permission; fields: readonly Field[] }> = {
  "/settings/network": {
    about: "How miners are found on the sites' networks",
    permission: "site:manage",
    fields: [
      { label: "Discovery range", value: "10.20.0.0/16" },
      { label: "Name server", value: "10.20.0.2" },
    ],
  },
  "/settings/pools": {
    about: "Where miners work",
    permission: "pool:manage",
    fields: [
      { label: "Primary pool", value: "stratum2+tcp://primary.pool.example:3336" },
      { label: "Failover pool", value: "stratum2+tcp://failover.pool.example:3336" },
    ],
  },
  "/settings/firmware": {
    about: "Which firmware new miners get",
    permission: "miner:firmware_update",
    fields: [{ label: "Channel", value: "Stable, 4.2.1" }],
  },
  "/settings/nodes": {
    about: "The machines that speak to the miners",
    permission: "fleetnode:manage",
    fields: [{ label: "Nodes", value: "24 registered, 24 healthy" }],
  },
  "/settings/schedules": {
    about: "What happens at which time",
    permission: "schedule:manage",
    fields: [{ label: "Night firmware window", value: "02:00 to 04:00, site time" }],
  },
  "/settings/curtailment": {
    about: "How far and how fast power is given back",
    permission: "curtailment:manage",
    fields: [
      { label: "Ramp down within", value: "10 minutes" },
      { label: "Always keep", value: "5 % of each site" },
    ],
  },
  "/settings/alerts": {
    about: "What is worth waking somebody for",
    permission: "alert:manage",
    fields: [{ label: "Site hash rate below", value: "90 % for 15 minutes" }],
  },
  "/settings/integrations": {
    about: "Keys for other systems",
    permission: "apikey:manage",
    fields: [{ label: "Active keys", value: "3" }],
  },
  "/settings/logs": {
    about: "What the fleet server has to say",
    permission: "serverlog:read",
    fields: [{ label: "Level", value: "info" }],
  },
  "/settings/updates": {
    about: "The fleet server itself",
    permission: "instance:update",
    fields: [{ label: "Installed version", value: "2026.11.1" }],
  },
};

export function Settings({ path }: { path: string }) {
  const { postern } = useApp();
  const open = SETTINGS.filter((page) => holds(page, {}, postern));
  const current = open.find((page) => page.path === path) ?? open[0];
  if (current === undefined) return null;
  const form = FORMS[current.path];
  return (
    <>
      <PageHead title="Settings" about="For the whole organization" />
      <div class="settings">
        <nav aria-label="Settings">
          <ul>
            {open.map((page) => (
              <li key={page.path}>
                <a href={page.path} aria-current={page.path === current.path ? "page" : undefined}>
                  {page.label}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        {form !== undefined && (
          <Card title={current.label}>
            <p class="muted">{form.about}</p>
            <form onSubmit={(event) => event.preventDefault()}>
              {form.fields.map((field) => (
                <label key={`${current.path} ${field.label}`}>
                  <span>{field.label}</span>
                  <input type="text" defaultValue={field.value} readOnly={!postern.can(form.permission)} />
                </label>
              ))}
              <div class="actions">
                <Act label="Save" permission={form.permission} kind="primary" />
              </div>
            </form>
          </Card>
        )}
      </div>
    </>
  );
}
