// Every page of the application, who may open it, and whether the menu lists it: said once, here.

import { either, manifest, type AnyOf } from "@postern/client/routes";
import type { IconName } from "./icons.js";

const ORGANIZATION = "organization";
const ANYWHERE = "anywhere";
const HERE = { type: "site", param: "site" } as const;

/** The groups of the menu, in its order. */
export type Section = "Overview" | "Fleet" | "Operations" | "Administration";

interface Look {
  readonly icon: IconName;
  readonly section: Section;
}

/** A settings page: below the menu, in the settings' own navigation. */
interface SettingsPage {
  readonly path: `/settings/${string}`;
  readonly label: string;
  readonly allow: AnyOf;
}

/** The sub-pages of the settings. The menu entry is there for those who may open one of them. */
export const SETTINGS = [
  { path: "/settings/network", label: "Network", allow: [[{ permission: "fleet:read", at: ORGANIZATION }]] },
  { path: "/settings/pools", label: "Pools", allow: [[{ permission: "pool:manage", at: ORGANIZATION }]] },
  {
    path: "/settings/firmware",
    label: "Firmware",
    allow: [[{ permission: "miner:firmware_update", at: ORGANIZATION }]],
  },
  {
    path: "/settings/nodes",
    label: "Fleet nodes",
    allow: [[{ permission: "fleetnode:read", at: ORGANIZATION }]],
  },
  {
    path: "/settings/schedules",
    label: "Schedules",
    allow: [[{ permission: "schedule:manage", at: ORGANIZATION }]],
  },
  {
    path: "/settings/curtailment",
    label: "Curtailment",
    allow: [[{ permission: "curtailment:manage", at: ORGANIZATION }]],
  },
  { path: "/settings/alerts", label: "Alerts", allow: [[{ permission: "alert:read", at: ORGANIZATION }]] },
  {
    path: "/settings/integrations",
    label: "Integrations",
    allow: [[{ permission: "apikey:manage", at: ORGANIZATION }]],
  },
  {
    path: "/settings/logs",
    label: "Server logs",
    allow: [[{ permission: "serverlog:read", at: ORGANIZATION }]],
  },
  {
    path: "/settings/updates",
    label: "Updates",
    allow: [[{ permission: "instance:update", at: "everywhere" }]],
  },
] as const satisfies readonly SettingsPage[];

const SEE_FLEET = [
  [{ permission: "rack:read", at: ANYWHERE }],
  [{ permission: "site:read", at: ANYWHERE }],
  [
    { permission: "miner:read", at: ANYWHERE },
    { permission: "fleet:read", at: ANYWHERE },
  ],
] as const;

const look = (icon: IconName, section: Section): Look => ({ icon, section });

/** The pages. The order is that of the menu; the first visible one is where a refused address leads. */
export const PAGES = manifest([
  {
    path: "/",
    label: "Dashboard",
    ...look("gauge", "Overview"),
    allow: [[{ permission: "fleet:read", at: ANYWHERE }]],
  },
  { path: "/sites", label: "Sites", ...look("map", "Fleet"), allow: SEE_FLEET },
  {
    path: "/sites/:site",
    label: "Site",
    ...look("map", "Fleet"),
    allow: [
      [{ permission: "rack:read", at: HERE }],
      [{ permission: "site:read", at: HERE }],
      [
        { permission: "miner:read", at: HERE },
        { permission: "fleet:read", at: HERE },
      ],
    ],
  },
  {
    path: "/racks",
    label: "Racks",
    ...look("rack", "Fleet"),
    allow: [[{ permission: "rack:read", at: ANYWHERE }]],
  },
  {
    path: "/miners",
    label: "Miners",
    ...look("chip", "Fleet"),
    allow: [
      [
        { permission: "miner:read", at: ANYWHERE },
        { permission: "fleet:read", at: ANYWHERE },
      ],
    ],
  },
  {
    path: "/curtailment",
    label: "Curtailment",
    ...look("bolt", "Operations"),
    allow: [[{ permission: "curtailment:read", at: ANYWHERE }]],
  },
  {
    path: "/activity",
    label: "Activity",
    ...look("list", "Operations"),
    allow: [
      [{ permission: "activity:read", at: ORGANIZATION }],
      [{ permission: "alert:read", at: ORGANIZATION }],
    ],
  },
  {
    path: "/team",
    label: "Team",
    ...look("people", "Administration"),
    allow: [
      [{ permission: "user:read", at: ORGANIZATION }],
      [{ permission: "role:manage", at: ORGANIZATION }],
    ],
  },
  {
    path: "/settings",
    label: "Settings",
    ...look("sliders", "Administration"),
    allow: either(SETTINGS),
  },
  ...SETTINGS.map((page) => ({ ...page, nav: false, ...look("sliders", "Administration") })),
]);

/** An entry of {@link PAGES}. */
export type PageEntry = (typeof PAGES)["entries"][number];
