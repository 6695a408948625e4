// An authority for the tests: signs statements with WebCrypto, right ones and wrong ones.

import { createHash, webcrypto } from "node:crypto";

/** RFC 8037, appendix A. */
export const RFC_8037 = {
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  thumbprint: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
} as const;

/** SHA-256, by another implementation than the one that is tested. */
export const sha256 = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

/** The claims of a statement, as they stand in its payload. */
export interface Claims {
  organization: string;
  subject?: string;
  epoch: string;
  revision: number;
  as_of: number;
  hash: string;
  iat: number;
  exp: number;
}

/** A key that signs statements. */
export class Signer {
  readonly kid: string;
  readonly jwk: Record<string, string>;
  readonly #key: CryptoKey;

  private constructor(kid: string, x: string, key: CryptoKey) {
    this.kid = kid;
    this.jwk = { kty: "OKP", crv: "Ed25519", x, kid, alg: "EdDSA", use: "sig" };
    this.#key = key;
  }

  static async rfc8037(): Promise<Signer> {
    const { d, x, thumbprint } = RFC_8037;
    const jwk = { kty: "OKP", crv: "Ed25519", d, x };
    return new Signer(
      thumbprint,
      x,
      await webcrypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]),
    );
  }

  static async random(): Promise<Signer> {
    const pair = (await webcrypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
    const { x = "" } = await webcrypto.subtle.exportKey("jwk", pair.publicKey);
    const kid = createHash("sha256").update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest("base64url");
    return new Signer(kid, x, pair.privateKey);
  }

  get header(): string {
    return JSON.stringify({ alg: "EdDSA", kid: this.kid, typ: "postern-statement+jwt" });
  }

  /** Signs what is given, right or wrong. */
  async raw(header: string, payload: string): Promise<string> {
    const text = [header, payload].map((part) => Buffer.from(part).toString("base64url")).join(".");
    const signature = await webcrypto.subtle.sign("Ed25519", this.#key, Buffer.from(text));
    return `${text}.${Buffer.from(signature).toString("base64url")}`;
  }

  sign(claims: Claims): Promise<string> {
    return this.raw(this.header, JSON.stringify(claims));
  }
}

export const seconds = (): number => Math.floor(Date.now() / 1000);

/** A statement about a slice of Tom, unless something else is said. */
export function state(signer: Signer, bytes: Uint8Array, said: Partial<Claims>): Promise<string> {
  const { revision = 5, iat = seconds() } = said;
  const rest = { epoch: "e1", as_of: revision, hash: sha256(bytes), exp: iat + 60 };
  return signer.sign({ organization: "acme", subject: "user:tom", revision, iat, ...rest, ...said });
}
