// `@postern/client/follow`: what follows a gateway and asks the resolver, for packages that stand on this one, as
// `@postern/edge` does. Not meant for applications: it changes with what stands on it.

export { Age, MaxAges } from "./age.js";
export { CatalogWatch, type CatalogOptions, type CatalogState } from "./catalog.js";
export { Connection, type ConnectionOwner, type Paths, type Timing } from "./connection.js";
export { UNKNOWN_HANDLE, type Engine, type EngineState } from "./engine.js";
export { Holder, type Holding, type Opened } from "./holder.js";
export { codeOf, describe, errorOf, isAllow, reasonOf } from "./slice.js";
export { loadEngine, type WasmSource } from "./wasm_engine.js";
