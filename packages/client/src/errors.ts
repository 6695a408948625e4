// What can go wrong, as one class with a closed set of codes. A denied question is not an error.

/** Why something failed. Compare these, never messages. */
export type ErrorCode =
  /** The gateway could not be reached, or answered 5xx; the client goes on trying once it is connected. */
  | "unavailable"
  /** The token was refused and no other could be had; the client has stopped and denies everything. */
  | "unauthorized"
  /** The gateway knows the token and refuses it this organization; the client has stopped and denies everything. */
  | "forbidden"
  /** The gateway answered something that this client does not understand. */
  | "protocol"
  /** Bytes that are no valid slice; the slice held before stays in force. */
  | "bad_slice"
  /** A slice of another organization; the slice held before stays in force. */
  | "organization_mismatch"
  /** A slice of another subject; the slice held before stays in force. */
  | "subject_mismatch"
  /** No valid statement names it (`refusal` has the contract's code); what was held before stays in force. */
  | "unverified"
  /** The WebAssembly module could not be loaded or has failed. */
  | "wasm"
  /** A question without a permission, or whose resource has no type or no usable id. */
  | "invalid_request"
  /** The catalog of the slice in force does not have the permission. */
  | "unknown_permission"
  /** Only the whole snapshot can answer this: ask the gateway. */
  | "not_in_slice"
  /** The revision that was waited for did not come in time. */
  | "revision_not_reached"
  /** What is kept for an offline start could not be read or written; nothing else is affected. */
  | "storage"
  /** A route manifest that contradicts itself. */
  | "invalid_manifest"
  /** A listener threw. */
  | "listener"
  /** The client was closed, or its `signal` aborted. */
  | "closed";

/** Every failure of this package. `cause` holds the underlying error where there is one. */
export class PosternError extends Error {
  override readonly name = "PosternError";
  /** What failed, for programs. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, (cause && { cause }) as ErrorOptions | undefined);
    this.code = code;
  }
}
