// `@postern/client/at-least`: waiting until answers know of a write.

import type { Freshness } from "./age.js";
import { PosternError } from "./errors.js";
import { hash } from "./statement.js";

/** A client, or a guard of `@postern/edge`. */
export interface Reader {
  readonly organization: string;
  readonly status?: string;
  readonly error?: PosternError | undefined;
  freshness(): Freshness;
  refresh(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
/** How long the stream has its time before the gateway is asked; doubled each time. */
const ASK_MS = 100;
const LOOK_MS = 10;

/**
 * Waits until the answers are at least as new as a revision, or as the write whose answer had this
 * `Postern-Consistency-Token`: then the page sees what it has written. Rejects with `revision_not_reached` after `timeoutMs`,
 * with `invalid_request` for what is no token of this organization, and with what ended the client.
 */
export async function atLeast(
  reader: Reader,
  revision: number | string | null,
  { timeoutMs = TIMEOUT_MS } = {},
): Promise<void> {
  const wanted = typeof revision === "string" ? await revisionOf(revision, reader.organization) : revision;
  if (!Number.isSafeInteger(wanted) || wanted === null || wanted < 0)
    throw new PosternError("invalid_request", "no revision, and no token of this organization");
  const reached = (): boolean => {
    const { asOf, revision } = reader.freshness();
    return (asOf ?? revision) >= wanted;
  };
  const deadline = performance.now() + timeoutMs;
  for (let wait = ASK_MS; ; wait *= 2) {
    // Mostly the stream is faster than a request.
    const until = Math.min(performance.now() + wait, deadline);
    while (reader.status !== "closed" && !reached() && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (reader.status === "closed") throw reader.error ?? new PosternError("closed", "the client was closed");
    if (reached()) return;
    if (performance.now() >= deadline)
      throw new PosternError("revision_not_reached", `revision ${wanted} did not come in time`);
    try {
      await reader.refresh();
    } catch (error) {
      // It may be there again before the time is over.
      if (!(error instanceof PosternError) || error.code !== "unavailable") throw error;
    }
  }
}

/** The revision of a token of this organization; NaN for others. */
async function revisionOf(token: string, organization: string): Promise<number> {
  const [, digits, mark = ""] = /^(0|[1-9][0-9]{0,15})\.([0-9a-f]{16})$/.exec(token) ?? [];
  const digest = await hash(new TextEncoder().encode(organization));
  // Without SHA-256 nothing tells whose token it is.
  return digits !== undefined && (digest === undefined || digest.startsWith(mark)) ? Number(digits) : NaN;
}
