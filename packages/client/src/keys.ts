// The keys that verify statements: checks 1 to 4 of `docs/statements.md`, by WebCrypto.

import { decodeBase64 } from "./base64.js";
import { PosternError } from "./errors.js";
import { malformed, StatementError, statementOf, toBase64, type Statement } from "./statement.js";

/** LIMIT: characters of a statement, each of which is a byte. */
export const STATEMENT_BYTES_MAX = 16 * 1024;

const TYPE = "postern-statement+jwt";
const MEMBERS = ["organization", "subject", "epoch", "revision", "as_of", "hash", "iat", "exp"];
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

type Bytes = Uint8Array<ArrayBuffer>;

/** The public keys of one authority. */
export class KeySet {
  readonly #keys: ReadonlyMap<string, CryptoKey>;

  private constructor(keys: ReadonlyMap<string, CryptoKey>) {
    this.#keys = keys;
  }

  /**
   * Takes a JWK Set (RFC 7517), parsed. Keys of other kinds and for other uses are left out, and so is a weak one,
   * which signs everything. Throws a {@link StatementError}: `malformed` where no key is left.
   */
  static async of(set: unknown): Promise<KeySet> {
    const listed = isObject(set) ? set["keys"] : undefined;
    const keys = new Map<string, CryptoKey>();
    for (const jwk of Array.isArray(listed) ? listed : []) {
      const x = isObject(jwk) ? pointOf(jwk) : undefined;
      if (x === undefined) continue;
      const kid = (jwk as Record<string, unknown>)["kid"];
      const key = await importKey(x);
      // The authority's name for it; its thumbprint where it has none.
      if (key !== undefined) keys.set(typeof kid === "string" ? kid : await thumbprint(x), key);
    }
    if (keys.size === 0) throw new StatementError("malformed", "this is no JWK Set with an Ed25519 key");
    return new KeySet(keys);
  }

  /** Fetches the set, past what caches hold of it. Throws `unavailable` or, as {@link KeySet.of} does, `unverified`. */
  static async fetch(
    address: string | URL,
    options: { fetch?: typeof fetch; signal?: AbortSignal } = {},
  ): Promise<KeySet> {
    const fetcher = options.fetch ?? globalThis.fetch;
    let set: unknown;
    try {
      const response = await fetcher(address, {
        cache: "no-cache",
        credentials: "omit",
        redirect: "error",
        ...(options.signal && { signal: options.signal }),
      });
      if (!response.ok)
        throw new PosternError("unavailable", `the keys' address answered ${response.status}`);
      set = await response.json();
    } catch (cause) {
      if (cause instanceof PosternError) throw cause;
      if (cause instanceof SyntaxError) throw new StatementError("malformed", "the keys are no JSON", cause);
      throw new PosternError("unavailable", "the keys cannot be fetched", cause);
    }
    return KeySet.of(set);
  }

  /**
   * Checks 1 to 4. What the statement is about, and whether it is news, is for the caller to check: {@link isAbout},
   * {@link mayFollow}, {@link hash}. Throws a {@link StatementError}: `malformed`, `unknown_key`, `bad_signature`.
   */
  async verify(text: string): Promise<Statement> {
    const { kid, signed, signature, payload } = partsOf(text);
    const key = this.#keys.get(kid);
    if (key === undefined) throw new StatementError("unknown_key", "its key is not in the set of keys");
    // Runtimes differ in whether they refuse these: one signature must have one form, and be of one message.
    const good =
      isStrict(signature) &&
      (await globalThis.crypto.subtle.verify("Ed25519", key, signature, ENCODER.encode(signed) as Bytes));
    if (!good) throw new StatementError("bad_signature", "its signature is wrong");
    return statementOf(objectOf(payload, MEMBERS));
  }
}

interface Parts {
  readonly kid: string;
  readonly signed: string;
  readonly payload: Bytes;
  readonly signature: Bytes;
}

