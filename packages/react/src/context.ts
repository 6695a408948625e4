// Where hooks find what to ask: the source of the nearest provider.

import type { PosternError } from "@postern/client";
import { NOTHING, openInitial, Source, type Client, type Initial } from "@postern/client/source";
import { createContext, createElement, useContext, useMemo, type ReactElement, type ReactNode } from "react";

const Context = createContext<Source | undefined>(undefined);

/** What {@link PosternProvider} takes. */
export interface PosternProviderProps {
  /** The client of `connect`, once it is there. Until then `initial` decides. Whoever made it closes it. */
  readonly client?: Client | undefined;
  /**
   * What the first rendering decides on: the bytes of a slice, or an evaluator of them. Give the server and the page
   * the same, so that the page that is taken over says what was rendered. Keep one object: other bytes are opened
   * anew. Without it everything is denied until the client is there.
   */
  readonly initial?: Initial | undefined;
  /** Told of initial bytes that are no slice, which allow nothing, and of errors in questions to them. */
  readonly onError?: (error: PosternError) => void;
  readonly children?: ReactNode;
}

/** Gives the permissions of one subject to everything below. */
export function PosternProvider({ client, initial, onError, children }: PosternProviderProps): ReactElement {
  // Not anew for another reporter: those of a component are new at each of its renderings.
  const first = useMemo(() => openInitial(initial, onError), [initial]);
  const source = useMemo(() => new Source(client, first), [client, first]);
  return createElement(Context.Provider, { value: source }, children);
}

/** The nearest provider's source; outside of all one that denies everything. */
export function useSource(): Source {
  return useContext(Context) ?? OUTSIDE;
}

const OUTSIDE = new Source(undefined, NOTHING);
