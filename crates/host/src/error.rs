//! What can go wrong between a host and its module.

use thiserror::Error;

/// Why a module was not loaded, a snapshot not opened, or a question not answered. Never an allow.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HostError {
    /// The bytes are no module that wasmtime takes.
    #[error("not a WASM module: {0}")]
    Module(String),
    /// A module that asks something of its host is not the bare one of `cargo xtask wasm`.
    #[error("the module imports `{0}`: the bare module imports nothing")]
    Imports(String),
    /// An export is missing, or has another signature than `docs/wasm-abi.md` gives.
    #[error("the module has no export `{0}` as the contract has it")]
    Export(&'static str),
    /// The module refused the bytes; a snapshot that was in force before still is.
    #[error("not opened: {}", open_error(*.0))]
    Open(i32),
    /// A call took longer than [`crate::CallLimit`] lets it. The instance was replaced.
    #[error("the call exceeded its limit of time")]
    Limit,
    /// The module's memory, with this in it, would exceed [`crate::Limits::memory_bytes`].
    #[error("no room in the module's memory")]
    Memory,
    /// The module trapped. The instance was replaced.
    #[error("the module trapped: {0}")]
    Trap(String),
    /// The module answered what the contract does not have. The instance was replaced.
    #[error("the module broke its contract: {0}")]
    Contract(&'static str),
}

/// In words, what `postern_open` returns.
fn open_error(code: i32) -> String {
    match code {
        1 => "the bytes are too short for a snapshot".into(),
        2 => "the bytes are not a snapshot".into(),
        3 => "the snapshot is of another format version than the module reads".into(),
        4 => "the snapshot is damaged: its checksum does not fit".into(),
        5 => "the snapshot is malformed".into(),
        other => format!("the module's error {other}"),
    }
}
