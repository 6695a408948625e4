// What the tests of packages that stand on the client share: the worlds, the gateway, and a manifest of pages
// with people who may open them.

import { Evaluator } from "../src/evaluator/full.js";
import { manifest } from "../src/routes.js";
import { FLEET, fleetAt, sliceOf, technician } from "./worlds.js";

export { aWhile, TestGateway, until } from "./gateway.js";
export { seconds, sha256, Signer, state, type Claims } from "./signing.js";
export { oracle, snapshotOf } from "./worlds.js";
export { FLEET, fleetAt, sliceOf, technician };

/** For everybody, for who may read miners at the site, and for managers. */
export const pages = manifest([
  { path: "/", label: "Home", allow: [[{ permission: "fleet:read", at: "anywhere" }]] },
  {
    path: "/sites/:site",
    label: "Site",
    allow: [[{ permission: "miner:read", at: { type: "site", param: "site" } }]],
  },
  { path: "/team", label: "Team", allow: [[{ permission: "user:manage", at: "organization" }]] },
]);

/** A technician at s1, somebody who may nothing, and the technician at s2. */
export const tom = new Evaluator(sliceOf(FLEET, "user:tom"));
export const zed = new Evaluator(sliceOf(FLEET, "user:zed"));
export const moved = new Evaluator(sliceOf(fleetAt(6, [technician("user:tom", "s2")]), "user:tom"));
