// The list of sites, and one site with its racks and miners.

import { useState } from "preact/hooks";
import { Act } from "../act.js";
import { Bar, Card, Failed, Go, Loading, PageHead, useSites } from "../parts.js";
import { atSite, useApp, useLoaded } from "../context.js";
import { loadSite, type Rack, type Site } from "../data.js";
import { count, hashRate, percent, power, totals } from "../format.js";
import { MinerTable } from "./miners.js";

export function Sites() {
  const sites = useSites("site:read", "rack:read", "miner:read");
  return (
    <>
      <PageHead title="Sites" about="Where your roles let you in">
        <Act label="Add site" permission="site:manage" icon="plus" kind="primary" />
      </PageHead>
      {sites === undefined && <Loading what="sites" />}
      {sites instanceof Error && <Failed what="sites" error={sites} />}
      {Array.isArray(sites) && (
        <ul class="grid">
          {sites.map((site) => (
            <SiteCard key={site.id} site={site} />
          ))}
        </ul>
      )}
    </>
  );
}

function SiteCard({ site }: { site: Site }) {
  const sum = totals(site.racks);
  return (
    <li class="card tile">
      <h2>
        <Go to={`/sites/${site.id}`} class="cover">
          {site.name}
        </Go>
      </h2>
      <p class="muted">{site.place}</p>
      <p class="with-bar">
        <Bar share={sum.hashing / sum.miners} />
        {percent(sum.hashing, sum.miners)} hashing
      </p>
      <p class="facts">
        <span>{site.racks.length} racks</span>
        <span>{count(sum.miners)} miners</span>
        <span>{hashRate(sum.hash)}</span>
      </p>
    </li>
  );
}

export function SiteDetail({ id }: { id: string }) {
  const site = useLoaded(id, () => loadSite(id));
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const { postern } = useApp();
  if (site === undefined) return <Loading what="the site" />;
  if (site instanceof Error) return <Failed what="the site" error={site} />;
  const at = atSite(id);
  const sum = totals(site.racks);
  const seesRacks = postern.can("rack:read", at);
  const seesMiners = postern.can("miner:read", at) && postern.can("fleet:read", at);
  const racks = chosen === undefined ? site.racks : site.racks.filter((rack) => rack.id === chosen);
  return (
    <>
      <nav aria-label="Breadcrumb" class="crumbs">
        <Go to="/sites">Sites</Go>
        <span aria-hidden="true">/</span>
        <span aria-current="page">{site.name}</span>
      </nav>
      <PageHead
        title={site.name}
        about={`${site.place} · ${site.racks.length} racks · ${count(sum.miners)} miners · ${power(sum.power)}`}
      >
        <Act label="Curtail" permission="curtailment:manage" resource={at} icon="bolt" />
        <Act label="Edit site" permission="site:manage" resource={at} kind="primary" />
      </PageHead>
      {seesRacks && (
        <Card
          title="Racks"
          aside={<Act label="Add rack" permission="rack:manage" resource={at} icon="plus" />}
        >
          <ul class="racks">
            {site.racks.map((rack) => (
              <RackButton
                key={rack.id}
                rack={rack}
                pressed={rack.id === chosen}
                onPress={() => setChosen(rack.id === chosen ? undefined : rack.id)}
              />
            ))}
          </ul>
        </Card>
      )}
      {seesMiners && (
        <Card title={chosen === undefined ? "Miners" : `Miners in rack ${racks[0]?.name ?? chosen}`}>
          <MinerTable racks={racks} siteColumn={false} />
        </Card>
      )}
    </>
  );
}

function RackButton({ rack, pressed, onPress }: { rack: Rack; pressed: boolean; onPress: () => void }) {
  const sum = totals([rack]);
  return (
    <li>
      <button type="button" class="rack" aria-pressed={pressed} onClick={onPress}>
        <strong>{rack.name}</strong>
        <span class="cells" aria-hidden="true">
          {rack.miners.map((miner) => (
            <span key={miner.id} class={`cell ${miner.state}`} />
          ))}
        </span>
        <span class="small muted">
          {sum.hashing} of {sum.miners} hashing
        </span>
      </button>
    </li>
  );
}
