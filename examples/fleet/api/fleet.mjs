// The fleet, as the API holds it: sites, racks, miners with made-up readings, and curtailment events. Who may see or do
// what is not said here.

import { readFileSync } from "node:fs";
import { telemetry } from "../telemetry.mjs";

const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));

/** Everything that there is, by id. */
export function fleet() {
  const files = telemetry(read("world.json"), read("personas.json"));
  const [sites, racks, miners] = [new Map(), new Map(), new Map()];
  for (const [name, site] of files) {
    if (!name.startsWith("site-")) continue;
    sites.set(site.id, { id: site.id, name: site.name, place: site.place });
    for (const { miners: inRack, ...rack } of site.racks) {
      racks.set(rack.id, { ...rack, site: site.id });
      for (const [id, state, hash, power, temperature] of inRack)
        miners.set(id, {
          id,
          rack: rack.id,
          site: site.id,
          state,
          hash,
          power,
          temperature,
          firmware: "4.2.0",
        });
    }
  }
  // An event may be about several sites.
  const events = files.get("curtailment").map(({ site, ...event }) => ({ ...event, sites: [site] }));
  events.push({
    id: "c5",
    sites: ["s03", "s07"],
    title: "Ring main maintenance",
    window: "Thursday, 08:00 to 12:00",
    megawatts: 15,
    state: "planned",
  });
  return { sites, racks, miners, events, team: files.get("team") };
}
