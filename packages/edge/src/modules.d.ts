// What bundlers for edges make of an imported WebAssembly file.

declare module "@postern/client/postern_bg.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "@postern/client/postern_bg.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
