// The seam to WebAssembly: what a slice needs of the resolver. `wasm_engine.ts` provides it.

import type { Answer, Request } from "./wire.js";

/** The handle of what a slice does not name. */
export const UNKNOWN_HANDLE = 0xffff_ffff;

/** A loaded resolver. */
export interface Engine {
  /** Validates the bytes of a slice, once. Throws a PosternError `bad_slice`. */
  open(bytes: Uint8Array): EngineSlice;
}

/** An opened slice. Codes are those of the resolver; times are microseconds since 1970-01-01T00:00:00Z. */
export interface EngineSlice {
  readonly organization: string;
  readonly revision: number;
  readonly subject: string;
  /** Some fact has a time bound. */
  readonly timed: boolean;
  /** The handles of permissions are the numbers below this. */
  readonly permissionCount: number;
  /** The handle of a permission key. */
  permission(key: string): number;
  /** The handle of a resource. */
  resource(type: string, id: string): number;
  /** A check on handles: its code. */
  check(permission: number, resource: number, now: number): number;
  /** A whole question, asked as the slice's own subject. */
  ask(request: Omit<Request, "subject">): Answer;
  /** The first moment after `now` at which a fact begins or ceases to count; Infinity for none. */
  nextChange(now: number): number;
  /** Gives its memory back. No question may follow. */
  free(): void;
}
