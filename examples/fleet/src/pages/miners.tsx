// Miners: the list over all sites, the table that a site's page shows too, and one miner with all its actions.

import type { Resource } from "@postern/client";
import { useState } from "preact/hooks";
import { Act } from "../act.js";
import type { Permission } from "../catalog.js";
import { Drawer, Failed, Loading, PageHead, State, usePaging, useSites } from "../parts.js";
import { atSite, useApp } from "../context.js";
import type { Miner, Rack } from "../data.js";
import { count, hashRate, power } from "../format.js";
import { Icon } from "../icons.js";

interface Row {
  readonly miner: Miner;
  readonly rack: Rack;
}

export function Miners() {
  const { siteName } = useApp();
  const sites = useSites("miner:read");
  const [site, setSite] = useState("");
  const [search, setSearch] = useState("");
  const loaded = Array.isArray(sites) ? sites : [];
  const racks = loaded.filter((each) => site === "" || each.id === site).flatMap((each) => each.racks);
  return (
    <>
      <PageHead
        title="Miners"
        about={`${count(racks.reduce((sum, rack) => sum + rack.miners.length, 0))} that you may see`}
      >
        <Act label="Export" permission="miner:export_csv" icon="file" />
        <Act label="Pair miner" permission="miner:pair" icon="plus" kind="primary" />
      </PageHead>
      <div class="filters" role="search">
        <label>
          <span>Search</span>
          <input
            type="search"
            value={search}
            placeholder="Miner or rack"
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
        <label>
          <span>Site</span>
          <select value={site} onChange={(event) => setSite(event.currentTarget.value)}>
            <option value="">All sites</option>
            {loaded.map((each) => (
              <option key={each.id} value={each.id}>
                {siteName(each.id)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {sites === undefined && <Loading what="miners" />}
      {sites instanceof Error && <Failed what="miners" error={sites} />}
      {Array.isArray(sites) && <MinerTable racks={racks} search={search} siteColumn />}
    </>
  );
}

export function MinerTable({
  racks,
  siteColumn,
  search = "",
}: {
  racks: readonly Rack[];
  siteColumn: boolean;
  search?: string;
}) {
  const { siteName } = useApp();
  const [open, setOpen] = useState<Row | undefined>(undefined);
  const wanted = search.trim().toLowerCase();
  const rows = racks
    .flatMap((rack): Row[] => rack.miners.map((miner) => ({ miner, rack })))
    .filter(
      ({ miner, rack }) => wanted === "" || miner.id.includes(wanted) || rack.name.toLowerCase() === wanted,
    );
  const { shown, controls } = usePaging(`${racks.map((rack) => rack.id).join()}/${wanted}`, rows, 20);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of miners">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Miner</th>
              <th scope="col">State</th>
              {siteColumn && <th scope="col">Site</th>}
              <th scope="col">Rack</th>
              <th scope="col">Model</th>
              <th scope="col" class="number">
                Hash rate
              </th>
              <th scope="col" class="number">
                Power
              </th>
              <th scope="col" class="number">
                Temp.
              </th>
              <th scope="col" class="end">
                Actions
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.miner.id}>
                <th scope="row">{row.miner.id}</th>
                <td>
                  <State state={row.miner.state} />
                </td>
                {siteColumn && <td>{siteName(row.rack.site)}</td>}
                <td>{row.rack.name}</td>
                <td>{row.rack.model}</td>
                <td class="number">{hashRate(row.miner.hash)}</td>
                <td class="number">{power(row.miner.power)}</td>
                <td class="number">{row.miner.temperature === 0 ? "–" : `${row.miner.temperature} °C`}</td>
                <td class="end">
                  <RowActions row={row} onOpen={() => setOpen(row)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="empty muted">No miner matches.</p>}
      </div>
      {controls}
      {open !== undefined && <MinerDrawer row={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

/** A miner is no scope: the slice does not list it, so the question says at which site it is. */
const whereabouts = ({ miner, rack }: Row): { resource: Resource; facts: { in: Resource[] } } => ({
  resource: { type: "miner", id: miner.id },
  facts: { in: [atSite(rack.site)] },
});

function RowActions({ row, onOpen }: { row: Row; onOpen: () => void }) {
  const where = whereabouts(row);
  return (
    <span class="row-actions">
      <Act label="Blink light" permission="miner:blink_led" icon="bulb" kind="icon" {...where} />
      <Act label="Download logs" permission="miner:download_logs" icon="file" kind="icon" {...where} />
      <Act label="Reboot" permission="miner:reboot" icon="restart" kind="icon" {...where} />
      <button
        type="button"
        class="button icon"
        aria-label={`All actions for ${row.miner.id}`}
        onClick={onOpen}
      >
        <Icon name="more" />
      </button>
    </span>
  );
}

const GROUPS: readonly (readonly [string, readonly (readonly [string, Permission])[]])[] = [
  [
    "On the floor",
    [
      ["Blink light", "miner:blink_led"],
      ["Download logs", "miner:download_logs"],
    ],
  ],
  [
    "Operation",
    [
      ["Reboot", "miner:reboot"],
      ["Start mining", "miner:start_mining"],
      ["Stop mining", "miner:stop_mining"],
      ["Set power target", "miner:set_power_target"],
      ["Set cooling mode", "miner:set_cooling_mode"],
    ],
  ],
  [
    "Configuration",
    [
      ["Rename", "miner:rename"],
      ["Change pools", "miner:update_pools"],
      ["Change worker name", "miner:update_worker_names"],
      ["Install firmware", "miner:firmware_update"],
      ["Change password", "miner:update_password"],
    ],
  ],
  [
    "Inventory",
    [
      ["Unpair", "miner:unpair"],
      ["Delete", "miner:delete"],
    ],
  ],
];

function MinerDrawer({ row, onClose }: { row: Row; onClose: () => void }) {
  const { siteName } = useApp();
  const where = whereabouts(row);
  return (
    <Drawer title={row.miner.id} onClose={onClose}>
      <p class="muted">
        {row.rack.model} in rack {row.rack.name}, {siteName(row.rack.site)}
      </p>
      <dl class="pairs">
        <dt>State</dt>
        <dd>
          <State state={row.miner.state} />
        </dd>
        <dt>Hash rate</dt>
        <dd>{hashRate(row.miner.hash)}</dd>
        <dt>Power</dt>
        <dd>{power(row.miner.power)}</dd>
      </dl>
      {GROUPS.map(([title, actions]) => (
        <section key={title}>
          <h3>{title}</h3>
          <div class="stack">
            {actions.map(([label, permission]) => (
              <Act key={permission} label={label} permission={permission} {...where} />
            ))}
          </div>
        </section>
      ))}
    </Drawer>
  );
}
