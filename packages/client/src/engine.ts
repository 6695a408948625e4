// The seam to WebAssembly: what slices and snapshots need of the resolver. `wasm_engine.ts` provides it.

import type { Answer, Request } from "./wire.js";

/** The handle of what a slice does not name. */
export const UNKNOWN_HANDLE = 0xffff_ffff;

/** A loaded resolver. */
export interface Engine {
  /** Validates bytes of a slice or of a whole snapshot, once. Throws a PosternError `bad_slice`. */
  open(bytes: Uint8Array): EngineState;
}

/** What was opened. Codes are those of the resolver; times are microseconds since 1970-01-01T00:00:00Z. */
export interface EngineState {
  readonly organization: string;
  readonly revision: number;
  /** Of a slice: whose. `undefined`: the whole snapshot, which is about everybody. */
  readonly subject: string | undefined;
  /** Some fact has a time bound. */
  readonly timed: boolean;
  /** The handles of permissions are the numbers below this. */
  readonly permissionCount: number;
  /** The handle of a permission key. */
  permission(key: string): number;
  /** The handle of a resource. */
  resource(type: string, id: string): number;
  /** The handle of a subject, also by an alias. */
  subjectHandle(subject: string): number;
  /** A check on handles: its code. */
  check(subject: number, permission: number, resource: number, now: number): number;
  /** A whole question. */
  ask(request: Request): Answer;
  /** The first moment after `now` at which a fact begins or ceases to count; Infinity for none. */
  nextChange(now: number): number;
  /** Gives its memory back. No question may follow. */
  free(): void;
}
