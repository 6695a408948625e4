// The permission catalog and the three built-in roles of a mining fleet: data, no logic but the pairing rule.

/** Every grantable key with one sentence for the people who compose roles, in the order of the role editor. */
const DESCRIPTIONS = {
  "fleet:read": "See the dashboard, the miner list and telemetry",
  "miner:read": "See one miner: status, errors, configuration",
  "miner:blink_led": "Blink the light of a miner to find it on the floor",
  "miner:reboot": "Restart a miner",
  "miner:start_mining": "Start hashing",
  "miner:stop_mining": "Stop hashing",
  "miner:update_pools": "Change the pools that a miner works for",
  "miner:update_worker_names": "Change the worker name that a miner reports to its pools",
  "miner:rename": "Change the display name of a miner",
  "miner:delete": "Remove a miner from the inventory",
  "miner:set_cooling_mode": "Choose the cooling mode of a miner",
  "miner:set_power_target": "Set the power that a miner may draw",
  "miner:firmware_update": "Install firmware on a miner",
  "miner:download_logs": "Download the logs of a miner",
  "miner:update_password": "Change the password of a miner's own interface",
  "miner:unpair": "Release a miner from this fleet",
  "miner:pair": "Take a discovered miner into this fleet",
  "miner:export_csv": "Export the miner list as a file",
  "rack:read": "See racks and what stands in them",
  "rack:manage": "Create, change and remove racks, and place miners in them",
  "site:read": "See sites and buildings",
  "site:manage": "Create, change and remove sites and buildings",
  "serverlog:read": "Read the logs of the fleet server",
  "curtailment:read": "See curtailment events and their state",
  "curtailment:manage": "Plan, start and end curtailment",
  "curtailment:ingest": "Feed curtailment signals from a grid operator",
  "fleetnode:read": "See fleet nodes and their health",
  "fleetnode:manage": "Register, change and remove fleet nodes",
  "apikey:manage": "Create and revoke API keys",
  "user:read": "See the people of the organization",
  "user:manage": "Invite, change and deactivate people",
  "role:manage": "Compose roles and assign them",
  "pool:read": "See pool configurations",
  "pool:manage": "Change pool configurations",
  "schedule:read": "See schedules",
  "schedule:manage": "Create and change schedules",
  "activity:read": "See who did what",
  "alert:read": "See alerts and their state",
  "alert:manage": "Change alert rules and their channels",
  "instance:update": "Update the fleet server itself",
};

/** The keys in catalog order. */
export const KEYS = Object.keys(DESCRIPTIONS);

/**
 * The read keys that a role must hold beside `key`: its own group's read key where that exists, and for every
 * miner action the fleet's as well, because a miner is found through the fleet list.
 */
function requires(key) {
  const group = key.slice(0, key.indexOf(":"));
  const read = `${group}:read`;
  if (key === read) return [];
  const needed = KEYS.includes(read) ? [read] : [];
  if (group === "miner") needed.push("fleet:read");
  return needed;
}

/** The catalog's `permissions` member. */
export const PERMISSIONS = Object.fromEntries(
  KEYS.map((key) => {
    const needed = requires(key);
    return [key, { description: DESCRIPTIONS[key], ...(needed.length > 0 && { requires: needed }) }];
  }),
);

/** The catalog's `types` member. A role at a site replaces the wider ones there. */
export const TYPES = {
  site: { scope: true, narrows: true },
  rack: {},
  miner: {},
};

const without = (...refused) => KEYS.filter((key) => !refused.includes(key));

/** Roles by short name. The first three are the product's built-in ones, the others an organization's own. */
export const ROLES = {
  superAdmin: {
    id: "role:organization:0192f1c2-7a00-7000-8000-000000000001",
    name: "SUPER_ADMIN",
    permissions: KEYS,
  },
  admin: {
    id: "role:organization:0192f1c2-7a00-7000-8000-000000000002",
    name: "ADMIN",
    permissions: without("role:manage", "instance:update"),
  },
  fieldTech: {
    id: "role:organization:0192f1c2-7a00-7000-8000-000000000003",
    name: "FIELD_TECH",
    permissions: [
      "fleet:read",
      "miner:read",
      "miner:blink_led",
      "miner:download_logs",
      "rack:read",
      "rack:manage",
    ],
  },
  siteManager: {
    id: "role:organization:0192f1c2-7a00-7000-8000-000000000011",
    name: "Site manager",
    permissions: [
      "fleet:read",
      ...KEYS.filter((key) => key.startsWith("miner:") && key !== "miner:export_csv"),
      "rack:read",
      "rack:manage",
      "site:read",
      "site:manage",
      "curtailment:read",
      "alert:read",
    ],
  },
  energyDesk: {
    id: "role:organization:0192f1c2-7a00-7000-8000-000000000012",
    name: "Energy desk",
    permissions: [
      "fleet:read",
      "miner:read",
      "miner:set_power_target",
      "site:read",
      "curtailment:read",
      "curtailment:manage",
      "schedule:read",
      "schedule:manage",
    ],
  },
  auditor: {
    id: "role:organization:0192f1c2-7a00-7000-8000-000000000013",
    name: "Auditor",
    permissions: KEYS.filter((key) => key.endsWith(":read")),
  },
  lockedOut: {
    id: "role:organization:0192f1c2-7a00-7000-8000-000000000014",
    name: "No entry",
    permissions: [],
  },
};
