// Writes what the example's pages show beside permissions: names, racks, miners and made-up readings.
//
// In a product these come from the product's own server, which must ask for every list and every action itself: a
// static file cannot. The build puts them beside the page, one file per site, and the page fetches the files of those
// sites only at which its slice lets the person in.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROLES } from "./catalog.mjs";
import { racks, random, SITES } from "./generate.mjs";

const MODELS = [
  { name: "Antminer S21", hash: 200, power: 3500 },
  { name: "Antminer S21 XP", hash: 270, power: 3645 },
  { name: "Whatsminer M66S", hash: 298, power: 5513 },
  { name: "Proto Rig", hash: 819, power: 11600 },
];

/** hashing 93 %, degraded 3 %, stopped 2 %, unreachable 2 % */
function state(draw) {
  if (draw < 0.93) return "hashing";
  if (draw < 0.96) return "degraded";
  return draw < 0.98 ? "stopped" : "unreachable";
}

function site({ id, name, place }, ofSite, next) {
  const filled = ofSite.map((rack) => {
    const model = MODELS[Math.floor(next() * MODELS.length)];
    return {
      id: rack.id,
      name: `${String.fromCharCode(65 + Math.floor((rack.position - 1) / 8))}${((rack.position - 1) % 8) + 1}`,
      model: model.name,
      miners: rack.miners.map((miner) => {
        const now = state(next());
        const share = now === "hashing" ? 0.94 + next() * 0.08 : now === "degraded" ? 0.5 + next() * 0.3 : 0;
        const hash = Math.round(model.hash * share);
        const power =
          now === "unreachable"
            ? 0
            : Math.round(now === "stopped" ? 35 : model.power * (0.85 + share * 0.15));
        const temperature =
          now === "unreachable" ? 0 : Math.round(now === "stopped" ? 22 + next() * 6 : 54 + next() * 18);
        return [miner, now, hash, power, temperature];
      }),
    };
  });
  return { id, name, place, racks: filled };
}

const EVENTS = [
  {
    id: "c1",
    site: "s01",
    title: "Four coincident peak",
    window: "Today, 15:30 to 18:00",
    megawatts: 18,
    state: "planned",
  },
  {
    id: "c2",
    site: "s03",
    title: "Grid emergency, level 1",
    window: "Today, 11:05, open end",
    megawatts: 9,
    state: "running",
  },
  {
    id: "c3",
    site: "s07",
    title: "Price above ceiling",
    window: "Yesterday, 17:00 to 21:00",
    megawatts: 6,
    state: "ended",
  },
  {
    id: "c4",
    site: "s18",
    title: "Winter peak agreement",
    window: "Monday, 06:00 to 09:00",
    megawatts: 22,
    state: "planned",
  },
];

const ACTIVITY = [
  { when: "11:05", who: "Grid signal", what: "started curtailment of 9 MW", where: "Juniper Flats" },
  { when: "10:41", who: "Ana Lindqvist", what: "installed firmware 4.2.1 on 40 miners", where: "Red Mesa" },
  { when: "10:12", who: "Tess Moreau", what: "downloaded logs of m01034", where: "Juniper Flats" },
  {
    when: "09:30",
    who: "Sam Okafor",
    what: "assigned Field technician to two people",
    where: "Organization",
  },
  { when: "08:58", who: "Nils Aamodt", what: "added rack C2", where: "Clearwater" },
];

const ROLE_NAMES = new Map([
  [ROLES.superAdmin.id, "Super admin"],
  [ROLES.admin.id, "Admin"],
  [ROLES.fieldTech.id, "Field technician"],
]);

function team(world, personas) {
  const names = new Map(SITES.map(({ id, name }) => [id, name]));
  const people = personas.map((persona) => ({
    subject: persona.subject,
    name: persona.name,
    roles: world.assignments
      .filter(({ subject }) => subject === persona.subject)
      .map(({ role, at }) => `${ROLE_NAMES.get(role) ?? role}${at ? `, ${names.get(at.id)}` : ""}`),
  }));
  const roles = world.roles.map(({ id, name, permissions }) => ({
    id,
    name: ROLE_NAMES.get(id) ?? name,
    builtIn: ROLE_NAMES.has(id),
    permissions: permissions.length,
    holders: new Set(world.assignments.filter(({ role }) => role === id).map(({ subject }) => subject)).size,
  }));
  const count = world.subjects.filter(({ id }) => id.startsWith("user:")).length;
  return { count, people, roles };
}

/** What is shown, by the name of its file. `world` is the parsed world document. */
export function telemetry(world, personas) {
  const next = random(3);
  const all = racks();
  const files = new Map();
  for (const place of SITES) {
    const ofSite = all.filter((rack) => rack.site === place.id);
    files.set(`site-${place.id}`, site(place, ofSite, next));
  }
  files.set("curtailment", EVENTS);
  files.set("activity", ACTIVITY);
  return files.set("team", team(world, personas));
}

/** Writes the files into `folder`. */
export function writeTelemetry(folder, world, personas) {
  mkdirSync(folder, { recursive: true });
  for (const [name, value] of telemetry(world, personas))
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(value));
}
