// What every component may reach: the client, where we are, and how to say something.

import type { Postern, Resource } from "@postern/client";
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

export interface App {
  readonly postern: Postern;
  /** Goes to a page of this application, without a reload. */
  readonly go: (path: string) => void;
  /** Tells the person something: visibly for a moment, and to screen readers. */
  readonly say: (message: string) => void;
  /** The names of the sites that were loaded so far, for sentences. */
  readonly siteName: (id: string) => string;
}

export const AppContext = createContext<App | undefined>(undefined);

/** The surrounding application. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("no application around this component");
  return app;
}

/** A value that arrives later; `undefined` until then, an Error when it does not. `key` names what is loaded. */
export function useLoaded<T>(key: string, load: () => Promise<T>): T | Error | undefined {
  const [state, setState] = useState<{ key: string; value: T | Error } | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    load().then(
      (value) => wanted && setState({ key, value }),
      (error: unknown) =>
        wanted && setState({ key, value: error instanceof Error ? error : new Error(String(error)) }),
    );
    return () => {
      wanted = false;
    };
    // `load` is a new function at every rendering; `key` says when it is another one.
  }, [key]);
  return state?.key === key ? state.value : undefined;
}

/** A site as a resource. */
export const atSite = (id: string): Resource => ({ type: "site", id });
