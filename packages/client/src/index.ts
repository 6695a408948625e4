// The public surface of `@postern/client`. Route manifests are in `@postern/client/routes`, and what verifies statements
// without a client in `@postern/client/statements`.

export { connect, type ConnectOptions } from "./connect.js";
export { PosternError, type ErrorCode } from "./errors.js";
export type { Change, Options, Status } from "./options.js";
export type { Postern } from "./postern.js";
export type { Freshness } from "./age.js";
export type { Verifier, Verify } from "./verifier.js";
export type { CatalogState } from "./catalog.js";
export type {
  AllowReason,
  Decision,
  Demand,
  DenyReason,
  Facts,
  MaxAgeByPattern,
  Permission,
  PermissionPattern,
  Permissions,
  Register,
  Resource,
  ResourceType,
} from "./question.js";
export type { TokenSource } from "./connection.js";
