// Writes world.json: a mining fleet with 24 sites, 500 racks, 10,000 miners and 2,000 people.
//
// The same script always writes the same bytes (a seeded generator, no clock), and a test holds the committed file
// against it. The file has one fact per line, so a change of one fact is a change of one line.
//
//   node generate.mjs            writes world.json beside this file
//   node generate.mjs --check    exits 1 when the committed file differs

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PERMISSIONS, ROLES, TYPES } from "./catalog.mjs";

const ORGANIZATION = "0192f1c2-7a00-7000-8000-0000000000f1";
const RACKS = 500;
const MINERS_PER_RACK = 20;
const PEOPLE = 2000;

/** Sites by id: name and place. Ids are two digits so that they sort as they read. */
export const SITES = [
  ["Copper Ridge", "Odessa, Texas"],
  ["Red Mesa", "Pecos, Texas"],
  ["Juniper Flats", "Rockdale, Texas"],
  ["Cedar Bluff", "Abilene, Texas"],
  ["Prairie Wind", "Ellendale, North Dakota"],
  ["Badger Hollow", "Williston, North Dakota"],
  ["Clearwater", "Massena, New York"],
  ["Falls Landing", "Niagara Falls, New York"],
  ["Ironwood", "Midland, Pennsylvania"],
  ["Kettle Run", "Sharon, Pennsylvania"],
  ["Blue Heron", "Calvert City, Kentucky"],
  ["Tall Pines", "Dalton, Georgia"],
  ["Granite Pass", "Douglas, Wyoming"],
  ["Sweetwater", "Rock Springs, Wyoming"],
  ["Bear Lodge", "Butte, Montana"],
  ["Osprey Point", "The Dalles, Oregon"],
  ["Grand Coulee", "Wenatchee, Washington"],
  ["Saint Maurice", "Shawinigan, Quebec"],
  ["Baie Nord", "Sept-Îles, Quebec"],
  ["Hardanger", "Odda, Norway"],
  ["Nordlys", "Mo i Rana, Norway"],
  ["Norrland", "Boden, Sweden"],
  ["Reykjanes", "Keflavík, Iceland"],
  ["Alto Paraná", "Hernandarias, Paraguay"],
].map(([name, place], index) => ({ id: `s${String(index + 1).padStart(2, "0")}`, name, place }));

/** The site at which two of the personas are field technicians. */
export const PERSONA_SITE = "s03";

/** Uniform numbers in [0, 1) from a seed (splitmix-like, 32 bits): enough for a made-up fleet, not for secrets. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 4294967296;
  };
}

/** Racks with their site and miners: every site gets between 10 and 31 racks, 500 in all. */
export function racks() {
  const next = random(1);
  const counts = SITES.map(() => 10 + Math.floor(next() * 22));
  let surplus = counts.reduce((sum, count) => sum + count, 0) - RACKS;
  for (let index = 0; surplus !== 0; index = (index + 1) % counts.length) {
    const step = surplus > 0 ? -1 : 1;
    counts[index] += step;
    surplus += step;
  }
  const all = [];
  SITES.forEach((site, index) => {
    for (let position = 0; position < counts[index]; position += 1) {
      const number = all.length;
      const miners = Array.from(
        { length: MINERS_PER_RACK },
        (_, slot) => `m${String(number * MINERS_PER_RACK + slot + 1).padStart(5, "0")}`,
      );
      all.push({
        id: `r${String(number + 1).padStart(3, "0")}`,
        site: site.id,
        position: position + 1,
        miners,
      });
    }
  });
  return all;
}

