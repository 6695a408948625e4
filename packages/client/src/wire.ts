// Requests, answers and descriptions as bytes: the encoding of docs/wasm-abi.md. Integers are little-endian and of
// fixed width, text is its length and its UTF-8.

import type { Facts, Resource } from "./question.js";

/** The numbers of the questions. */
export const OP = { check: 0, filter: 1, subjects: 2, actions: 3, anywhere: 4, everywhere: 5 } as const;

/** The name of a question. */
export type Op = keyof typeof OP;

/** A whole question. What its `op` does not use is ignored. */
export interface Request {
  readonly op: Op;
  readonly subject: string;
  readonly permission?: string | undefined;
  readonly resource?: Resource | undefined;
  readonly kind?: string | undefined;
  readonly facts?: Facts | undefined;
  /** Microseconds since 1970-01-01T00:00:00Z. */
  readonly now: number;
}

/** The answer to a {@link Request}. */
export type Answer = { readonly code: number } | { readonly list: string[] } | { readonly allowed: boolean };

/** What an open snapshot says of itself. */
export interface Description {
  readonly revision: bigint;
  readonly slice: boolean;
  readonly timed: boolean;
  readonly organization: string;
  /** Of a slice, whose it is. */
  readonly subject: string | undefined;
  /** How many permissions the catalog has: their handles are the numbers below this. */
  readonly permissionCount: number;
}

const ENCODER = new TextEncoder();
// Ids are bytes: a mark at the beginning of a text is part of it.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a request. */
export function encodeRequest(request: Request): Uint8Array {
  const { facts } = request;
  const out = new Writer();
  out.u32(OP[request.op]);
  out.text(request.subject);
  out.text(request.permission ?? "");
  out.option(request.resource, (resource) => out.pair(resource.type, resource.id));
  out.text(request.kind ?? "");
  out.pairs((facts?.in ?? []).map((parent) => [parent.type, parent.id]));
  out.option(facts?.owner, (owner) => out.text(owner));
  out.pairs(Object.entries(facts?.where ?? {}));
  out.option(facts?.session, (session) => out.text(session));
  out.i64(request.now);
  return out.bytes();
}

/** Reads an answer; `undefined` for bytes that are none. */
export function decodeAnswer(bytes: Uint8Array): Answer | undefined {
  return whole(bytes, (from) => {
    const number = from.u32();
    if (number === 0 || number === 3) return { code: from.u8() };
    if (number === 1) return { list: from.list() };
    if (number === 2) return { allowed: from.u8() === 1 };
    return undefined;
  });
}

/** Reads a description; `undefined` for bytes that are none. */
export function decodeDescription(bytes: Uint8Array): Description | undefined {
  return whole(bytes, (from) => {
    const revision = from.u64();
    const slice = from.u8() === 1;
    const timed = from.u8() === 1;
    const organization = from.text();
    const [subject] = from.list();
    const permissionCount = from.list().length;
    return { revision, slice, timed, organization, subject, permissionCount };
  });
}

function whole<T>(bytes: Uint8Array, read: (from: Reader) => T | undefined): T | undefined {
  try {
    const from = new Reader(bytes);
    const value = read(from);
    return from.atEnd ? value : undefined;
  } catch (error) {
    // A DataView refuses to read past its end, the decoder what is not UTF-8.
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  i64(value: number): void {
    // Past 64 bits lies no time that a fact could have; NaN is refused before it gets here.
    const at = this.#room(8);
    this.#view.setBigInt64(at, BigInt.asIntN(64, BigInt(Math.floor(value))), true);
  }

  count(value: number): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  text(value: string): void {
    const bytes = ENCODER.encode(value);
    this.count(bytes.length);
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  pair(first: string, second: string): void {
    this.text(first);
    this.text(second);
  }

  pairs(values: readonly (readonly [string, string])[]): void {
    this.count(values.length);
    for (const [first, second] of values) this.pair(first, second);
  }

  option<T>(value: T | undefined, write: (value: T) => void): void {
    this.u8(value === undefined ? 0 : 1);
    if (value !== undefined) write(value);
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where the next bytes go. Take the view after this: it may be another one. */
  #room(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true);
  }

  text(): string {
    const length = this.#count();
    const at = this.#step(length);
    return DECODER.decode(this.#bytes.subarray(at, at + length));
  }

  list(): string[] {
    // Grows with what is there, whatever the count claims.
    const list: string[] = [];
    for (let left = this.#count(); left > 0; left -= 1) list.push(this.text());
    return list;
  }

  /** A count of things that take at least a byte each: never more than what is left. */
  #count(): number {
    const count = this.u64();
    if (count > BigInt(this.#bytes.length - this.#at)) throw new RangeError("a count exceeds the bytes");
    return Number(count);
  }

  #step(size: number): number {
    const at = this.#at;
    this.#at += size;
    return at;
  }
}
