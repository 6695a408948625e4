// Racks over all sites.

import { useState } from "preact/hooks";
import { Act } from "../act.js";
import { Bar, Failed, Go, Loading, PageHead, usePaging, useSites } from "../parts.js";
import { atSite, useApp } from "../context.js";
import type { Rack, Site } from "../data.js";
import { hashRate, power, totals } from "../format.js";

export function Racks() {
  const sites = useSites("rack:read");
  const [site, setSite] = useState("");
  const loaded = Array.isArray(sites) ? sites : [];
  const shown = loaded.filter((each) => site === "" || each.id === site);
  const count = shown.reduce((sum, each) => sum + each.racks.length, 0);
  return (
    <>
      <PageHead
        title="Racks"
        about={`${count} racks at ${shown.length === 1 ? "one site" : `${shown.length} sites`}`}
      />
      <div class="filters">
        <label>
          <span>Site</span>
          <select value={site} onChange={(event) => setSite(event.currentTarget.value)}>
            <option value="">All sites</option>
            {loaded.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {sites === undefined && <Loading what="racks" />}
      {sites instanceof Error && <Failed what="racks" error={sites} />}
      {Array.isArray(sites) && <RackTable sites={shown} />}
    </>
  );
}

function RackTable({ sites }: { sites: readonly Site[] }) {
  const { siteName } = useApp();
  const racks = sites.flatMap((site): Rack[] => [...site.racks]);
  const { shown, controls } = usePaging(sites.map((site) => site.id).join(), racks, 20);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of racks">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Rack</th>
              <th scope="col">Site</th>
              <th scope="col">Model</th>
              <th scope="col">Hashing</th>
              <th scope="col" class="number">
                Hash rate
              </th>
              <th scope="col" class="number">
                Power
              </th>
              <th scope="col" class="end">
                Actions
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((rack) => {
              const sum = totals([rack]);
              const where = {
                resource: { type: "rack", id: rack.id } as const,
                facts: { in: [atSite(rack.site)] },
              };
              return (
                <tr key={rack.id}>
                  <th scope="row">{rack.name}</th>
                  <td>
                    <Go to={`/sites/${rack.site}`}>{siteName(rack.site)}</Go>
                  </td>
                  <td>{rack.model}</td>
                  <td>
                    <span class="with-bar">
                      <Bar share={sum.hashing / sum.miners} />
                      {sum.hashing} of {sum.miners}
                    </span>
                  </td>
                  <td class="number">{hashRate(sum.hash)}</td>
                  <td class="number">{power(sum.power)}</td>
                  <td class="end">
                    <span class="row-actions">
                      <Act label="Edit rack" permission="rack:manage" {...where} />
                    </span>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {controls}
    </>
  );
}
