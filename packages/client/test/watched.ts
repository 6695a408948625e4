// A client with everything that it tells, on a gateway of the tests; both are closed after each test.

import { afterEach } from "node:test";
import { connect, PosternError, type Change, type ConnectOptions, type Postern } from "../src/index.js";
import type { Status } from "../src/options.js";
import { StatementError } from "../src/statements.js";
import { TestGateway, until } from "./gateway.js";
import { state, type Signer } from "./signing.js";

export { seconds, state } from "./signing.js";

export const FAST = { retryMinMs: 5, retryMaxMs: 20 } as const;

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

export interface Watched {
  gateway: TestGateway;
  postern: Postern;
  changes: Change[];
  /** Codes; of what is unverified, the contract's. */
  errors: string[];
  statuses: Status[];
}

export const codeOf = (error: PosternError): string =>
  error instanceof StatementError ? `unverified ${error.refusal}` : error.code;

/** That a promise is rejected with a code, which is the contract's for what is unverified. */
export const rejected = (code: string) => (error: unknown) =>
  error instanceof PosternError && codeOf(error) === code;

/** A gateway that is stopped after the test; it states what it serves. */
export async function gatewayOf(bytes: Uint8Array, signer: Signer, revision = 5): Promise<TestGateway> {
  const gateway = await TestGateway.start(bytes);
  open.push(() => gateway.stop());
  gateway.keys = { keys: [signer.jwk] };
  gateway.statement = await state(signer, bytes, { revision });
  return gateway;
}

/** What a stream begins with: a statement and its bytes, or only one that says that they are right. */
export function greeting(statement: string, bytes?: Uint8Array): string {
  const event = `event: statement\ndata: ${JSON.stringify({ statement })}\n\n`;
  if (bytes === undefined) return event;
  const data = JSON.stringify({ etag: '"new"', bytes: Buffer.from(bytes).toString("base64") });
  return `${event}event: state\ndata: ${data}\n\n`;
}

/** A client of a gateway, watched, when its status is this one. */
export async function clientOf(
  gateway: TestGateway,
  options: Partial<ConnectOptions> = {},
  status: Status = "live",
): Promise<Watched> {
  const errors: string[] = [];
  const onError = (error: PosternError): unknown => errors.push(codeOf(error));
  const postern = await connect({ url: gateway.url, token: "t", onError, ...FAST, ...options });
  open.unshift(() => postern.close());
  const changes: Change[] = [];
  const statuses: Status[] = [];
  postern.subscribe((change) => changes.push(change));
  postern.onStatus((each) => statuses.push(each));
  await until(() => postern.status === status, status);
  return { gateway, postern, changes, errors, statuses };
}
