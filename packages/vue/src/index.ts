// The public surface of `@postern/vue`. The guard is in `./router`.

export { Can, type CanAt, type CanProps } from "./can.js";
export { useActions, useAnywhere, useCan, useDecision, useEverywhere, useFilter } from "./composables.js";
export {
  createPostern,
  useFreshness,
  usePostern,
  type PosternOptions,
  type PosternPlugin,
} from "./plugin.js";
export type { Client, Initial } from "@postern/client/source";
export type { Permission, Register, ResourceType } from "@postern/client";
