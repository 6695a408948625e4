// The public surface of `@postern/client`. Route manifests are in `@postern/client/routes`.

export { connect, type ConnectOptions } from "./connect.js";
export { PosternError, type ErrorCode } from "./errors.js";
export type { Change, Options, Postern, Status } from "./postern.js";
export type { AllowReason, Decision, DenyReason, Facts, Permissions, Resource } from "./question.js";
export type { TokenSource } from "./connection.js";
