// How long to wait before the next attempt: exponential, with jitter, so that the browsers of a whole company do not
// return in the same second after the gateway was away.

/** Bounds of the waiting time. */
export interface BackoffOptions {
  /** The first wait, in milliseconds, before jitter. */
  readonly minMs: number;
  /** The longest wait, in milliseconds. */
  readonly maxMs: number;
}

/** Grows with every attempt; {@link Backoff.reset} starts over. */
export class Backoff {
  #attempts = 0;
  #minMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;

  /** `random` gives uniform numbers in [0, 1). */
  constructor(options: BackoffOptions, random: () => number = Math.random) {
    this.#minMs = options.minMs;
    this.#maxMs = options.maxMs;
    this.#random = random;
  }

  /** The next wait in milliseconds: between half of the grown time and all of it. */
  next(): number {
    // 2^30 times any minimum is past any maximum; without the bound the power overflows after a day offline.
    const grown = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return grown * (0.5 + this.#random() / 2);
  }

  /** The next wait is the first one again. */
  reset(): void {
    this.#attempts = 0;
  }

  /** The server asked for another first wait. It cannot exceed the longest one. */
  setMinMs(minMs: number): void {
    this.#minMs = Math.min(Math.max(minMs, 1), this.#maxMs);
  }
}
