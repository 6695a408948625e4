// The JavaScript face of the WebAssembly module, as docs/wasm-abi.md describes it. The build puts the generated glue and
// the module beside this file; a test holds these declarations against the generated ones.

export function open(bytes: Uint8Array): number;
export function close(slot: number): void;
export function describe(slot: number): Uint8Array;
export function next_change(slot: number, now: number): number;
export function subject(slot: number, subject: string): number;
export function permission(slot: number, key: string): number;
export function resource(slot: number, kind: string, id: string): number;
export function check(
  slot: number,
  subject: number,
  permission: number,
  resource: number,
  now: number,
): number;
export function batch(count: number): number;
export function check_batch(slot: number, count: number, now: number): boolean;
export function mask(slot: number, subject: number, resource: number, now: number): number;
export function query(slot: number, request: Uint8Array): Uint8Array;
export function __wbindgen_init_externref_table(): void;
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
