// Slices with questions and the specification's answers, from `crates/fuzzing/examples/slices.rs`.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

/** The program: `POSTERN_SLICES`, or what cargo has built. */
const PROGRAM = [
  process.env["POSTERN_SLICES"],
  join(ROOT, "target/debug/examples/slices"),
  join(ROOT, "target/release/examples/slices"),
].find((path) => path !== undefined && existsSync(path));

/** A line of a query file. */
export interface Query {
  readonly op?: string;
  readonly permission?: string;
  readonly resource?: { readonly type?: string; readonly id?: string } | null;
  readonly type?: string;
  readonly in?: readonly { readonly type: string; readonly id: string }[];
  readonly owner?: string;
  readonly where?: Readonly<Record<string, string>>;
  readonly session?: string;
}

/** A question that a slice can be asked, with the answer of the specification for a slice. */
export interface Asked {
  /** Its place among the queries of its world. */
  readonly index: number;
  readonly query: Query;
  /** Microseconds since 1970-01-01T00:00:00Z. */
  readonly now: number;
  readonly answer: object;
}

/** A world's slices, each with its questions. */
export interface Answered {
  readonly seed: number;
  readonly slices: readonly {
    readonly subject: string;
    readonly bytes: string;
    readonly questions: readonly Asked[];
  }[];
  /** The places of queries that no slice can be asked. */
  readonly unasked: readonly number[];
}

/** Runs the program, line by line, so that no more than a line is held. */
async function* run(args: readonly string[], input: string): AsyncGenerator<Answered> {
  if (PROGRAM === undefined) {
    throw new Error("the slices are missing: run `cargo build -p postern-fuzzing --example slices`");
  }
  const child = spawn(PROGRAM, args, { stdio: ["pipe", "pipe", "inherit"] });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  // A program that needs no input may be done before it is offered any. Its exit code tells whether it failed.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as Answered;
  const code = await closed;
  if (code !== 0) throw new Error(`${PROGRAM} ended with ${code}`);
}

/** Random worlds, from a seed on. */
export function randomWorlds(firstSeed: number, count: number, questions: number): AsyncGenerator<Answered> {
  return run(["random", String(firstSeed), String(count), String(questions)], "");
}

/** These worlds with these queries, in order. */
export function givenWorlds(
  worlds: readonly { readonly world: object; readonly queries: readonly object[] }[],
): AsyncGenerator<Answered> {
  return run(["worlds"], worlds.map((world) => JSON.stringify(world) + "\n").join(""));
}
