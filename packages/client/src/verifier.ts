// What verifies statements as they come: with keys that were pinned, or that the gateway publishes.

import { PosternError } from "./errors.js";
import { KeySet } from "./keys.js";
import { StatementError, type Statement } from "./statement.js";

/** Reads a statement that is the authority's: checks 1 to 4. Rejects with `unverified`, or `unavailable` without keys. */
export type Verify = (text: string) => Promise<Statement>;

/** Makes what verifies for one gateway, of which `keys` is the address of the keys. */
export type Verifier = (keys: URL, fetcher: typeof fetch) => Verify;

/** A set is fetched again for an unknown key, but not sooner than this. */
const AGAIN_MS = 30_000;
/** And without a reason after this, so that a key which was withdrawn is not believed for ever. */
const KEPT_MS = 5 * 60_000;
const FETCH_MS = 10_000;

/** For `connect({ verify })`: with the keys that the gateway publishes, or with these only (a JWK Set, parsed). */
export function verified(pinned?: unknown): Verifier {
  if (pinned === undefined) return (address, fetcher) => published(address, fetcher);
  const keys = KeySet.of(pinned);
  // A set that is none is told to whoever verifies with it.
  keys.catch(() => undefined);
  return () => async (text) => (await keys).verify(text);
}

/** With the keys at an address. `steady`: milliseconds by a clock that only runs forward. */
export function published(
  address: URL,
  fetcher: typeof fetch,
  steady: () => number = () => performance.now(),
): Verify {
  let keys: KeySet | undefined;
  let [askedAt, keptAt] = [-Infinity, -Infinity];

  const renewed = async (): Promise<KeySet> => {
    askedAt = steady();
    keys = await KeySet.fetch(address, { fetch: fetcher, signal: AbortSignal.timeout(FETCH_MS) });
    keptAt = askedAt;
    return keys;
  };

  const current = async (): Promise<KeySet> => {
    if (keys === undefined) return renewed();
    const now = steady();
    if (now - keptAt < KEPT_MS || now - askedAt < AGAIN_MS) return keys;
    try {
      return await renewed();
    } catch (error) {
      // A gateway that cannot be asked now has not withdrawn anything.
      if (error instanceof PosternError) return keys;
      throw error;
    }
  };

  return async (text) => {
    const held = await current();
    try {
      return await held.verify(text);
    } catch (error) {
      const unknown = error instanceof StatementError && error.refusal === "unknown_key";
      if (!unknown || steady() - askedAt < AGAIN_MS) throw error;
      return (await renewed()).verify(text);
    }
  };
}
