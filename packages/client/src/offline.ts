// `@postern/client/offline`: where a slice is kept, so that a page can begin without a network. In the browser's IndexedDB, or
// in whatever has `get`, `set` and `delete`.
//
// INVARIANT: what was kept is offered like bytes of the gateway, with its statement, and never without one; it is verified
// with the keys of then, since those of now may be out of reach. Once they are there they verify it too, or it is dropped.
// Its age goes on from its statement.

import { PosternError } from "./errors.js";
import { hash, isAbout, readStatement, StatementError, type Statement } from "./statement.js";
import type { Verifier, Verify } from "./verifier.js";

/** Whose slice is kept. Without a network nobody else can tell. */
export interface Owner {
  readonly organization: string;
  readonly subject: string;
}

/** For `connect({ offline })`: made by {@link indexedDb} or {@link inStorage}. */
export interface Offline extends Owner {
  /** The place for one gateway. `drop` is called where what was kept has turned out not to be the authority's. */
  open(
    base: URL,
    client: { readonly verify?: Verifier },
    onError: (error: PosternError) => void,
    drop: () => void,
  ): Shelf;
}

/** What is kept of one subject. */
export interface Kept {
  readonly bytes: Uint8Array;
  /** The statement that names them. */
  readonly statement: string;
  /** The authority's keys, where they were fetched: without a network they cannot be. A JWK Set, as text. */
  readonly keys: string | undefined;
  /** When it was kept, by the machine's clock, in milliseconds since 1970. */
  readonly at: number;
}

