//! The WASM module: the resolver and the snapshot reader behind functions that a host can call.
//!
//! There is one build per face. The bare face ([`bare`]) imports nothing and speaks numbers and bytes only: any WASM
//! host can load it. The JavaScript face ([`javascript`], feature `bindgen`) is the same with the conveniences that
//! wasm-bindgen brings: text arguments, and several snapshots side by side. No rule is in either; `docs/wasm-abi.md`
//! describes both.

#![cfg_attr(target_arch = "wasm32", no_std)]
#![deny(unsafe_code)]

extern crate alloc;

#[cfg(not(feature = "bindgen"))]
pub mod bare;
pub mod handles;
#[cfg(feature = "bindgen")]
pub mod javascript;
mod memory;
#[cfg(target_arch = "wasm32")]
mod runtime;
