// A program with generated code: what the catalog lacks does not compile. Checked against the package as it is built;
// never run.

import { manifest } from "@postern/client/routes";
import { Can, useAnywhere, useCan, useDecision, useEverywhere, useFilter, usePostern } from "@postern/react";
import { guard } from "@postern/react/react-router";
import type { ReactNode } from "react";
import { permission } from "../../../examples/fleet/src/catalog.js";

declare const text: string;
const site = { type: "site", id: text } as const;

export function Page(): ReactNode {
  const postern = usePostern();
  postern.can(permission.miner.reboot, site);
  useCan("miner:reboot", site, { in: [site] }, { maxAge: 5 });
  useFilter("rack:read", "site") satisfies readonly string[];
  // @ts-expect-error: no permission
  postern.can("miner:rebot");
  // @ts-expect-error: no permission
  useCan("miner:rebot");
  // @ts-expect-error: any text
  useCan(text);
  // @ts-expect-error: no type
  useCan("miner:reboot", { type: "sight", id: "s1" });
  // @ts-expect-error: no permission
  useAnywhere("miner:rebot");
  // @ts-expect-error: no permission
  useEverywhere("miner:rebot");
  // @ts-expect-error: no permission
  useDecision("miner:rebot", site);
  // @ts-expect-error: no permission
  useFilter("rack:reed", "site");
  // @ts-expect-error: no type
  useFilter("rack:read", "sight");
  return (
    <>
      <Can permission="miner:reboot" at={site} />
      <Can permission="miner:reboot" at="anywhere" />
      {/* @ts-expect-error: no permission */}
      <Can permission="miner:rebot" />
      {/* @ts-expect-error: no type */}
      <Can permission="miner:reboot" at={{ type: "sight", id: "s1" }} />
      {/* @ts-expect-error: no place */}
      <Can permission="miner:reboot" at="nowhere" />
    </>
  );
}

const pages = manifest([
  { path: "/", label: "Home", allow: [[{ permission: "fleet:read", at: "anywhere" }]] },
]);
guard(pages, () => ({ can: () => true, anywhere: () => true, everywhere: () => true }));
