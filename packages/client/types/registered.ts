// A program with generated code: what the catalog lacks does not compile. Checked against the package as it is built;
// never run. A line that compiles although it is expected not to is an error, too.

import { connect, type Permission, type Postern, type Resource, type ResourceType } from "@postern/client";
import { anywhere, check, open } from "@postern/client/evaluator";
import { Evaluator } from "@postern/client/evaluator/full";
import { either, holds, manifest, type Term } from "@postern/client/routes";
import { NOTHING } from "@postern/client/source";
import * as catalog from "../../../examples/fleet/src/catalog.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <_ extends true>(): void => undefined;

same<Same<Permission, catalog.Permission>>();
same<Same<ResourceType, "miner" | "rack" | "site">>();
same<Same<catalog.ActionOf<"rack">, "manage" | "read">>();
// @ts-expect-error: a type that no permission begins with
type None = catalog.ActionOf<"reck">;

declare const postern: Postern;
declare const text: string;
const site: Resource = { type: "site", id: text };

postern.can("miner:reboot", site);
postern.can(catalog.permission.miner.reboot);
postern.can("miner:read", { type: "miner", id: "m1" }, { in: [site] }, { maxAge: 5 });
postern.filter("rack:read", "site") satisfies string[];
postern.actions(site) satisfies string[];
if (catalog.isPermission(text)) postern.can(text);
if (catalog.isResourceType(text)) postern.can("rack:read", { type: text, id: "1" });
// @ts-expect-error: no permission
postern.can("miner:rebot", site);
// @ts-expect-error: any text
postern.can(text);
// @ts-expect-error: no type
postern.can("miner:reboot", { type: "sight", id: "s1" });
// @ts-expect-error: no type of a parent
postern.can("miner:reboot", site, { in: [{ type: "sight", id: "s1" }] });
// @ts-expect-error: no permission
postern.decide("miner:rebot", site);
// @ts-expect-error: no permission
postern.anywhere("miner:rebot");
// @ts-expect-error: no permission
postern.everywhere("miner:rebot");
// @ts-expect-error: no permission
postern.filter("rack:reed", "site");
// @ts-expect-error: no type
postern.filter("rack:read", "sight");
// @ts-expect-error: no permission
NOTHING.can("miner:rebot");
// @ts-expect-error: nothing of the catalog
catalog.permission.miner.rebot;

const { catalogHash } = catalog;
await connect({ url: text, token: text, catalog: catalogHash, maxAge: { "miner:reboot": 5, "rack:*": 1 } });
// @ts-expect-error: neither a permission nor the beginning of some
await connect({ url: text, token: text, maxAge: { "miner:rebot": 5 } });

const evaluator = new Evaluator(new Uint8Array());
evaluator.can("miner:reboot", site);
// @ts-expect-error: no permission
evaluator.can("miner:rebot");
// @ts-expect-error: no type
evaluator.filter("rack:read", "sight");
const slice = open(new Uint8Array());
check(slice, "miner:reboot", site, { now: 0 });
// @ts-expect-error: no permission
check(slice, "miner:rebot", site, { now: 0 });
// @ts-expect-error: no permission
anywhere(slice, "miner:rebot", { now: 0 });

const home = { path: "/", label: "Home", allow: [[{ permission: "fleet:read", at: "anywhere" }]] } as const;
const pages = manifest([
  home,
  {
    path: "/:site",
    label: "Site",
    allow: [[{ permission: "rack:read", at: { type: "site", param: "site" } }]],
  },
]);
holds(pages.entries[0]!, {}, postern);
either([home]);
// @ts-expect-error: no permission
manifest([{ path: "/", label: "Home", allow: [[{ permission: "fleet:reed", at: "anywhere" }]] }]);
manifest([
  // @ts-expect-error: no type
  { path: "/:a", label: "A", allow: [[{ permission: "rack:read", at: { type: "sight", param: "a" } }]] },
]);
// @ts-expect-error: no permission
const term: Term = { permission: "fleet:reed", at: "anywhere" };

void term;
export type { None };
