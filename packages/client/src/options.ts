// What the client is told when it is made, and what it tells.

import type { CatalogOptions } from "./catalog.js";
import type { Timing } from "./connection.js";
import type { PosternError } from "./errors.js";
import type { Offline } from "./offline.js";
import type { MaxAgeByPattern } from "./question.js";
import type { Share } from "./tabs.js";
import type { Verifier } from "./verifier.js";

/**
 * `connecting`: a slice is in force and the stream is being opened. `live`: the stream is open. `reconnecting`: it
 * was lost a moment ago. `stale`: nothing was heard for longer than `staleMs`. `closed`: no more changes will come, and
 * everything is denied.
 */
export type Status = "connecting" | "live" | "reconnecting" | "stale" | "closed";

/** Why answers may differ from now on. */
export interface Change {
  /**
   * A newer slice is in force; a time bound of the one in force has passed; nothing is allowed, or allowed again; its
   * age has passed what `freshness()` or a `maxAge` takes, or is below that again; or its catalog is another one.
   */
  readonly cause: "revision" | "time" | "status" | "freshness" | "catalog";
  readonly revision: number;
}

/** What {@link connect} takes beside address and token; all optional. */
export interface Options extends Partial<Timing>, CatalogOptions {
  /** Refuse slices of any other organization. Default: that of the first slice. */
  readonly organization?: string;
  /** Told of everything that does not stop the client, and of what stopped it. Default: nothing is told. */
  readonly onError?: (error: PosternError) => void;
  /** Silence after which the status is `stale`, in milliseconds. Decisions go on. Default 60,000. */
  readonly staleMs?: number;
  /**
   * Silence after which everything is denied until the gateway is heard again, in milliseconds. Default: never, since
   * the page's decisions only decide what it offers, and whatever it calls is checked again.
   */
  readonly denyMs?: number;
  /**
   * With it a slice comes into force only if a valid statement of the authority names it: `verified()` of
   * `@postern/client/statements`. Default: statements tell the age, unverified.
   */
  readonly verify?: Verifier;
  /**
   * Permissions that are denied where the slice is not known to have been in force less than so many seconds ago:
   * `{ "refund:*": 5 }`. Of the patterns that a permission meets, the strictest counts. Default: none.
   */
  readonly maxAge?: MaxAgeByPattern;
  /** What happens when the slice is no longer fresh: answers go on (`keep`, the default), or everything is denied. */
  readonly whenStale?: "keep" | "deny";
  /**
   * Keeps the slice, so that a page can begin without a network: `indexedDb()` of `@postern/client/offline`. Slices of any other
   * organization or subject are refused. Default: nothing is kept.
   */
  readonly offline?: Offline;
  /** One stream for all tabs that show this subject: `tabs()` of `@postern/client/tabs`. Default: each follows for itself. */
  readonly share?: Share;
  /** Closes the client when it aborts. */
  readonly signal?: AbortSignal;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof fetch;
}
