// A program with generated code: what the catalog lacks does not compile. Checked against the package as it is built;
// never run. What is registered through this package is what `postern codegen --package @postern/edge` writes.

import { createGuard, protect, type Permission } from "@postern/edge";
import { createGuard as onCloudflare } from "@postern/edge/cloudflare";

declare module "@postern/edge" {
  interface Register {
    permission: "miner:read" | "miner:reboot";
    resourceType: "miner" | "site";
  }
}

declare const text: string;
const site = { type: "site", id: text } as const;
const guard = createGuard({
  gateway: text,
  organization: text,
  key: text,
  catalog: text,
  maxAge: { "miner:*": 5 },
});
const of = guard.as(text);

"miner:read" satisfies Permission;
await guard.check(text, "miner:reboot", site, { in: [site] });
// @ts-expect-error: no permission
await guard.check(text, "miner:rebot", site);
// @ts-expect-error: any text
await guard.check(text, text, site);
// @ts-expect-error: no type
await guard.check(text, "miner:reboot", { type: "sight", id: "s1" });
// @ts-expect-error: no permission
guard.decide(text, "miner:rebot");
// @ts-expect-error: no permission
guard.refusalOf("miner:rebot");
// @ts-expect-error: no permission
await guard.ready(["miner:read", "miner:rebot"]);
// @ts-expect-error: no permission
of.can("miner:rebot");
// @ts-expect-error: no permission
of.anywhere("miner:rebot");
// @ts-expect-error: no permission
of.everywhere("miner:rebot");
// @ts-expect-error: neither a permission nor the beginning of some
onCloudflare({ gateway: text, organization: text, key: text, maxAge: { "miner:rebot": 5 } });

protect(
  guard,
  [
    { method: "GET", path: "/", allow: [[{ permission: "miner:read", at: "anywhere" }]] },
    { method: "GET", path: "/open", allow: "public" },
    // @ts-expect-error: no permission
    { method: "GET", path: "/a", allow: [[{ permission: "miner:reed", at: "anywhere" }]] },
    {
      method: "GET",
      path: "/:a",
      // @ts-expect-error: no type
      allow: [[{ permission: "miner:read", at: { type: "sight", param: "a" } }]],
    },
  ],
  { subject: () => undefined },
);
