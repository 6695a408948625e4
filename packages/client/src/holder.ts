// What is in force, and what may take its place: opened bytes, the statement about them, and their age.
//
// INVARIANT: what is held is replaced only by what opened without error, is of the same organization and subject, and
// has a higher revision or, by its statement, is of another epoch and of a later moment than any that was taken. Where
// statements are verified it must be named by one. Whatever is refused changes nothing.
//
// Not here: where bytes and statements come from, and what is decided on them.

import type { Age } from "./age.js";
import { PosternError } from "./errors.js";
import {
  hash,
  isAbout,
  mayFollow,
  readStatement,
  StatementError,
  type Refusal,
  type Statement,
} from "./statement.js";
import type { Verify } from "./verifier.js";

/** Whose state something is. */
interface Whose {
  readonly organization: string;
  /** Of a slice: whose. `undefined`: the whole snapshot. */
  readonly subject: string | undefined;
}

/** Opened bytes, as far as this file looks at them. */
export interface Opened extends Whose {
  readonly revision: number;
  /** Gives its memory back. No question may follow. */
  free(): void;
}

/** What a {@link Holder} is made with. */
export interface Holding<T extends Opened> {
  /** Opens bytes. Throws a PosternError `bad_slice`. */
  readonly open: (bytes: Uint8Array) => T;
  /** Of the authority's statements; `undefined`: they are only read. */
  readonly verify: Verify | undefined;
  /** Whose facts; `undefined`: those of the first bytes. */
  readonly organization: string | undefined;
  /** Whose slice; `null`: the whole snapshot, and no slice; `undefined`: as the first bytes. */
  readonly subject?: string | null | undefined;
  readonly age: Age;
  /** Other bytes are in force than before, or none any more. */
  readonly onSwap: () => void;
  /** A statement was taken: with these bytes, or about those in force. */
  readonly onTaken?: ((text: string, bytes: Uint8Array | undefined) => void) | undefined;
  /** Told of a statement that does not count, where nothing is verified; otherwise never called. */
  readonly onError: (error: PosternError) => void;
}

const REFUSALS: Readonly<Partial<Record<Refusal, string>>> = {
  other_state: "the statement is about another organization or subject",
  older: "the statement is older than what is in force",
  other_bytes: "the bytes are not the ones that the statement names",
};

/** One subject's slice, or one organization's snapshot, one after the other. */
export class Holder<T extends Opened> {
  readonly #of: Holding<T>;
  readonly #age: Age;
  readonly #verify: Verify | undefined;
  #held: T | undefined;
  /** Of the bytes that are held, where a statement came with them and the runtime has WebCrypto. */
  #hash: string | undefined;
  #closed = false;

  constructor(of: Holding<T>) {
    this.#of = of;
    this.#age = of.age;
    this.#verify = of.verify;
  }

  /** What is in force. */
  get held(): T | undefined {
    return this.#held;
  }

  /**
   * Takes bytes, and the statement that came with them. False when they are older and are not used. Throws a
   * PosternError, and keeps what is held, when they are refused.
   */
  async offer(bytes: Uint8Array, text: string | undefined): Promise<boolean> {
    const verifies = this.#verify !== undefined;
    let statement = await this.#read(text);
    const digest = statement !== undefined || verifies ? await hash(bytes) : undefined;
    this.#assertOpen();
    if (statement !== undefined) {
      const refusal = this.#refusal(statement, digest);
      // Bytes that are older by an unverified statement are as good as any other older ones: not used.
      if (!verifies && refusal === "older") return false;
      statement = this.#unlessRefused(statement, refusal);
    }
    const same = this.#hash !== undefined && digest === this.#hash;
    if (same && statement !== undefined) this.#take(statement, text, bytes);
    if (same) return true;
    if (verifies && statement === undefined)
      throw new StatementError(undefined, "no statement came with the bytes");
    return this.#swap(bytes, statement, text, digest);
  }

