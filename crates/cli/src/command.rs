//! One module per command.

pub(crate) mod codegen;
pub(crate) mod gateway;
pub(crate) mod snapshot;
pub(crate) mod world;

mod snapshot_delta;
mod snapshot_inspect;
mod snapshot_slice;
mod snapshot_verify;
mod world_check;
mod world_compile;
mod world_explain;
