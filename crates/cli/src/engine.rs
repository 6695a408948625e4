//! What answers queries: one module per engine. All of them give the same answers (`docs/semantics.md` section 7).

use crate::answer::AnswerValue;
use postern_world::Query;

pub(crate) mod native;
pub(crate) mod oracle;
pub(crate) mod slice;
pub(crate) mod snapshot;
pub(crate) mod wasm;

pub(crate) mod resolve;

/// The engines by the names of `--engine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum EngineName {
    /// Interprets the world naively.
    Oracle,
    /// Resolves on the compiled facts in memory.
    Native,
    /// Resolves on the bytes of the snapshot, written and opened again.
    Snapshot,
    /// Cuts the slice of each query's subject and resolves on its bytes.
    Slice,
    /// Runs the WASM module on the bytes of the snapshot.
    Wasm,
}

/// A query, and what its engine may need beside it.
pub(crate) struct Asked<'a> {
    /// The query.
    pub query: &'a Query,
    /// The line that it was read from, for the engine that reads for itself.
    pub text: &'a str,
    /// The query's time, or the one of the run; microseconds since the epoch.
    pub now: i64,
}

pub(crate) trait Engine {
    /// Answers one query. An error is a failure of the engine, never an answer.
    fn answer(&mut self, asked: &Asked<'_>) -> anyhow::Result<AnswerValue>;
}
