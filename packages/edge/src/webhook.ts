// `@postern/edge/webhook`, with a guard of any runtime. An entry of its own: who holds a stream does not bundle it.
// The gateway says that there is something new, and the guard fetches it. Signatures are those of Standard Webhooks.
//
// What comes is a reason to ask, and nothing else: no decision is made on it, and what is fetched is verified as ever.

import { PosternError } from "@postern/client";
import type { Guard } from "./guard.js";

/** What a webhook is told. */
export interface WebhookMessage {
  /** The same each time that it is told: for those who do something once. */
  readonly id: string;
  /** `revision`, or an operation of the audit such as `role.update`. */
  readonly type: string;
  /** Of which organization. */
  readonly organization: string;
  /** The revision that is the newest, or that the change made. In decimal digits: it may be larger than a number can say. */
  readonly revision: string;
  /** When it was written; of an operation only. */
  readonly occurred_at?: string;
  /** What was written; of an operation only. */
  readonly data?: {
    readonly actor: string;
    readonly target: string;
    readonly before: unknown;
    readonly after: unknown;
    readonly request_id: string | null;
  };
}

/** What {@link receiveWebhooks} takes. */
export interface ReceiveOptions {
  /** The webhook's secret, `whsec_…`. */
  readonly secret: string;
  /** Told of every message, before it is answered. What it throws is answered with 500, and told again later. */
  readonly onMessage?: (message: WebhookMessage) => void | Promise<void>;
}

const PREFIX = "whsec_";
/** LIMIT: bytes of a body. */
const BYTES_MAX = 1024 * 1024;
/** How far a message's time may be from ours, in seconds: an old one that somebody kept is none. */
const TOLERANCE = 300;

/**
 * The message of a request that is signed with the secret. Reads the request's body.
 *
 * @throws PosternError `forbidden` where it is not signed, or long ago; `invalid_request` where it is none.
 */
export async function verifyWebhook(request: Request, secret: string): Promise<WebhookMessage> {
  const [id, time, signatures] = ["id", "timestamp", "signature"].map((name) =>
    request.headers.get(`webhook-${name}`),
  );
  if (id == null || time == null || signatures == null)
    throw new PosternError(
      "invalid_request",
      "it has no webhook-id, webhook-timestamp and webhook-signature",
    );
  const body = await request.arrayBuffer();
  if (body.byteLength > BYTES_MAX) throw new PosternError("invalid_request", "its body is longer than 1 MiB");
  if (!secret.startsWith(PREFIX)) throw new PosternError("invalid_request", "a secret begins with whsec_");
  const bytes = decoded(secret.slice(PREFIX.length));
  const key =
    bytes &&
    (await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]));
  if (!key) throw new PosternError("invalid_request", "the secret is no base64");
  const head = new TextEncoder().encode(`${id}.${time}.`);
  const text = new Uint8Array(head.length + body.byteLength);
  text.set(head);
  text.set(new Uint8Array(body), head.length);
  let good = false;
  for (const one of signatures.split(" ")) {
    const signature = one.startsWith("v1,") ? decoded(one.slice(3)) : undefined;
    if (signature && (await crypto.subtle.verify("HMAC", key, signature, text))) good = true;
  }
  if (!good) throw new PosternError("forbidden", "it is not signed with this secret");
  const age = Math.abs(Date.now() / 1000 - Number(time));
  if (!(age <= TOLERANCE))
    throw new PosternError("forbidden", "it was signed too long ago, or in the future");
  try {
    const message = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as WebhookMessage;
    if (message.id === id && typeof message.type === "string") return message;
  } catch (cause) {
    throw new PosternError("invalid_request", "its body is no JSON", cause);
  }
  throw new PosternError("invalid_request", "its body is no message of this id");
}

/**
 * Answers the gateway's requests: the guard fetches what is new before it is answered, so that the runtime does not end
 * first. 204 where it was taken, 401 where it is not signed, 400 where it is none; 503 where what is new could not be had, and
 * 500 where `onMessage` failed: both are told again.
 */
export function receiveWebhooks(
  guard: Guard,
  options: ReceiveOptions,
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
    let message: WebhookMessage;
    try {
      message = await verifyWebhook(request, options.secret);
    } catch (error) {
      const forbidden = error instanceof PosternError && error.code === "forbidden";
      return new Response(null, { status: forbidden ? 401 : 400 });
    }
    // Of another organization: a guard holds one.
    if (message.organization !== guard.organization) return new Response(null, { status: 400 });
    try {
      const isHeld = (): boolean => Number(message.revision) <= guard.freshness().revision;
      if (!isHeld()) await guard.refresh();
      // The gateway that was asked does not have it yet, or was not reached.
      if (!isHeld()) return new Response(null, { status: 503 });
      await options.onMessage?.(message);
    } catch {
      return new Response(null, { status: 500 });
    }
    return new Response(null, { status: 204 });
  };
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
