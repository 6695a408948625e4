// How old what is in force is: the statement about it, an age that grows by a clock which only runs forward, and a timer
// that tells when the age passes what somebody cares about.
//
// Not here: whether a statement is valid, and what is denied for its age.

import { PosternError } from "./errors.js";
import type { MaxAgeByPattern } from "./question.js";
import type { Statement } from "./statement.js";
import { startTimer, type Timer } from "./timer.js";

/** How current the answers are. All but `revision` are `undefined` where the gateway makes no statements. */
export interface Freshness {
  /** Of the slice in force. */
  readonly revision: number;
  /** The newest revision at which the slice was what the authority says. */
  readonly asOf: number | undefined;
  /** Milliseconds since the authority last knew that nothing newer was in force. */
  readonly ageMs: number | undefined;
  /** Whether that is within the time for which the authority stands by it. */
  readonly fresh: boolean | undefined;
}

/** The two clocks, in milliseconds: `wall` since 1970, asked once for each statement; `steady` only runs forward. */
export interface Clocks {
  wall(): number;
  steady(): number;
}

const CLOCKS: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

/** The age of one slice after the other. */
export class Age {
  readonly #limits: readonly number[];
  readonly #onChange: (() => void) | undefined;
  readonly #clocks: Clocks;
  #statement: Statement | undefined;
  #latestIat = -Infinity;
  #takenMs = 0;
  #takenAt = 0;
  /** How many limits are passed; `undefined` before the first statement. */
  #passed: number | undefined;
  #timer: Timer | undefined;

  /**
   * Calls `onChange` when the age passes the validity or one of `limits` (milliseconds), or is below it again. Without it no
   * timer is started.
   */
  constructor(limits: readonly number[] = [], onChange?: () => void, clocks: Clocks = CLOCKS) {
    this.#limits = limits;
    this.#onChange = onChange;
    this.#clocks = clocks;
  }

  /** The one that is in force. */
  get statement(): Statement | undefined {
    return this.#statement;
  }

  /** The latest `iat` of all that were taken, which need not be that of the one in force. */
  get latestIat(): number {
    return this.#latestIat;
  }

  /** In milliseconds; `undefined` without a statement. */
  get ms(): number | undefined {
    if (this.#statement === undefined) return undefined;
    return this.#takenMs + Math.max(0, this.#clocks.steady() - this.#takenAt);
  }

  /** Whether the statement still says something about the present; `undefined` without one. */
  get fresh(): boolean | undefined {
    return this.#statement === undefined ? undefined : this.isWithin(validity(this.#statement));
  }

  /** Whether the age is known to be below so many milliseconds; always for Infinity, never for NaN. */
  isWithin(limit: number): boolean {
    return limit === Infinity || (this.ms ?? Infinity) < limit;
  }

  /** Puts a statement into force that may follow the one before. One that says the same for no longer changes nothing. */
  take(statement: Statement): void {
    const held = this.#statement;
    this.#latestIat = Math.max(this.#latestIat, statement.iat);
    if (
      held !== undefined &&
      statement.epoch === held.epoch &&
      statement.revision === held.revision &&
      statement.asOf === held.asOf &&
      statement.exp <= held.exp
    ) {
      return;
    }
    this.#statement = statement;
    // A statement from the future is one of now: a clock that is behind does not make it younger than that.
    this.#takenMs = Math.max(0, this.#clocks.wall() - statement.iat * 1000);
    this.#takenAt = this.#clocks.steady();
    this.#look();
  }

  /** What was taken is not believed any more: no age is known. */
  forget(): void {
    this.#statement = undefined;
    this.#latestIat = -Infinity;
    this.#passed = undefined;
    this.#timer?.stop();
    this.#onChange?.();
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#timer?.stop();
  }

  #look(): void {
    this.#timer?.stop();
    if (this.#statement === undefined || this.#onChange === undefined) return;
    const age = this.ms ?? 0;
    const limits = [validity(this.#statement), ...this.#limits];
    const ahead = limits.filter((limit) => age < limit);
    // Timers may fire early: what is not passed then is waited for again.
    const wait = Math.ceil(Math.min(...ahead) - age);
    this.#timer = ahead.length > 0 ? startTimer(() => this.#look(), wait) : undefined;
    const passed = limits.length - ahead.length;
    if (passed === this.#passed) return;
    this.#passed = passed;
    this.#onChange();
  }
}

function validity(statement: Statement): number {
  return Math.max(0, statement.exp - statement.iat) * 1000;
}

/** The most that permissions may be old, by patterns: a permission, or the beginning of some, ended by `*`. */
export class MaxAges {
  readonly #limits: readonly (readonly [pattern: string, ms: number])[];

  /** Takes seconds. Throws `invalid_request` for what is no pattern or no time. */
  constructor(seconds: MaxAgeByPattern) {
    this.#limits = Object.entries(seconds as Record<string, number>).map(([pattern, limit]) => {
      if (pattern === "" || pattern.slice(0, -1).includes("*") || !(limit >= 0)) {
        throw new PosternError(
          "invalid_request",
          `\`maxAge\` has \`${pattern}: ${limit}\`: give seconds for a permission or for a beginning with \`*\` after it`,
        );
      }
      return [pattern, limit * 1000];
    });
  }

  /** All of them, in milliseconds. */
  get all(): number[] {
    return this.#limits.map(([, limit]) => limit);
  }

  /** The strictest one that the permission meets, in milliseconds; `Infinity` where there is none. */
  of(permission: string): number {
    let strictest = Infinity;
    for (const [pattern, limit] of this.#limits) {
      const meets = pattern.endsWith("*")
        ? permission.startsWith(pattern.slice(0, -1))
        : permission === pattern;
      if (meets && limit < strictest) strictest = limit;
    }
    return strictest;
  }
}
