// Whose statements are believed: keys that were pinned, keys that the gateway publishes, or, unverified, anybody's.

import { PosternError } from "./errors.js";
import { KeySet, parseStatement, StatementError, type Statement } from "./statement.js";

/** Whether statements are verified, and with which keys: those of the gateway (`true`), or these (a JWK Set). */
export type Verify = boolean | { readonly keys: unknown };

/** A set is fetched again for an unknown key, but not sooner than this. */
const AGAIN_MS = 30_000;
/** And without a reason after this, so that a key which was withdrawn is not believed for ever. */
const KEPT_MS = 5 * 60_000;
const FETCH_MS = 10_000;

/** Reads statements as `verify` says. */
export class Authority {
  readonly #verify: Verify;
  readonly #fetch: () => Promise<KeySet>;
  readonly #steady: () => number;
  #keys: KeySet | undefined;
  #askedAt = -Infinity;
  #keptAt = -Infinity;

  /** `address`: of the gateway's keys. `steady`: milliseconds by a clock that only runs forward. */
  constructor(
    verify: Verify,
    address: URL,
    fetcher: typeof fetch,
    steady: () => number = () => performance.now(),
  ) {
    this.#verify = verify;
    this.#fetch = () => KeySet.fetch(address, { fetch: fetcher, signal: AbortSignal.timeout(FETCH_MS) });
    this.#steady = steady;
  }

  /** Whether nothing comes into force that no valid statement names. */
  get verifies(): boolean {
    return this.#verify !== false;
  }

  /** Checks 1 to 4, or only 1 and 2 where nothing is verified. Throws `unverified`, or `unavailable` without keys. */
  async read(text: string): Promise<Statement> {
    if (this.#verify === false) return parseStatement(text);
    const keys = await this.#current(this.#verify);
    try {
      return await keys.verify(text);
    } catch (error) {
      const unknown = error instanceof StatementError && error.refusal === "unknown_key";
      if (!unknown || this.#verify !== true || this.#steady() - this.#askedAt < AGAIN_MS) throw error;
      return (await this.#renewed()).verify(text);
    }
  }

  async #current(verify: true | { readonly keys: unknown }): Promise<KeySet> {
    if (verify !== true) return (this.#keys ??= await KeySet.of(verify.keys));
    if (this.#keys === undefined) return this.#renewed();
    const now = this.#steady();
    if (now - this.#keptAt < KEPT_MS || now - this.#askedAt < AGAIN_MS) return this.#keys;
    try {
      return await this.#renewed();
    } catch (error) {
      // A gateway that cannot be asked now has not withdrawn anything.
      if (error instanceof PosternError) return this.#keys;
      throw error;
    }
  }

  async #renewed(): Promise<KeySet> {
    this.#askedAt = this.#steady();
    this.#keys = await this.#fetch();
    this.#keptAt = this.#askedAt;
    return this.#keys;
  }
}
