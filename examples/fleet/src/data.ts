// What the pages show beside permissions. Files that lie beside the page; see telemetry.mjs for what that means.

/** hashing, and three ways not to */
export type MinerState = "hashing" | "degraded" | "stopped" | "unreachable";

export interface Miner {
  readonly id: string;
  readonly state: MinerState;
  /** Terahashes per second. */
  readonly hash: number;
  /** Watts. */
  readonly power: number;
  /** Degrees Celsius; 0 where unknown. */
  readonly temperature: number;
}

export interface Rack {
  readonly id: string;
  readonly name: string;
  readonly model: string;
  readonly site: string;
  readonly miners: readonly Miner[];
}

export interface Site {
  readonly id: string;
  readonly name: string;
  readonly place: string;
  readonly racks: readonly Rack[];
}

export interface CurtailmentEvent {
  readonly id: string;
  readonly site: string;
  readonly title: string;
  readonly window: string;
  readonly megawatts: number;
  readonly state: "planned" | "running" | "ended";
}

export interface Activity {
  readonly when: string;
  readonly who: string;
  readonly what: string;
  readonly where: string;
}

export interface Team {
  readonly count: number;
  readonly people: readonly {
    readonly subject: string;
    readonly name: string;
    readonly roles: readonly string[];
  }[];
  readonly roles: readonly {
    readonly id: string;
    readonly name: string;
    readonly builtIn: boolean;
    readonly permissions: number;
    readonly holders: number;
  }[];
}

interface SiteFile {
  readonly id: string;
  readonly name: string;
  readonly place: string;
  readonly racks: readonly {
    readonly id: string;
    readonly name: string;
    readonly model: string;
    readonly miners: readonly (readonly [string, MinerState, number, number, number])[];
  }[];
}

const cache = new Map<string, Promise<unknown>>();

async function fetchFile(name: string): Promise<unknown> {
  const response = await fetch(`/demo/data/${name}.json`);
  if (!response.ok) throw new Error(`${name}.json: ${response.status}`);
  return response.json();
}

function file<T>(name: string): Promise<T> {
  let promise = cache.get(name);
  if (promise === undefined) {
    promise = fetchFile(name);
    // A failure is not kept: the next look tries again.
    promise.catch(() => cache.delete(name));
    cache.set(name, promise);
  }
  return promise as Promise<T>;
}

const names = new Map<string, string>();

/** The name of a site, once it was loaded; its id until then. */
export const siteName = (id: string): string => names.get(id) ?? id;

/** One site with its racks and miners. */
export async function loadSite(id: string): Promise<Site> {
  const { racks, ...site } = await file<SiteFile>(`site-${id}`);
  names.set(id, site.name);
  return {
    ...site,
    racks: racks.map((rack) => ({
      ...rack,
      site: id,
      miners: rack.miners.map(([miner, state, hash, power, temperature]) => ({
        id: miner,
        state,
        hash,
        power,
        temperature,
      })),
    })),
  };
}

export const loadCurtailment = (): Promise<CurtailmentEvent[]> => file("curtailment");
export const loadActivity = (): Promise<Activity[]> => file("activity");
export const loadTeam = (): Promise<Team> => file("team");

/** Forgets everything: the next person must not find what the last one saw. */
export function forgetData(): void {
  cache.clear();
  names.clear();
}
