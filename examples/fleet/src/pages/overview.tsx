// Dashboard: the sums over what the person may see, and what the person may do where.

import { Bar, Card, Failed, Go, Loading, PageHead, useSites } from "../parts.js";
import { atSite, useApp } from "../context.js";
import { count, hashRate, percent, power, totalsOf, totals } from "../format.js";

export function Dashboard() {
  const { postern } = useApp();
  const sites = useSites("fleet:read");
  if (sites === undefined) return <Loading what="the dashboard" />;
  if (sites instanceof Error) return <Failed what="the dashboard" error={sites} />;
  const all = totalsOf(sites);
  const everywhere = postern.actions();
  return (
    <>
      <PageHead
        title="Dashboard"
        about={
          sites.length === 1
            ? `One site: ${sites[0]?.name}`
            : `${sites.length} sites, as far as your roles let you see them`
        }
      />
      <dl class="figures">
        <Figure label="Hash rate" value={hashRate(all.hash)} />
        <Figure
          label="Miners hashing"
          value={percent(all.hashing, all.miners)}
          note={`${count(all.hashing)} of ${count(all.miners)}`}
        />
        <Figure label="Power" value={power(all.power)} />
        <Figure
          label="Efficiency"
          value={all.hash === 0 ? "–" : `${(all.power / all.hash).toFixed(1)} J/TH`}
          note="power over hash rate"
        />
      </dl>
      <div class="columns">
        <Card title="Sites" aside={<Go to="/sites">All sites</Go>}>
          <table class="list compact">
            <thead>
              <tr>
                <th scope="col">Site</th>
                <th scope="col">Hashing</th>
                <th scope="col" class="number">
                  Hash rate
                </th>
              </tr>
            </thead>
            <tbody>
              {sites.slice(0, 8).map((site) => {
                const sum = totals(site.racks);
                return (
                  <tr key={site.id}>
                    <th scope="row">
                      <Go to={`/sites/${site.id}`}>{site.name}</Go>
                    </th>
                    <td>
                      <span class="with-bar">
                        <Bar share={sum.hashing / sum.miners} />
                        {percent(sum.hashing, sum.miners)}
                      </span>
                    </td>
                    <td class="number">{hashRate(sum.hash)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Card>
        <Card title="What you may do">
          <ul class="access">
            <Held place="In the whole organization" keys={everywhere} />
            {postern
              .filter("fleet:read", "site")
              .map((id) => ({ id, keys: postern.actions(atSite(id)) }))
              .filter(({ keys }) => keys.join() !== everywhere.join())
              .map(({ id, keys }) => (
                <Held key={id} place={sites.find((site) => site.id === id)?.name ?? id} keys={keys} />
              ))}
          </ul>
          <p class="muted small">
            Decided in this page, on revision {postern.revision} of the organization's roles.
          </p>
        </Card>
      </div>
    </>
  );
}

/** How many permissions are held at a place, and how many of each area. */
function Held({ place, keys }: { place: string; keys: readonly string[] }) {
  const areas = new Map<string, number>();
  for (const key of keys) {
    const area = key.slice(0, key.indexOf(":"));
    areas.set(area, (areas.get(area) ?? 0) + 1);
  }
  return (
    <li>
      <span>{place}</span>
      <strong>{keys.length === 0 ? "nothing" : `${keys.length} permissions`}</strong>
      {areas.size > 0 && (
        <ul class="areas" aria-label={`Areas: ${place}`}>
          {[...areas].map(([area, count]) => (
            <li key={area} class="area">
              {area} <strong>{count}</strong>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Figure({ label, value, note }: { label: string; value: string; note?: string }) {
  return (
    <div class="figure">
      <dt>{label}</dt>
      <dd>
        {value}
        {note !== undefined && <span class="muted small">{note}</span>}
      </dd>
    </div>
  );
}
