// `@postern/client/statements`: verifying statements, for a client (`verified`) or without one (`KeySet`).

export { KeySet, STATEMENT_BYTES_MAX } from "./keys.js";
export {
  hash,
  isAbout,
  mayFollow,
  readStatement,
  StatementError,
  type Refusal,
  type Statement,
} from "./statement.js";
export { verified, type Verifier, type Verify } from "./verifier.js";