  /** Takes a statement alone. False: it is about other bytes, and is read again with them. Throws what is refused. */
  async stated(text: string): Promise<boolean> {
    let statement: Statement | undefined;
    const held = this.#held;
    try {
      statement = readStatement(text);
    } catch (error) {
      if (this.#verify !== undefined) throw error;
    }
    const epoch = this.#age.statement?.epoch;
    const about =
      this.#hash === undefined
        ? statement?.revision === held?.revision && (epoch ?? statement?.epoch) === statement?.epoch
        : statement?.hash === this.#hash;
    if (statement !== undefined && !about) return false;
    const read = await this.#read(text);
    this.#assertOpen();
    // Others may have come into force meanwhile.
    if (held !== this.#held) return false;
    if (read === undefined) return true;
    const refusal = read.revision === held?.revision ? this.#refusal(read, this.#hash) : "other_bytes";
    const taken = this.#unlessRefused(read, refusal);
    if (taken !== undefined) this.#take(taken, text, undefined);
    return true;
  }

  /** What is held has turned out not to be the authority's: nothing is held any more, and nothing of it is compared with. */
  drop(): void {
    this.#held?.free();
    this.#held = this.#hash = undefined;
    this.#age.forget();
    this.#of.onSwap();
  }

  /** Nothing is taken any more. What is held stays, and is for whoever asks to give back. */
  close(): void {
    this.#closed = true;
  }

  #swap(
    bytes: Uint8Array,
    stated: Statement | undefined,
    text: string | undefined,
    digest: string | undefined,
  ): boolean {
    const held = this.#held;
    const offered = this.#of.open(bytes);
    let statement = stated;
    try {
      this.#assertOurs(offered);
      if (
        statement !== undefined &&
        (statement.revision !== offered.revision ||
          !isAbout(statement, offered.organization, offered.subject))
      ) {
        statement = this.#unlessRefused(statement, "other_bytes");
      }
    } catch (error) {
      offered.free();
      throw error;
    }
    const epoch = this.#age.statement?.epoch;
    const restored = statement !== undefined && epoch !== undefined && statement.epoch !== epoch;
    // What a valid statement names is not older; the checks before this one have seen to it.
    const newer = held === undefined || this.#verify !== undefined || offered.revision > held.revision;
    if (held !== undefined && !newer && !restored) {
      offered.free();
      // The same revision again is what a new stream begins with: current, only nothing new.
      const current = offered.revision === held.revision;
      if (current && statement !== undefined && this.#hash === undefined) {
        this.#hash = digest;
        this.#take(statement, text, bytes);
      }
      return current;
    }
    this.#held = offered;
    this.#hash = digest;
    held?.free();
    if (statement !== undefined) this.#take(statement, text, bytes);
    this.#of.onSwap();
    return true;
  }

  #take(statement: Statement, text: string | undefined, bytes: Uint8Array | undefined): void {
    this.#age.take(statement);
    this.#of.onTaken?.(text ?? "", bytes);
  }

  /** Whose state is expected; as far as nobody has said, that of what is offered first. */
  #ours(offered: Whose): Whose {
    if (this.#held !== undefined) return this.#held;
    const { organization = offered.organization, subject = offered.subject ?? null } = this.#of;
    return { organization, subject: subject ?? undefined };
  }

  #assertOurs(offered: T): void {
    const ours = this.#ours(offered);
    if (offered.organization === ours.organization && offered.subject === ours.subject) return;
    const code = offered.organization !== ours.organization ? "organization_mismatch" : "subject_mismatch";
    throw new PosternError(
      code,
      `a slice of \`${offered.organization}\` for \`${offered.subject}\` was refused`,
    );
  }

  /** `undefined` for none, and where nothing is verified for one that cannot be read, which is only reported. */
  async #read(text: string | undefined): Promise<Statement | undefined> {
    if (text === undefined) return undefined;
    try {
      return await (this.#verify?.(text) ?? readStatement(text));
    } catch (error) {
      if (this.#verify !== undefined || !(error instanceof StatementError)) throw error;
      this.#of.onError(error);
      return undefined;
    }
  }

  /** Checks 5 to 7, as far as they need no opened bytes. */
  #refusal(statement: Statement, digest: string | undefined): Refusal | undefined {
    const { organization, subject } = this.#ours(statement);
    if (!isAbout(statement, organization, subject)) return "other_state";
    const held = this.#age.statement;
    // A statement of a slower gateway, taken last, opens no way back to another epoch.
    if (held !== undefined && !mayFollow(statement, { ...held, iat: this.#age.latestIat })) return "older";
    return digest === undefined || digest === statement.hash ? undefined : "other_bytes";
  }

  /** Throws what is refused; where nothing is verified it is only reported, and does not count. */
  #unlessRefused(statement: Statement, refusal: Refusal | undefined): Statement | undefined {
    if (refusal === undefined) return statement;
    const error = new StatementError(refusal, REFUSALS[refusal] ?? refusal);
    if (this.#verify !== undefined) throw error;
    this.#of.onError(error);
    return undefined;
  }

  /** Everything may have ended while something was read. */
  #assertOpen(): void {
    if (this.#closed) throw new PosternError("closed", "the client was closed");
  }
}