function partsOf(text: string): Parts {
  if (text.length > STATEMENT_BYTES_MAX) throw malformed("it is longer than 16 KiB");
  const [head, body, tail, ...more] = text.split(".");
  if (head === undefined || body === undefined || tail === undefined || more.length > 0) {
    throw malformed("it has not three parts");
  }
  const [header, payload, signature] = [head, body, tail].map(decodeBase64Url);
  if (header === undefined || payload === undefined || signature === undefined) {
    throw malformed("a part is not base64url without padding");
  }
  const { alg, kid, typ, crit } = objectOf(header, ["alg", "kid", "typ", "crit"]);
  if (typ !== TYPE) throw malformed("its `typ` is not `postern-statement+jwt`");
  // RFC 9864 names the algorithm of RFC 8037 anew.
  if (alg !== "EdDSA" && alg !== "Ed25519") throw malformed("its `alg` is neither `EdDSA` nor `Ed25519`");
  if (typeof kid !== "string") throw malformed("its `kid` is no text");
  if (crit !== undefined) throw malformed("it has a `crit`");
  if (signature.length !== 64) throw malformed("its signature has not 64 bytes");
  return { kid, signed: `${head}.${body}`, payload, signature };
}

/** The members of a JSON object. One of `known` that stands there twice is refused: readers differ in which they take. */
function objectOf(json: Bytes, known: readonly string[]): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = DECODER.decode(json);
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed("a part is no JSON", cause);
  }
  if (!isObject(value)) throw malformed("a part is no JSON object");
  const seen = new Set<string>();
  let depth = 0;
  // What JSON.parse has taken consists of these and of what stands between them: a text before a colon is a name.
  for (const [token, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (depth === 1 && colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      if (seen.has(name) && known.includes(name)) throw malformed(`\`${name}\` stands there twice`);
      seen.add(name);
    }
  }
  // Without a prototype, so that `known` members that are not there are not inherited either.
  return Object.assign(Object.create(null) as Record<string, unknown>, value);
}

/** Neither a list nor nothing. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decodeBase64Url(text: string): Bytes | undefined {
  const bytes = /^[A-Za-z0-9_-]*$/.test(text) ? decodeBase64(toBase64(text)) : undefined;
  // Bits after the last byte are not skipped: the same bytes have one text.
  return bytes !== undefined && encodeBase64Url(bytes) === text ? (bytes as Bytes) : undefined;
}

function encodeBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of a key that may verify statements. */
function pointOf(jwk: Record<string, unknown>): Bytes | undefined {
  const { kty, crv, use = "sig", alg = "EdDSA", x } = jwk;
  if (kty !== "OKP" || crv !== "Ed25519" || use !== "sig") return undefined;
  if ((alg !== "EdDSA" && alg !== "Ed25519") || typeof x !== "string") return undefined;
  const bytes = decodeBase64Url(x);
  return bytes?.length === 32 && isStrictPoint(bytes) ? bytes : undefined;
}

/** RFC 7638: the required members in the order of their names, without white space. */
async function thumbprint(x: Bytes): Promise<string> {
  const canonical = `{"crv":"Ed25519","kty":"OKP","x":"${encodeBase64Url(x)}"}`;
  const digest = await globalThis.crypto.subtle.digest("SHA-256", ENCODER.encode(canonical) as Bytes);
  return encodeBase64Url(new Uint8Array(digest));
}

/** `undefined` for what is no point of the curve, where the runtime looks. */
async function importKey(x: Bytes): Promise<CryptoKey | undefined> {
  try {
    return await globalThis.crypto.subtle.importKey("raw", x, "Ed25519", false, ["verify"]);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "DataError") return undefined;
    throw new StatementError(undefined, "this runtime cannot verify Ed25519 (is the page on https?)", cause);
  }
}

// RFC 8032: the field's prime, the group's order, and a coordinate of the points of order 8.
const PRIME = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const ORDER_EIGHT = littleEndian(
  Uint8Array.from(
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".match(/../g) ?? [],
    (byte) => Number.parseInt(byte, 16),
  ),
);
const SMALL = new Set([0n, 1n, PRIME - 1n, ORDER_EIGHT, PRIME - ORDER_EIGHT]);

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Neither of small order nor written in a second form. Whether it is on the curve is not checked here. */
function isStrictPoint(bytes: Uint8Array): boolean {
  const y = BigInt.asUintN(255, littleEndian(bytes));
  return y < PRIME && !SMALL.has(y);
}

function isStrict(signature: Uint8Array): boolean {
  return isStrictPoint(signature.subarray(0, 32)) && littleEndian(signature.subarray(32)) < ORDER;
}
