// `@postern/client/evaluator`: decides on a slice without WebAssembly. For pages that may not run it, for what must be
// decided before it has loaded, and for rendering on a server. Four functions and their types are all of it; LIMIT:
// 3,072 bytes, minified and compressed with gzip. `@postern/client/evaluator/full` has the other questions, and the
// interface of the client.
//
// A slice that is opened here follows no gateway: it is what it was when its bytes were fetched.

export type { ErrorCode, PosternError } from "./errors.js";
export type { FactsAt, Reason } from "./evaluator/core.js";
export { anywhere, check, everywhere, open } from "./evaluator/questions.js";
export type { CheckAnswer, OpenSlice } from "./evaluator/questions.js";
export type { Facts, Permission, Register, Resource, ResourceType } from "./question.js";