function people() {
  const next = random(2);
  const pick = (list) => list[Math.floor(next() * list.length)];
  const site = () => ({ type: "site", id: pick(SITES).id });
  const here = { type: "site", id: PERSONA_SITE };
  const subjects = [
    { id: "user:sam", aliases: ["sam@fleet.example"] },
    { id: "user:ana", aliases: ["ana@fleet.example"] },
    { id: "user:nils", aliases: ["nils@fleet.example"] },
    { id: "user:tess", aliases: ["tess@fleet.example"] },
    { id: "user:noor", aliases: ["noor@fleet.example"] },
  ];
  const assignments = [
    { subject: "user:sam", role: ROLES.superAdmin.id },
    { subject: "user:ana", role: ROLES.admin.id },
    { subject: "user:nils", role: ROLES.admin.id },
    { subject: "user:nils", role: ROLES.fieldTech.id, at: here },
    { subject: "user:tess", role: ROLES.fieldTech.id, at: here },
  ];
  const memberships = [];
  for (const { id, name } of SITES) {
    subjects.push({ id: `group:crew-${id}`, attributes: { name: `${name} crew` } });
    assignments.push({ subject: `group:crew-${id}`, role: ROLES.fieldTech.id, at: { type: "site", id } });
  }
  const assign = (subject, role, rest) => assignments.push({ subject, role: role.id, ...rest });
  for (let number = 6; number <= PEOPLE; number += 1) {
    const id = `user:u${String(number).padStart(4, "0")}`;
    const fate = next();
    subjects.push(fate > 0.985 ? { id, active: false } : { id });
    if (fate < 0.002) {
      assign(id, ROLES.superAdmin);
    } else if (fate < 0.02) {
      assign(id, ROLES.admin);
    } else if (fate < 0.04) {
      assign(id, ROLES.admin);
      assign(id, next() < 0.8 ? ROLES.fieldTech : ROLES.lockedOut, { at: site() });
    } else if (fate < 0.09) {
      assign(id, ROLES.siteManager, { at: site() });
    } else if (fate < 0.11) {
      assign(id, ROLES.energyDesk);
    } else if (fate < 0.12) {
      assign(id, ROLES.auditor);
    } else if (fate < 0.17) {
      // A contractor: at one site, for one quarter of the year.
      const month = 1 + 3 * Math.floor(next() * 4);
      const day = (of) =>
        `${of > 12 ? 2028 : 2027}-${String(((of - 1) % 12) + 1).padStart(2, "0")}-01T00:00:00Z`;
      assign(id, ROLES.fieldTech, { at: site(), not_before: day(month), expires_at: day(month + 3) });
    } else if (fate < 0.6) {
      memberships.push({ subject: id, group: `group:crew-${pick(SITES).id}` });
    } else {
      // Two draws may name one site: identical assignments would count once, so the set keeps the line count honest.
      const places = new Set(Array.from({ length: 1 + Math.floor(next() * 3) }, () => pick(SITES).id));
      for (const place of places) assign(id, ROLES.fieldTech, { at: { type: "site", id: place } });
    }
  }
  return { subjects, memberships, assignments };
}

function resources() {
  const sites = SITES.map(({ id }) => ({ type: "site", id }));
  const inside = racks().map(({ id, site }) => ({ type: "rack", id, parents: [{ type: "site", id: site }] }));
  const miners = racks().flatMap((rack) =>
    rack.miners.map((id) => ({ type: "miner", id, parents: [{ type: "rack", id: rack.id }] })),
  );
  return [...sites, ...inside, ...miners];
}

/** The whole world document as text. */
export function world() {
  const list = (name, facts) =>
    `  ${JSON.stringify(name)}: [\n${facts.map((fact) => `    ${JSON.stringify(fact)}`).join(",\n")}\n  ]`;
  const map = (name, members) =>
    `    ${JSON.stringify(name)}: {\n${Object.entries(members)
      .map(([key, value]) => `      ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
      .join(",\n")}\n    }`;
  const { subjects, memberships, assignments } = people();
  return `{
  "format": "postern-world/1",
  "organization": ${JSON.stringify(ORGANIZATION)},
  "revision": 1,
  "catalog": {
${map("types", TYPES)},
${map("permissions", PERMISSIONS)}
  },
${[
  list("subjects", subjects),
  list("memberships", memberships),
  list("resources", resources()),
  list("roles", Object.values(ROLES)),
  list("assignments", assignments),
].join(",\n")},
  "grants": []
}
`;
}

/** What the product brings along for every organization (`postern serve --catalog`): the catalog, and the built-in roles. */
export function builtins() {
  const roles = [ROLES.superAdmin, ROLES.admin, ROLES.fieldTech].map((role) => ({
    id: `role:system:${role.name}`,
    name: role.name,
    // Whoever may do everything may do what a later version adds as well.
    permissions: role === ROLES.superAdmin ? ["*"] : role.permissions,
  }));
  // Beside the product's own: what the management interface asks for, so that a person can read the audit in the console.
  const audit = {
    description: "See what was changed, by whom, and what was decided",
    implied_by: ["activity:read"],
  };
  const catalog = { types: TYPES, permissions: { ...PERMISSIONS, "audit:read": audit } };
  const document = { format: "postern-world/1", organization: "builtins", revision: 1, catalog, roles };
  return `${JSON.stringify(document, null, 1)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of [
    ["world.json", world()],
    ["builtins.json", builtins()],
  ]) {
    const target = new URL(`./${name}`, import.meta.url);
    if (!process.argv.includes("--check")) {
      writeFileSync(target, text);
    } else if (readFileSync(target, "utf8") !== text) {
      console.error(`${name} is not what generate.mjs writes: run \`node generate.mjs\``);
      process.exitCode = 1;
    }
  }
}
