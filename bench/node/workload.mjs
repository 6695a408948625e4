// The workload as `bench/src/workload.rs` wrote it: the facts, and the questions with their answers.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Bytes of `user:` and a UUID. */
const USER_BYTES = 41;
/** The site of an assignment that holds in the whole organization. */
const EVERYWHERE = 255;

/** Reads everything that was written into a folder. */
export function readWorkload(folder) {
  const read = (name) => readFileSync(join(folder, name));
  const texts = JSON.parse(read("texts.json").toString());
  const ids = read("users.bin");
  const workload = {
    snapshot: new Uint8Array(read("snapshot.bin")),
    permissions: texts.permissions,
    sites: texts.sites,
    roles: texts.roles,
    users: Array.from({ length: ids.length / USER_BYTES }, (_, user) =>
      ids.latin1Slice(user * USER_BYTES, (user + 1) * USER_BYTES),
    ),
    assignments: [],
    grants: [],
    queries: [],
  };
  const assignments = read("assignments.bin");
  for (let at = 0; at < assignments.length; at += 8) {
    const site = assignments[at + 5];
    workload.assignments.push({
      user: assignments.readUInt32LE(at),
      role: assignments[at + 4],
      site: site === EVERYWHERE ? null : texts.sites[site],
    });
  }
  const grants = read("grants.bin");
  for (let at = 0; at < grants.length; at += 8) {
    workload.grants.push({
      user: grants.readUInt32LE(at),
      permission: texts.permissions[grants.readUInt16LE(at + 4)],
      site: texts.sites[grants[at + 6]],
    });
  }
  readQueries(workload, read("queries.bin"));
  return workload;
}

/**
 * The questions as texts, and as handles one after the other. A question has the very strings that the tables are built
 * of: to compare equal ones is to compare addresses, which is the best that a Map can meet.
 */
function readQueries(workload, rows) {
  const count = rows.length / 20;
  workload.handles = new Uint32Array(count * 3);
  for (let number = 0; number < count; number += 1) {
    const at = number * 20;
    workload.queries.push({
      user: workload.users[rows.readUInt32LE(at)],
      permission: workload.permissions[rows.readUInt16LE(at + 4)],
      site: workload.sites[rows[at + 6]],
      allowed: rows[at + 7] === 1,
    });
    for (let part = 0; part < 3; part += 1) {
      workload.handles[number * 3 + part] = rows.readUInt32LE(at + 8 + part * 4);
    }
  }
}
