// The public surface of `@postern/react`. Guards are in `./react-router` and `./tanstack-router`.

export { Can, type CanProps } from "./can.js";
export { PosternProvider, type PosternProviderProps } from "./context.js";
export {
  useActions,
  useAnywhere,
  useCan,
  useDecision,
  useEverywhere,
  useFilter,
  useFreshness,
  usePostern,
} from "./hooks.js";
export type { Client, Initial } from "@postern/client/source";
export type { Permission, Register, ResourceType } from "@postern/client";
