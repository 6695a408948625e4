// The two hashes of docs/snapshot-format.md that an evaluator needs: the checksum of the bytes, and the digest that a
// slice keeps of a group's id. Synchronous and small before fast; `crypto.subtle` has only promises.

const K0 = 0x9e3779b97f4a7c15n;
const K1 = 0xc2b2ae3d27d4eb4fn;
const K2 = 0x165667b19e3779f9n;

const wrap = (hash: bigint): bigint => BigInt.asUintN(64, hash);

const mix = (hash: bigint, word: bigint, times: bigint, by: bigint): bigint => {
  const product = wrap((hash ^ word) * times);
  return wrap(product << by) | (product >> (64n - by));
};

const finish = (hash: bigint): bigint => {
  const product = wrap((hash ^ (hash >> 32n)) * K1);
  return product ^ (product >> 29n);
};

/** The checksum of the bytes from `at` to `end`, after which eight zeros must follow. It finds damage, not forgery. */
export function checksum(view: DataView, at: number, end: number): bigint {
  const word = (): bigint => view.getBigUint64((at += 8) - 8, true);
  let hash = wrap(BigInt(end - at) * K0);
  let lanes = [K0, K1, K2, K0 ^ K1];
  while (at + 32 <= end) lanes = lanes.map((lane) => mix(lane, word(), K0, 29n));
  while (at + 8 <= end) hash = wrap(mix(hash, word(), K1, 31n) * K0);
  hash = wrap((hash ^ word()) * K2);
  for (const lane of lanes) hash = mix(hash, finish(lane), K1, 27n);
  return finish(hash);
}

/** Bytes as hexadecimal digits. */
export const hex = (bytes: Uint8Array): string =>
  bytes.reduce((text, byte) => text + (byte + 256).toString(16).slice(1), "");

/** A word rotated to the right by each of some numbers of bits, all exclusive-ored. */
const rotate = (word: number, ...turns: number[]): number =>
  turns.reduce((all, by) => all ^ ((word >>> by) | (word << -by)), 0);

/** The first 16 bytes of SHA-256 of a text's UTF-8, as hexadecimal digits. */
export function digest(text: string): string {
  const source = new TextEncoder().encode(text);
  const bytes = new Uint8Array((source.length + 72) & -64);
  const view = new DataView(bytes.buffer);
  bytes.set(source);
  bytes[source.length] = 128;
  view.setUint32(bytes.length - 4, source.length * 8);

  // The constants of SHA-256 are fractions of roots of primes: shorter to compute than to ship. None of the 72 has a
  // fraction after its 32 bits that is near enough to 0 or 1 for the last bits of a floating-point root to matter.
  const rounds: number[] = [];
  let state: number[] = [];
  for (let number = 2; rounds.length < 64; number += 1) {
    let factor = 2;
    while (number % factor) factor += 1;
    if (factor < number) continue;
    state.push((number ** 0.5 * 2 ** 32) | 0);
    rounds.push((number ** (1 / 3) * 2 ** 32) | 0);
  }

  for (let block = 0; block < bytes.length;) {
    const words: number[] = [];
    let now = state;
    rounds.forEach((constant, index) => {
      const [a, b, c, d, e, f, g, h] = now as Eight;
      const x = words[index - 15]!;
      const y = words[index - 2]!;
      const word =
        index < 16
          ? view.getInt32((block += 4) - 4)
          : (words[index - 16]! +
              words[index - 7]! +
              (rotate(x, 7, 18) ^ (x >>> 3)) +
              (rotate(y, 17, 19) ^ (y >>> 10))) |
            0;
      words.push(word);
      const first = h + rotate(e, 6, 11, 25) + (g ^ (e & (f ^ g))) + constant + word;
      const second = rotate(a, 2, 13, 22) + ((a & b) ^ (c & (a ^ b)));
      now = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
    });
    state = now.map((word, index) => (word + state[index]!) | 0);
  }
  state.forEach((word, index) => view.setInt32(index * 4, word));
  return hex(bytes.subarray(0, 16));
}

type Eight = [number, number, number, number, number, number, number, number];
