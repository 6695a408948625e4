// The evaluator against the specification: random worlds and the conformance corpus, every answer, reason included.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { Evaluator, PosternError } from "../src/evaluator/full.js";
import { anywhere, check, everywhere, open, type OpenSlice } from "../src/evaluator.js";
import type { Facts, Resource } from "../src/question.js";
import { givenWorlds, randomWorlds, type Asked } from "./oracle.js";

/** How many random worlds, with so many questions about each. `POSTERN_SEED` starts elsewhere. */
const WORLDS = 2_000;
const QUESTIONS = 50;
const FIRST_SEED = Number(process.env["POSTERN_SEED"] ?? 0);

const CORPUS = fileURLToPath(new URL("../../../../tests/conformance", import.meta.url));

function factsOf({ query, now }: Asked): Facts & { now: number } {
  const { in: parents, owner, where, session } = query;
  return {
    now,
    ...(parents && { in: parents }),
    ...(owner !== undefined && { owner }),
    ...(where && { where }),
    ...(session !== undefined && { session }),
  };
}

/** The answer as the command line would print it (section 6). */
function answered(ask: () => object): object {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof PosternError)) throw error;
    return { error: error.code };
  }
}

const decision = (allowed: boolean): object => ({ decision: allowed ? "allow" : "deny" });
const allowed = (answer: object): boolean => "decision" in answer && answer.decision === "allow";

/** A slice as both entries open it, with a clock to set. */
class Opened {
  readonly slice: OpenSlice;
  /** None where the revision is beyond what the client counts to; the small entry decides all the same. */
  readonly #evaluator: Evaluator | undefined;
  #now = 0;

  constructor(bytes: Uint8Array) {
    this.slice = open(bytes);
    if (Number.isSafeInteger(this.slice.revision)) {
      this.#evaluator = new Evaluator(bytes, { now: () => this.#now });
    } else {
      assert.throws(() => new Evaluator(bytes), { code: "bad_slice" });
    }
  }

  /** The answer; the evaluator's must be the same as that of the small entry's functions. */
  answer(asked: Asked): object | undefined {
    const { op = "check", permission = "", type = "" } = asked.query;
    const resource = asked.query.resource as Resource | null | undefined;
    const at = resource ?? undefined;
    const facts = factsOf(asked);
    this.#now = asked.now;
    // Without `now`, which is the evaluator's own; and without any, where the question states none.
    const { now: _now, ...some } = facts;
    const stated = Object.keys(some).length > 0 ? some : undefined;
    const { slice } = this;
    const evaluator = this.#evaluator;
    if (op === "anywhere" || op === "everywhere") {
      const answer = answered(() =>
        decision((op === "anywhere" ? anywhere : everywhere)(slice, permission, facts)),
      );
      // It never throws: an error is a no.
      if (evaluator !== undefined) assert.equal(evaluator[op](permission, stated), allowed(answer));
      return answer;
    }
    if (op === "check") {
      const answer = answered(() => check(slice, permission, resource ?? null, facts));
      if (evaluator !== undefined) {
        const { revision } = slice;
        const decided = answered(() => evaluator.decide(permission, at, stated));
        assert.deepEqual(decided, "error" in answer ? answer : { ...answer, revision });
        assert.equal(evaluator.can(permission, at, stated), allowed(answer));
      }
      return answer;
    }
    if (evaluator === undefined) return undefined;
    if (op === "filter") return answered(() => ({ ids: evaluator.filter(permission, type, stated) }));
    if (op === "actions") return answered(() => ({ permissions: evaluator.actions(at, stated) }));
    throw new Error(`no question is called ${op}`);
  }
}

test("it answers random worlds as the specification does, reasons and errors included", async () => {
  const seen = new Map<string, number>();
  let [worlds, asked, unasked, uncounted] = [0, 0, 0, 0];
  for await (const world of randomWorlds(FIRST_SEED, WORLDS, QUESTIONS)) {
    worlds += 1;
    unasked += world.unasked.length;
    for (const { subject, bytes, questions } of world.slices) {
      const opened = new Opened(Buffer.from(bytes, "base64"));
      for (const question of questions) {
        asked += 1;
        const answer = opened.answer(question);
        if (answer === undefined) uncounted += 1;
        else if (!isDeepStrictEqual(answer, question.answer)) {
          assert.deepEqual(
            answer,
            question.answer,
            `seed ${world.seed}, ${subject}: ${JSON.stringify(question)}`,
          );
        }
        const { reason, error } = question.answer as { reason?: string; error?: string };
        const kind = `${question.query.op ?? "check"} ${reason ?? error ?? ""}`;
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
    }
  }
  assert.equal(worlds, WORLDS);
  // `subjects`, and subjects without a form: about a tenth.
  assert.equal(asked + unasked, WORLDS * QUESTIONS);
  assert.ok(asked > WORLDS * QUESTIONS * 0.8, `${asked} questions asked`);
  assert.ok(uncounted < asked * 0.02, `${uncounted} lists of slices whose revision cannot be counted`);
  for (const reason of [
    ...["owner", "assignment", "grant", "excluded", "narrowed", "not_granted", "not_in_slice"],
    ...["unknown_subject", "inactive_subject", "unknown_resource", "inactive_resource"],
    ...["invalid_request", "unknown_permission"],
  ]) {
    assert.ok((seen.get(`check ${reason}`) ?? 0) > 100, `${reason}: ${seen.get(`check ${reason}`)}`);
  }
});

interface Case {
  readonly id: string;
  readonly world: Record<string, unknown>;
  readonly queries: readonly (Record<string, unknown> & { expect: object; slice?: object })[];
}

test("it answers the conformance corpus", async () => {
  const cases: (Case & { file: string })[] = [];
  for (const file of readdirSync(CORPUS).filter((name) => name.endsWith(".json"))) {
    const document = JSON.parse(readFileSync(`${CORPUS}/${file}`, "utf8")) as {
      catalogs?: Record<string, object>;
      cases: Case[];
    };
    for (const { id, world, queries } of document.cases) {
      const named = typeof world["catalog"] === "string" ? document.catalogs?.[world["catalog"]] : undefined;
      const whole = { format: "postern-world/1", organization: "conformance", revision: 1, ...world };
      cases.push({ file, id, queries, world: named === undefined ? whole : { ...whole, catalog: named } });
    }
  }
  const documents = cases.map(({ world, queries }) => ({
    world,
    queries: queries.map(({ expect: _expect, slice: _slice, ...query }) => query),
  }));
  let asked = 0;
  for await (const { seed, slices } of givenWorlds(documents)) {
    const { file, id, queries } = cases[seed]!;
    for (const { bytes, questions } of slices) {
      const opened = new Opened(Buffer.from(bytes, "base64"));
      for (const question of questions) {
        asked += 1;
        // Where the corpus does not say what a slice answers, section 7 does.
        const expected = queries[question.index]?.slice ?? question.answer;
        assert.deepEqual(opened.answer(question), expected, `${file}, ${id}: ${JSON.stringify(question)}`);
      }
    }
  }
  assert.ok(asked > 550, `the corpus has become small: ${asked} questions`);
});