/** A place for slices. Keys are texts of any characters; every method may fail. */
export interface SliceStorage {
  get(key: string): Promise<Kept | undefined>;
  set(key: string, kept: Kept): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Keeps a subject's slice in IndexedDB, readable by all pages of the origin. `name` is the database's; default `postern`. */
export function indexedDb(of: Owner & { readonly name?: string }): Offline {
  return inStorage(databaseNamed(of.name ?? "postern"), of);
}

/** Keeps a subject's slice in a storage of the application. */
export function inStorage(storage: SliceStorage, { organization, subject }: Owner): Offline {
  return {
    organization,
    subject,
    open: (base, { verify }, onError, drop) =>
      new Shelf(storage, base, { organization, subject }, verify, onError, drop),
  };
}

const STORE = "slices";

function databaseNamed(name: string): SliceStorage {
  // Opened for each use: a connection that stays open would block whoever deletes the database.
  const use = async <T>(
    mode: IDBTransactionMode,
    ask: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    const database = await answer(opening);
    try {
      const transaction = database.transaction(STORE, mode);
      const asked = answer(ask(transaction.objectStore(STORE)));
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      const [value] = await Promise.all([asked, done]);
      return value;
    } finally {
      database.close();
    }
  };
  return {
    get: (key) => use<Kept | undefined>("readonly", (store) => store.get(key)),
    set: async (key, kept) => void (await use("readwrite", (store) => store.put(kept, key))),
    delete: (key) => use("readwrite", (store) => store.delete(key)),
  };
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Longest wait for what was kept, in milliseconds: a storage that hangs must not keep a page from its gateway. */
const READ_MS_MAX = 1_000;
/** Shortest time between two writes for statements alone, in milliseconds. */
const RENEW_MS_MIN = 30_000;

/** One subject's place in a storage. Nothing of it throws but `verify`: failures are told. */
export class Shelf {
  /** Takes the place of the client's; `undefined` where that does not verify. */
  readonly verifier: Verifier | undefined;
  readonly #storage: SliceStorage;
  readonly #key: string;
  readonly #owner: Owner;
  readonly #onError: (error: PosternError) => void;
  readonly #drop: () => void;
  // One after the other, so that what is deleted is not written again by a write that began before.
  #turn: Promise<void> = Promise.resolve();
  #bytes: Uint8Array | undefined;
  #keys: string | undefined;
  /** The keys of then, while what was kept is offered. */
  #then: { readonly keys: string | undefined } | undefined;
  /** The statement of what was kept, until the keys of now have verified it. */
  #unproven: string | undefined;
  #savedAt = -Infinity;
  #closed = false;

  constructor(
    storage: SliceStorage,
    base: URL,
    owner: Owner,
    verifier: Verifier | undefined,
    onError: (error: PosternError) => void,
    drop: () => void,
  ) {
    this.#storage = storage;
    this.#key = JSON.stringify([base.href, owner.organization, owner.subject]);
    this.#owner = owner;
    this.#onError = onError;
    this.#drop = drop;
    this.verifier = verifier && ((keys, fetcher) => this.#verifier(verifier, keys, fetcher));
  }

  /** Offers what was kept. False where there is nothing, or nothing of use; then nothing has changed. */
  async restore(offer: (bytes: Uint8Array, statement: string) => Promise<boolean>): Promise<boolean> {
    try {
      const kept = await this.#read();
      if (kept === undefined) return false;
      if (this.verifier === undefined) await this.#assertStated(kept);
      this.#then = kept;
      this.#keys = kept.keys;
      await offer(kept.bytes, kept.statement);
      this.#unproven = kept.statement;
      return true;
    } catch (cause) {
      this.#failed(cause);
      return false;
    } finally {
      this.#then = undefined;
    }
  }

  /** Keeps this from now on; without bytes those from before. Statements alone are written once in a while. */
  save(statement: string, bytes = this.#bytes): void {
    const now = performance.now();
    if (this.#closed || bytes === undefined) return;
    if (bytes === this.#bytes && now - this.#savedAt < RENEW_MS_MIN) return;
    this.#bytes = bytes;
    this.#savedAt = now;
    const kept = { bytes, statement, keys: this.#keys, at: Date.now() };
    void this.#queue(async () => {
      if (!this.#closed) await this.#storage.set(this.#key, kept);
    });
  }

  /** Deletes what is kept. Nothing is written afterwards. */
  forget(): Promise<void> {
    this.#closed = true;
    return this.#queue(() => this.#storage.delete(this.#key));
  }

  /** What was kept, if it can be had soon, and is not from the future. */
  async #read(): Promise<Kept | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("it did not answer in time")), READ_MS_MAX);
    });
    try {
      const kept = await Promise.race([this.#storage.get(this.#key), late]);
      if (kept === undefined) return undefined;
      if (!(kept.bytes instanceof Uint8Array) || typeof kept.statement !== "string")
        throw new Error("it is no slice with a statement");
      // A clock that was set back since then would make it younger than it is.
      if (!(kept.at <= Date.now())) throw new Error("it was kept at a moment that has not come yet");
      return kept;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Where nothing is verified, statements that do not fit are only reported. What lay on a disk has to fit. */
  async #assertStated({ bytes, statement: text }: Kept): Promise<void> {
    const statement = readStatement(text);
    const { organization, subject } = this.#owner;
    if (!isAbout(statement, organization, subject))
      throw new StatementError("other_state", "what was kept is somebody else's");
    const digest = await hash(bytes);
    if (digest !== undefined && digest !== statement.hash)
      throw new StatementError("other_bytes", "what was kept is not what its statement names");
  }

  #verifier(verifier: Verifier, keys: URL, fetcher: typeof fetch): Verify {
    const now = verifier(keys, async (...request) => {
      const response = await fetcher(...request);
      // For the next time.
      if (response.ok) this.#keys = await response.clone().text();
      return response;
    });
    return (text) => {
      const then = this.#then;
      if (then === undefined) return this.#verify(text, now);
      return verifier(keys, () => Promise.resolve(new Response(then.keys)))(text);
    };
  }

  async #verify(text: string, now: Verify): Promise<Statement> {
    const statement = await now(text);
    const unproven = this.#unproven;
    if (unproven === undefined) return statement;
    try {
      await now(unproven);
    } catch (error) {
      // A gateway that cannot be asked now has not withdrawn anything: another time.
      if (!(error instanceof StatementError)) return statement;
      void this.#queue(() => this.#storage.delete(this.#key));
      this.#onError(error);
      this.#drop();
    }
    this.#unproven = undefined;
    return statement;
  }

  #queue(work: () => Promise<void>): Promise<void> {
    // A storage throws at once, or rejects.
    this.#turn = this.#turn.then(work).catch((cause: unknown) => this.#failed(cause));
    return this.#turn;
  }

  #failed(cause: unknown): void {
    this.#onError(
      cause instanceof PosternError
        ? cause
        : new PosternError("storage", "what is kept for an offline start cannot be used", cause),
    );
  }
}
