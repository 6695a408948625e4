// A program with generated code: what the catalog lacks does not compile. Checked against the package as it is built;
// never run.

import { Can, useAnywhere, useCan, useDecision, useEverywhere, useFilter, usePostern } from "@postern/vue";
import { h, ref } from "vue";
import { permission, type Permission } from "../../../examples/fleet/src/catalog.js";

declare const text: string;
const site = { type: "site", id: text } as const;

usePostern().value.can(permission.miner.reboot, site);
useCan("miner:reboot", () => site, { in: [site] }, { maxAge: 5 });
useCan(ref<Permission>("miner:reboot"));
// @ts-expect-error: no permission
usePostern().value.can("miner:rebot");
// @ts-expect-error: no permission
useCan("miner:rebot");
// @ts-expect-error: any text
useCan(ref(text));
// @ts-expect-error: no type
useCan("miner:reboot", { type: "sight", id: "s1" });
// @ts-expect-error: no permission
useAnywhere("miner:rebot");
// @ts-expect-error: no permission
useEverywhere(() => "miner:rebot" as const);
// @ts-expect-error: no permission
useDecision("miner:rebot", site);
// @ts-expect-error: no permission
useFilter("rack:reed", "site");
// @ts-expect-error: no type
useFilter("rack:read", "sight");

h(Can, { permission: "miner:reboot", at: site }, { default: () => "yes", otherwise: () => "no" });
// @ts-expect-error: no permission
h(Can, { permission: "miner:rebot" });

// What a template is checked by.
type Properties = InstanceType<typeof Can>["$props"];
const good: Properties[] = [{ permission: "miner:reboot" }, { permission: "rack:read", at: "anywhere" }];
const bad: Properties[] = [
  // @ts-expect-error: no permission
  { permission: "miner:rebot" },
  // @ts-expect-error: no type
  { permission: "miner:reboot", at: { type: "sight", id: "s1" } },
  // @ts-expect-error: no permission at all
  {},
];

void [good, bad];
