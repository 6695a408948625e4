// The module that ships in packages/client, through the glue that the client calls. Each way of asking has a loop of
// its own: one shared loop would be compiled for all of them at once, and be slow for each.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** Questions of one call of a batch. */
const BATCH = 1000;

/** Loads module and glue as `packages/client/src/wasm_engine.ts` does. */
export async function loadPostern(file) {
  const glue = await import(pathToFileURL(join(dirname(file), "postern_bg.js")));
  const module = await WebAssembly.compile(readFileSync(file));
  const instance = new WebAssembly.Instance(module, { "./postern_bg.js": glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  return { glue, memory: instance.exports.memory };
}

/**
 * 1 for a code that allows, else 0, without a branch: every engine is counted so, here and in Rust, because a branch on
 * the answer that the loop adds would often be mispredicted, and that would count as the engine's time.
 */
const one = (code) => (code - 16) >>> 31;

/** The engines for `main.mjs`, on an opened snapshot. */
export function posternEngines(workload, { glue, memory }, slot) {
  const { queries, handles } = workload;
  const count = queries.length;

  const byHandle = {
    allows: (number) =>
      glue.check(slot, handles[number * 3], handles[number * 3 + 1], handles[number * 3 + 2], 0) < 16,
    pass: () => {
      let allowed = 0;
      for (let at = 0; at < handles.length; at += 3) {
        allowed += one(glue.check(slot, handles[at], handles[at + 1], handles[at + 2], 0));
      }
      return allowed;
    },
  };

  // Every user is interned, not only those who ask: the table is as large as the floor's.
  const subjects = new Map();
  for (const user of workload.users) subjects.set(user, glue.subject(slot, user));
  const interned = {
    allows: (number) => {
      const subject = subjects.get(queries[number].user);
      return glue.check(slot, subject, handles[number * 3 + 1], handles[number * 3 + 2], 0) < 16;
    },
    pass: () => {
      let allowed = 0;
      for (let number = 0, at = 0; number < count; number += 1, at += 3) {
        const subject = subjects.get(queries[number].user);
        if (subject !== undefined)
          allowed += one(glue.check(slot, subject, handles[at + 1], handles[at + 2], 0));
      }
      return allowed;
    },
  };

  const crossing = {
    allows: (number) => {
      const subject = glue.subject(slot, queries[number].user);
      return glue.check(slot, subject, handles[number * 3 + 1], handles[number * 3 + 2], 0) < 16;
    },
    pass: () => {
      let allowed = 0;
      for (let number = 0, at = 0; number < count; number += 1, at += 3) {
        const subject = glue.subject(slot, queries[number].user);
        allowed += one(glue.check(slot, subject, handles[at + 1], handles[at + 2], 0));
      }
      return allowed;
    },
  };

  return {
    handle: byHandle,
    interned,
    crossing,
    batch: batchEngine(workload, glue, memory, slot),
    mask: maskEngine(workload, glue, memory, slot),
  };
}

/** One question after the other, as a program that has them from somewhere else would write them. */
function writeTriples(triples, handles, from, count) {
  for (let at = 0; at < count * 3; at += 3) {
    triples[at] = handles[from + at];
    triples[at + 1] = handles[from + at + 1];
    triples[at + 2] = handles[from + at + 2];
  }
}

function batchEngine({ handles, queries }, glue, memory, slot) {
  const codes = new Uint8Array(queries.length);
  const answerAll = (each) => {
    const address = glue.batch(BATCH);
    const triples = new Uint32Array(memory.buffer, address, BATCH * 3);
    for (let first = 0; first < queries.length; first += BATCH) {
      const size = Math.min(BATCH, queries.length - first);
      writeTriples(triples, handles, first * 3, size);
      if (!glue.check_batch(slot, size, 0)) throw new Error("the batch was not taken");
      each(first, new Uint8Array(memory.buffer, address + 12 * size, size));
    }
  };
  const keep = (first, answers) => codes.set(answers, first);
  let allowed = 0;
  const tally = (_, answers) => {
    for (let index = 0; index < answers.length; index += 1) allowed += one(answers[index]);
  };
  return {
    prepare: () => answerAll(keep),
    allows: (number) => codes[number] < 16,
    pass: () => {
      allowed = 0;
      answerAll(tally);
      return allowed;
    },
  };
}

function maskEngine({ handles, queries }, glue, memory, slot) {
  let bytes = new Uint8Array(memory.buffer);
  const allows = (number) => {
    const at = number * 3;
    const address = glue.mask(slot, handles[at], handles[at + 2], 0);
    if (bytes.length === 0) bytes = new Uint8Array(memory.buffer);
    const permission = handles[at + 1];
    return ((bytes[address + (permission >> 3)] >> (permission & 7)) & 1) === 1;
  };
  return {
    allows,
    pass: () => {
      let allowed = 0;
      for (let number = 0; number < queries.length; number += 1) allowed += Number(allows(number));
      return allowed;
    },
  };
}
