// node main.mjs <folder with the workload> <postern_bg.wasm>
//
// Reads the workload, says what that took, and then answers commands, one JSON object a line: {"command": "verify" or
// "pass", "engine": ...}. `bench/src/node.rs` is at the other end.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildMap, mapEngine } from "./map.mjs";
import { loadPostern, posternEngines } from "./postern.mjs";
import { readWorkload } from "./workload.mjs";

const [folder, wasm] = process.argv.slice(2);

/** Milliseconds of the best of several goes. */
function bestMs(goes, go) {
  let least = Infinity;
  for (let index = 0; index < goes; index += 1) {
    const start = performance.now();
    go();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** A call into WebAssembly that does nothing: three integers there, one back. */
function emptyEngine(count) {
  const module = new WebAssembly.Module(readFileSync(join(folder, "empty.wasm")));
  const { empty } = new WebAssembly.Instance(module, {}).exports;
  return {
    pass: () => {
      let sum = 0;
      for (let number = 0; number < count; number += 1)
        sum = (sum + empty(number, number ^ 1, number ^ 2)) | 0;
      return sum;
    },
  };
}

const workload = readWorkload(folder);
const postern = await loadPostern(wasm);
const slot = postern.glue.open(workload.snapshot);
if (slot < 0) throw new Error(`the snapshot was refused with ${-slot}`);

globalThis.gc();
const heapBefore = process.memoryUsage().heapUsed;
const mapStart = performance.now();
const users = buildMap(workload);
const mapMs = performance.now() - mapStart;
globalThis.gc();
const mapBytes = process.memoryUsage().heapUsed - heapBefore;

const openMs = bestMs(5, () => postern.glue.close(postern.glue.open(workload.snapshot)));
const copy = new Uint8Array(workload.snapshot.length);
const copyMs = bestMs(15, () => copy.set(workload.snapshot));

const engines = {
  map: mapEngine(workload, users),
  empty: emptyEngine(workload.queries.length),
  ...posternEngines(workload, postern, slot),
};

/** The number of the first question that is answered wrongly. */
function firstWrong({ prepare, allows }) {
  if (allows === undefined) return null;
  prepare?.();
  const wrong = workload.queries.findIndex(({ allowed }, number) => allows(number) !== allowed);
  return wrong < 0 ? null : wrong;
}

/** Nanoseconds a question of one pass. */
function pass(engine) {
  const start = process.hrtime.bigint();
  const allowed = engine.pass();
  const took = Number(process.hrtime.bigint() - start);
  return { ns: took / workload.queries.length, allowed };
}

function answer({ command, engine }) {
  if (command === "verify") {
    const wrong = firstWrong(engines[engine]);
    // The compiler has seen the loop before the first pass that counts.
    for (let index = 0; index < 3; index += 1) engines[engine].pass();
    return { wrong };
  }
  return pass(engines[engine]);
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

say({
  node: process.version,
  v8: process.versions.v8,
  map_ms: mapMs,
  map_bytes: mapBytes,
  open_ms: openMs,
  copy_ms: copyMs,
});
for await (const line of createInterface({ input: process.stdin })) say(answer(JSON.parse(line)));
