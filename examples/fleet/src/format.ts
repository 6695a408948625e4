// Numbers as people read them.

import type { MinerState, Rack, Site } from "./data.js";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const count = (value: number): string => number.format(value);

/** From terahashes per second to what fits. */
export function hashRate(terahashes: number): string {
  if (terahashes >= 1_000_000) return `${precise.format(terahashes / 1_000_000)} EH/s`;
  if (terahashes >= 1000) return `${precise.format(terahashes / 1000)} PH/s`;
  return `${number.format(terahashes)} TH/s`;
}

/** From watts to what fits. */
export function power(watts: number): string {
  if (watts >= 1_000_000) return `${precise.format(watts / 1_000_000)} MW`;
  if (watts >= 1000) return `${precise.format(watts / 1000)} kW`;
  return `${number.format(watts)} W`;
}

export interface Totals {
  readonly miners: number;
  readonly hashing: number;
  readonly hash: number;
  readonly power: number;
}

/** Sums over the miners of racks. */
export function totals(racks: readonly Rack[]): Totals {
  const sum = { miners: 0, hashing: 0, hash: 0, power: 0 };
  for (const rack of racks) {
    for (const miner of rack.miners) {
      sum.miners += 1;
      if (miner.state === "hashing") sum.hashing += 1;
      sum.hash += miner.hash;
      sum.power += miner.power;
    }
  }
  return sum;
}

/** Sums over sites. */
export const totalsOf = (sites: readonly Site[]): Totals => totals(sites.flatMap((site) => site.racks));

/** A share in whole percent. */
export const percent = (part: number, whole: number): string =>
  whole === 0 ? "–" : `${Math.floor((100 * part) / whole)} %`;

export const STATE_LABEL: Record<MinerState, string> = {
  hashing: "Hashing",
  degraded: "Degraded",
  stopped: "Stopped",
  unreachable: "Unreachable",
};
