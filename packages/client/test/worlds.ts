// Real slices for the tests: worlds written here, compiled and cut by the `postern` program.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

/** The program: `POSTERN_BIN`, or what cargo has built. */
const PROGRAM = [
  process.env["POSTERN_BIN"],
  join(ROOT, "target/release/postern"),
  join(ROOT, "target/debug/postern"),
].find((path) => path !== undefined && existsSync(path));

/** A world document, as far as the tests need types for it. */
export interface World {
  readonly organization: string;
  readonly revision: number;
  readonly assignments: readonly object[];
  readonly [member: string]: unknown;
}

const TECH = "role:organization:00000000-0000-7000-8000-000000000001";
const ADMIN = "role:organization:00000000-0000-7000-8000-000000000002";
const EMPTY = "role:organization:00000000-0000-7000-8000-000000000003";

const site = (id: string): object => ({ type: "site", id });

/**
 * A small fleet. Ann is an admin who is narrowed at s2; Tom a technician at s1 through a crew; Eve an admin excluded
 * from one permission; Zed holds nothing.
 */
export const FLEET: World = {
  format: "postern-world/1",
  organization: "acme",
  revision: 5,
  catalog: {
    types: {
      site: { scope: true, narrows: true },
      miner: {},
      secret: { owner_permissions: ["secret:read"] },
      chat: { registered: false },
    },
    permissions: {
      "fleet:read": {},
      "miner:read": {},
      "miner:reboot": {},
      "user:manage": {},
      "secret:read": {},
      "chat:join": {},
    },
  },
  subjects: [
    { id: "user:ann", aliases: ["ann@acme.example"] },
    { id: "user:tom" },
    { id: "user:eve" },
    { id: "user:zed" },
    { id: "group:crew" },
  ],
  memberships: [{ subject: "user:tom", group: "group:crew" }],
  resources: [
    ...["s1", "s2", "s3"].map(site),
    ...["m1", "m2", "m3"].map((id, index) => ({ type: "miner", id, parents: [site(`s${index + 1}`)] })),
    { type: "secret", id: "k1", owner: "user:zed" },
  ],
  roles: [
    { id: TECH, name: "Technician", permissions: ["fleet:read", "miner:read"] },
    { id: ADMIN, name: "Admin", permissions: ["*"] },
    { id: EMPTY, name: "Nothing", permissions: [] },
  ],
  assignments: [
    { subject: "user:ann", role: ADMIN },
    { subject: "user:ann", role: TECH, at: site("s2") },
    { subject: "group:crew", role: TECH, at: site("s1") },
    { subject: "user:eve", role: ADMIN },
  ],
  grants: [
    { subject: "user:eve", effect: "exclude", permissions: ["user:manage"] },
    { subject: "user:tom", effect: "allow", permissions: ["chat:join"], session: "call-7" },
    {
      subject: "user:tom",
      effect: "allow",
      permissions: ["miner:reboot"],
      at: site("s1"),
      require: { shift: "night" },
    },
  ],
};

/** The fleet at a later revision, with these assignments. */
export function fleetAt(revision: number, assignments: readonly object[] = FLEET.assignments): World {
  return { ...FLEET, revision, assignments };
}

/** An assignment of the technician's role at a site. */
export function technician(subject: string, at: string, life: object = {}): object {
  return { subject, role: TECH, at: site(at), ...life };
}

function run(...args: string[]): string {
  if (PROGRAM === undefined)
    throw new Error("the `postern` program is missing: run `cargo build -p postern-cli`");
  return execFileSync(PROGRAM, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "postern-client-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The bytes of a whole snapshot. */
export function snapshotOf(world: World): Uint8Array {
  return inFolder((folder) => {
    const paths = { world: join(folder, "world.json"), snapshot: join(folder, "a.snapshot") };
    writeFileSync(paths.world, JSON.stringify(world));
    run("world", "compile", paths.world, "-o", paths.snapshot);
    return new Uint8Array(readFileSync(paths.snapshot));
  });
}

/** The bytes of one subject's slice. */
export function sliceOf(world: World, subject: string): Uint8Array {
  return inFolder((folder) => {
    const paths = { snapshot: join(folder, "a.snapshot"), slice: join(folder, "a.slice") };
    writeFileSync(paths.snapshot, snapshotOf(world));
    run("snapshot", "slice", paths.snapshot, "--subject", subject, "-o", paths.slice);
    return new Uint8Array(readFileSync(paths.slice));
  });
}

/** What the specification answers to queries about a world: one parsed answer each. */
export function oracle(world: World, queries: readonly object[]): Record<string, unknown>[] {
  return inFolder((folder) => {
    const paths = { world: join(folder, "world.json"), queries: join(folder, "queries.jsonl") };
    writeFileSync(paths.world, JSON.stringify(world));
    writeFileSync(paths.queries, queries.map((query) => JSON.stringify(query)).join("\n"));
    return run("world", "check", paths.world, "--queries", paths.queries, "--engine", "oracle")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  });
}
