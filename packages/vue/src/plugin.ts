// Where composables find what to ask: the plugin of their application.

import type { Freshness, Permissions, PosternError } from "@postern/client";
import {
  NOTHING,
  openInitial,
  Source,
  UNKNOWN_FRESHNESS,
  type Client,
  type Initial,
} from "@postern/client/source";
import { inject, shallowRef, type App, type InjectionKey, type ShallowRef } from "vue";

/** What {@link createPostern} takes; all optional. */
export interface PosternOptions {
  /** The client of `connect`, where it is there already. Whoever made it closes it. */
  readonly client?: Client | undefined;
  /**
   * What the first rendering decides on: the bytes of a slice, or an evaluator of them. Give the server and the page
   * the same, so that the page that is taken over says what was rendered. Without it, and without a client, everything
   * is denied.
   */
  readonly initial?: Initial | undefined;
  /** Told of initial bytes that are no slice, which allow nothing, and of errors in questions to them. */
  readonly onError?: (error: PosternError) => void;
}

/** One application's plugin: `app.use(createPostern({ initial }))`. On a server make one for each request. */
export interface PosternPlugin {
  /** For `app.use`. */
  install(app: App): void;
  /** Follows this client from now on; `undefined` goes back to `initial`. */
  attach(client: Client | undefined): void;
}

type State = Readonly<ShallowRef<Permissions>>;

const KEY: InjectionKey<State> = Symbol("postern");
const OUTSIDE: State = shallowRef(NOTHING);
const FRESHNESS: InjectionKey<Readonly<ShallowRef<Freshness>>> = Symbol("postern freshness");
const UNKNOWN = shallowRef(UNKNOWN_FRESHNESS);

/** Makes the plugin. With `client` and `initial` both, `initial` decides until the application is mounted. */
export function createPostern({ client, initial, onError }: PosternOptions = {}): PosternPlugin {
  const first = openInitial(initial, onError);
  const state = shallowRef(first);
  const freshness = shallowRef(UNKNOWN_FRESHNESS);
  let stop: (() => void) | undefined;

  const attach = (client: Client | undefined): void => {
    stop?.();
    stop = undefined;
    const source = new Source(client, first);
    const follow = (): void => {
      state.value = source.current;
      freshness.value = source.freshness;
    };
    if (client !== undefined) stop = source.subscribe(follow);
    follow();
  };

  const install = (app: App): void => {
    app.provide(KEY, state);
    app.provide(FRESHNESS, freshness);
    // Since Vue 3.5. Before, whoever unmounts an application detaches the client.
    app.onUnmount?.(() => attach(undefined));
    if (client === undefined) return;
    if (initial === undefined) {
      attach(client);
      return;
    }
    // A page that is taken over must render once what the server rendered. A server never mounts.
    const mount = app.mount;
    app.mount = (...target) => {
      const page = mount(...target);
      attach(client);
      return page;
    };
  };
  return { install, attach };
}

/**
 * The permissions in force, as a reference to an object with the client's questions; another object after every change.
 * Outside of an application with the plugin one that denies everything.
 */
export function usePostern(): State {
  return inject(KEY, OUTSIDE);
}

/**
 * How current the permissions are, as a reference: to mark a page that no longer is. Another object when they are no
 * longer fresh, or are again, and after every change; `ageMs` is that of the last such moment.
 */
export function useFreshness(): Readonly<ShallowRef<Freshness>> {
  return inject(FRESHNESS, UNKNOWN);
}
