// What a page decides on, from its first rendering on: an evaluator until the client is there, then the client. The
// packages for React and Vue stand on this; it knows neither.

import type { Freshness } from "./age.js";
import { PosternError } from "./errors.js";
import { Evaluator } from "./evaluator/full.js";
import type { Change, Status } from "./options.js";
import type { Permissions } from "./question.js";

/** The part of a client that a source needs. */
export interface Client extends Permissions {
  readonly status: Status;
  /** Where answers may end with their freshness. */
  freshness?(): Freshness;
  subscribe(listener: (change: Change) => void): () => void;
}

/** What decides until a client is there: the bytes of a slice, or an evaluator, which can have a clock of its own. */
export type Initial = Uint8Array | Permissions;

/** Denies everything: nothing is allowed where nothing is known. Its lists are empty and its revision is 0. */
export const NOTHING: Permissions = Object.freeze({
  revision: 0,
  can: () => false,
  decide: () => ({ decision: "deny", reason: "stale", revision: 0 }) as const,
  anywhere: () => false,
  everywhere: () => false,
  filter: () => [],
  actions: () => [],
});

/** How current answers are that follow nothing: nobody knows. */
export const UNKNOWN_FRESHNESS: Freshness = Object.freeze({
  revision: 0,
  asOf: undefined,
  ageMs: undefined,
  fresh: undefined,
});

/** Between looks at answers that depend on their age, in milliseconds. Nobody tells when a question's own limit passes. */
const LOOK_MS = 1_000;

/**
 * Opens what a page was rendered with. Bytes that are no slice allow nothing; they and questions that are errors are
 * reported to `onError`.
 */
export function openInitial(
  initial: Initial | undefined,
  onError?: (error: PosternError) => void,
): Permissions {
  if (!(initial instanceof Uint8Array)) return initial ?? NOTHING;
  try {
    return new Evaluator(initial, onError === undefined ? {} : { onError });
  } catch (error) {
    onError?.(
      error instanceof PosternError ? error : new PosternError("bad_slice", "the bytes are no slice", error),
    );
    return NOTHING;
  }
}

/** Follows one client. What it gives out is another object after every change, so that whoever compares objects sees it. */
export class Source {
  /** The answers of the first rendering, on a server and where its page is taken over. They never change. */
  readonly initial: Permissions;
  readonly #client: Client | undefined;
  readonly #listeners = new Set<() => void>();
  #view: Permissions;
  #freshness: Freshness;
  #seen: string;
  #stop: (() => void) | undefined;

  constructor(client: Client | undefined, initial: Permissions) {
    this.initial = initial;
    this.#client = client;
    this.#view = client === undefined ? initial : viewOf(client);
    this.#freshness = client?.freshness?.() ?? UNKNOWN_FRESHNESS;
    this.#seen = this.#state();
  }

  /** The answers of now. */
  get current(): Permissions {
    return this.#view;
  }

  /** How current they are, as it was at the last change: another object after each. */
  get freshness(): Freshness {
    return this.#freshness;
  }

  /** The same as `subscribe`, and every second: for questions with a `maxAge` of their own. */
  readonly subscribeToAge = (listener: () => void): (() => void) => {
    const stop = this.subscribe(listener);
    const timer = setInterval(listener, LOOK_MS);
    return () => {
      clearInterval(timer);
      stop();
    };
  };

  /** Calls `listener` after every change of the answers. Returns how to stop. A function that can be passed on alone. */
  readonly subscribe = (listener: () => void): (() => void) => {
    // Each call is one more, also with the same function.
    const own = (): void => listener();
    this.#listeners.add(own);
    this.#follow();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
      // A bound in time may pass while nobody listens.
      this.#seen = "";
    };
  };

  #follow(): void {
    if (this.#client === undefined || this.#stop !== undefined) return;
    this.#stop = this.#client.subscribe(() => this.#changed());
    // What happened before anybody listened.
    if (this.#seen !== this.#state()) this.#changed();
  }

  #changed(): void {
    if (this.#client === undefined) return;
    this.#seen = this.#state();
    this.#view = viewOf(this.#client);
    this.#freshness = this.#client.freshness?.() ?? UNKNOWN_FRESHNESS;
    for (const listener of [...this.#listeners]) listener();
  }

  #state(): string {
    const client = this.#client;
    return `${client?.revision} ${client?.status} ${client?.freshness?.().fresh}`;
  }
}

/** The same answers as a new object, whose members can be passed on alone. */
function viewOf(of: Permissions): Permissions {
  return Object.freeze({
    revision: of.revision,
    can: (...question) => of.can(...question),
    decide: (...question) => of.decide(...question),
    anywhere: (...question) => of.anywhere(...question),
    everywhere: (...question) => of.everywhere(...question),
    filter: (...question) => of.filter(...question),
    actions: (...question) => of.actions(...question),
  } satisfies Permissions);
}
