// The engine: the WebAssembly module and its glue, instantiated once for the page.
//
// INVARIANT: an instance that has trapped is never asked again. It may be in the middle of a change, so it is dropped,
// a new one is made of the same compiled module, and the slices that are in use are opened in it again.

import { defaultModule } from "#module";
import type { Engine, EngineState } from "./engine.js";
import { UNKNOWN_HANDLE } from "./engine.js";
import { PosternError } from "./errors.js";
import * as glue from "./wasm/postern_bg.js";
import { decodeAnswer, decodeDescription, encodeRequest, type Answer, type Request } from "./wire.js";

/** The module: compiled, as bytes, or where to fetch it. */
export type WasmSource = WebAssembly.Module | BufferSource | string | URL;

/** What opening reports, negated. */
const REFUSALS: Readonly<Record<number, string>> = {
  [-1]: "they are too short",
  [-2]: "they are no snapshot",
  [-3]: "they are of another format version",
  [-4]: "their checksum is wrong",
  [-5]: "they are malformed",
};

let loading: Promise<Engine> | undefined;

/** The page's engine. A failed attempt is not kept, so that the next call tries again. */
export function loadEngine(source?: WasmSource): Promise<Engine> {
  loading ??= load(source).catch((cause: unknown) => {
    loading = undefined;
    throw cause instanceof PosternError
      ? cause
      : new PosternError("wasm", "the module could not be loaded", cause);
  });
  return loading;
}

async function load(source: WasmSource | undefined): Promise<Engine> {
  const module = source === undefined ? await defaultModule() : await compile(source);
  return new WasmEngine(module);
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (typeof source === "string" || source instanceof URL) return fetchModule(source);
  // By name, not by class: a module of another realm is one too.
  if (Object.prototype.toString.call(source) === "[object WebAssembly.Module]")
    return source as WebAssembly.Module;
  return WebAssembly.compile(source as BufferSource);
}

/** Fetches and compiles while it arrives; a server that does not know the media type costs only the overlap. */
export async function fetchModule(address: string | URL): Promise<WebAssembly.Module> {
  const response = await fetch(address);
  if (!response.ok) throw new PosternError("wasm", `the module's address answered ${response.status}`);
  if (response.headers.get("Content-Type") === "application/wasm")
    return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

class WasmEngine implements Engine {
  readonly #module: WebAssembly.Module;
  /** Which instance is the current one; slices of earlier ones open themselves again. */
  #generation = 0;
  #memory: WebAssembly.Memory | undefined;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#instantiate();
  }

  get generation(): number {
    return this.#generation;
  }

  /** How much memory the instance has taken. */
  get memoryBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  open(bytes: Uint8Array): EngineState {
    return new WasmState(this, bytes);
  }

  /** Calls into the instance; a trap replaces the instance and is reported. */
  call<T>(ask: () => T): T {
    try {
      return ask();
    } catch (cause) {
      if (!(cause instanceof WebAssembly.RuntimeError)) throw cause;
      this.#instantiate();
      throw new PosternError("wasm", "the resolver has failed and was started anew", cause);
    }
  }

  #instantiate(): void {
    this.#generation += 1;
    // The glue keeps views of the memory and renews them only when they are detached. Growing by nothing detaches
    // those of the instance before, which would otherwise be taken for views of the new one.
    this.#memory?.grow(0);
    // By name: what the engine does not call is left out of the page. Where the module wants more this throws.
    const instance = new WebAssembly.Instance(this.#module, {
      "./postern_bg.js": { __wbindgen_init_externref_table: glue.__wbindgen_init_externref_table },
    });
    this.#memory = instance.exports["memory"] as WebAssembly.Memory;
    glue.__wbg_set_wasm(instance.exports);
    const start = instance.exports["__wbindgen_start"];
    if (typeof start === "function") start();
  }
}

class WasmState implements EngineState {
  readonly organization: string;
  readonly revision: number;
  readonly subject: string | undefined;
  readonly timed: boolean;
  readonly permissionCount: number;

  readonly #engine: WasmEngine;
  readonly #bytes: Uint8Array;
  #generation: number;
  #slot: number;

  constructor(engine: WasmEngine, bytes: Uint8Array) {
    this.#engine = engine;
    this.#bytes = bytes;
    this.#generation = engine.generation;
    this.#slot = engine.call(() => glue.open(bytes));
    if (this.#slot < 0) {
      throw new PosternError(
        "bad_slice",
        `the bytes are no slice: ${REFUSALS[this.#slot] ?? `code ${this.#slot}`}`,
      );
    }
    const description = decodeDescription(engine.call(() => glue.describe(this.#slot)));
    if (description === undefined || description.revision > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.free();
      throw new PosternError(
        "bad_slice",
        `revision ${description?.revision} is beyond what this client can count`,
      );
    }
    this.organization = description.organization;
    this.revision = Number(description.revision);
    this.subject = description.slice ? description.subject : undefined;
    this.timed = description.timed;
    this.permissionCount = description.permissionCount;
  }

  permission(key: string): number {
    return this.#call((slot) => glue.permission(slot, key));
  }

  resource(type: string, id: string): number {
    // Both empty would be the organization, which is asked for by no resource at all.
    return type === "" || id === "" ? UNKNOWN_HANDLE : this.#call((slot) => glue.resource(slot, type, id));
  }

  subjectHandle(subject: string): number {
    return this.#call((slot) => glue.subject(slot, subject));
  }

  check(subject: number, permission: number, resource: number, now: number): number {
    return this.#call((slot) => glue.check(slot, subject, permission, resource, now));
  }

  ask(request: Request): Answer {
    const bytes = encodeRequest(request);
    const answer = decodeAnswer(this.#call((slot) => glue.query(slot, bytes)));
    if (answer === undefined) throw new PosternError("wasm", "the resolver answered what is no answer");
    return answer;
  }

  nextChange(now: number): number {
    return this.#call((slot) => glue.next_change(slot, now));
  }

  free(): void {
    // In an instance that is gone there is nothing to give back.
    if (this.#generation === this.#engine.generation) this.#engine.call(() => glue.close(this.#slot));
  }

  /** The same bytes give the same handles, so those that were given out stay valid in another instance. */
  #call<T>(ask: (slot: number) => T): T {
    if (this.#generation !== this.#engine.generation) {
      this.#generation = this.#engine.generation;
      this.#slot = this.#engine.call(() => glue.open(this.#bytes));
    }
    return this.#engine.call(() => ask(this.#slot));
  }
}
