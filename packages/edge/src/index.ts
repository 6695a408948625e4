// The public surface of `@postern/edge`, for Node, Deno and Bun, and wherever the module's file can be read or fetched. Where
// bytes may not be compiled: `@postern/edge/cloudflare` and `@postern/edge/vercel`. With each of them: `@postern/edge/webhook`.

export { createGuard, Guard, type GuardOptions } from "./guard.js";
export { verified } from "@postern/client/statements";
export type { EdgeDecision, EdgeDenyReason, SubjectPermissions } from "./question.js";
export { protect, refusal, type ProtectOptions, type Rule, type RequestDecision } from "./rules.js";
export { PosternError, type ErrorCode } from "@postern/client";
export type { CatalogState, Permission, Register, ResourceType } from "@postern/client";
