// Statements: which bytes are in force, and when the authority last knew that. `docs/statements.md` is the contract; its
// checks are cited as "check n".
//
// Not here: signatures (`keys.ts`), which pages that do not verify need not load; which statement is in force somewhere,
// and how old it is (`postern.ts`, `age.ts`).

import { decodeBase64 } from "./base64.js";
import { PosternError } from "./errors.js";

/** Why a statement is refused: the contract's codes. */
export type Refusal =
  /** It is no statement (checks 1 and 2), or what was given as keys is no set of keys. */
  | "malformed"
  /** Its key is not in the set (check 3). A reason to fetch the set again. */
  | "unknown_key"
  /** It was not signed with that key (check 4). */
  | "bad_signature"
  /** It is about another organization or subject (check 5). */
  | "other_state"
  /** Something newer is in force (check 6). */
  | "older"
  /** The bytes are others than it names (check 7). */
  | "other_bytes";

/** Something was not the authority's. Its code is `unverified`, and nothing has changed. */
export class StatementError extends PosternError {
  /** The contract's code; `undefined` where there was no statement, or nothing to verify with. */
  readonly refusal: Refusal | undefined;

  constructor(refusal: Refusal | undefined, message: string, cause?: unknown) {
    super("unverified", refusal === undefined ? message : `${refusal}: ${message}`, cause);
    this.refusal = refusal;
  }
}

/** What a statement says. Members that this version does not know are not kept. */
export interface Statement {
  /** Whose facts. */
  readonly organization: string;
  /** Of a slice: whose. `undefined`: the whole snapshot. */
  readonly subject: string | undefined;
  /** Names one history of revisions. */
  readonly epoch: string;
  /** Of the bytes. */
  readonly revision: number;
  /** The newest revision at which the bytes were what the authority says. */
  readonly asOf: number;
  /** What {@link hash} gives for the bytes. */
  readonly hash: string;
  /** When the authority last knew that nothing newer was in force, in seconds since 1970. */
  readonly iat: number;
  /** From then on it says nothing about the present, in seconds since 1970. */
  readonly exp: number;
}

/**
 * SHA-256 as a statement has it: 64 hexadecimal digits in lower case. `undefined` where the runtime has no WebCrypto,
 * as on pages that did not come over https.
 */
export async function hash(bytes: Uint8Array): Promise<string | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return undefined;
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads what a statement says, and verifies nothing. Throws a {@link StatementError}: `malformed`. */
export function readStatement(text: string): Statement {
  const [, payload = ""] = text.split(".");
  let said: unknown;
  try {
    said = JSON.parse(new TextDecoder().decode(decodeBase64(toBase64(payload))));
  } catch (cause) {
    throw malformed("it is no JSON Web Signature of JSON", cause);
  }
  // What is no object has none of the members.
  return statementOf((said ?? {}) as Record<string, unknown>);
}

/** Check 5: about this organization, and this subject's slice or (`undefined`) the whole snapshot. */
export function isAbout(statement: Statement, organization: string, subject: string | undefined): boolean {
  return statement.organization === organization && statement.subject === subject;
}

/** Check 6: whether a statement may take the place of another one about the same facts. */
export function mayFollow(next: Statement, held: Statement): boolean {
  if (next.epoch !== held.epoch) return next.iat > held.iat;
  if (next.asOf < held.asOf || next.revision < held.revision) return false;
  // One revision is one state.
  return next.asOf > held.asOf || next.revision > held.revision || next.hash === held.hash;
}

/** What the members of a payload say. Throws a {@link StatementError}. */
export function statementOf(said: Record<string, unknown>): Statement {
  const { organization, subject = null, epoch, revision, as_of: asOf, hash, iat, exp } = said;
  if (
    ![organization, subject ?? "", epoch].every((text) => typeof text === "string") ||
    ![revision, asOf, iat, exp].every(Number.isSafeInteger) ||
    !/^[0-9a-f]{64}$/.test(String(hash)) ||
    (revision as number) < 0 ||
    (asOf as number) < (revision as number)
  ) {
    throw malformed("a member is missing, of another type, or out of its range");
  }
  return { organization, subject: subject ?? undefined, epoch, revision, asOf, hash, iat, exp } as Statement;
}

/** What is no statement. */
export function malformed(message: string, cause?: unknown): StatementError {
  return new StatementError("malformed", message, cause);
}

/** Base64url with the characters of base64. */
export function toBase64(text: string): string {
  return text.replaceAll("-", "+").replaceAll("_", "/");
}
