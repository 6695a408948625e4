// What the client's own tests have: worlds, a gateway, somebody who signs.

import type { Claims, Signer as SignerType } from "../../client/dist/test/embedding.js";

export const shared = (await import(
  new URL("../../../client/dist/test/embedding.js", import.meta.url).href
)) as typeof import("../../client/dist/test/embedding.js");

const { sha256, TestGateway } = shared;

export type Gateway = Awaited<ReturnType<typeof TestGateway.start>>;
export type Signer = SignerType;

export const seconds = (): number => Math.floor(Date.now() / 1000);

/** A statement about a whole snapshot, unless it says of what. */
export function stateAll(signer: Signer, bytes: Uint8Array, said: Partial<Claims>): Promise<string> {
  const { revision = 5, iat = seconds() } = said;
  const rest = { epoch: "e1", as_of: revision, hash: sha256(bytes), exp: iat + 60 };
  return signer.sign({ organization: "acme", revision, iat, ...rest, ...said });
}

/** A gateway that serves an organization's snapshot. */
export async function gatewayOf(
  bytes: Uint8Array,
  signer: Signer,
  statement: string | undefined,
): Promise<Gateway> {
  const gateway = await TestGateway.start(bytes);
  gateway.paths = {
    state: "v1/organizations/acme/snapshot",
    stream: "v1/organizations/acme/stream",
  };
  gateway.conditional = "right";
  gateway.etag = '"5"';
  gateway.keys = { keys: [signer.jwk] };
  gateway.statement = statement;
  gateway.tokens = new Set(["key"]);
  return gateway;
}
