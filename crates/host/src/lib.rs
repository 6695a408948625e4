//! A host for the bare WASM module, on wasmtime.
//!
//! [`Module::load`] compiles the module once; [`Module::open`] makes an [`Instance`] with a snapshot in force, which
//! answers questions by handle, in batches, or in text. `docs/wasm-abi.md` is the contract that it speaks.
//!
//! Nothing that the module does can harm its host: its memory and the time of each call are limited, it imports nothing,
//! and every answer is checked. A call that traps, or exceeds a limit, is an error, and the instance is replaced by a
//! new one with the same snapshot, as one that has trapped may be in the middle of a change.

#![forbid(unsafe_code)]

mod error;
mod exports;
mod instance;
mod limits;
mod module;

pub use error::HostError;
pub use instance::Instance;
pub use limits::{CallLimit, Limits};
pub use module::Module;
pub use postern_abi as abi;
