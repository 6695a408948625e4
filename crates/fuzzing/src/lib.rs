//! What is done with input that nobody trusts.
//!
//! One function per target. Under libFuzzer (`fuzz/`, nightly compiler) it gets inputs that grow from coverage; in the
//! test suite (`tests/replay.rs`, any compiler) the committed corpora and random changes of them. A target panics when
//! what `docs/semantics.md` section 7 promises does not hold; whatever else it computes is thrown away.

#![forbid(unsafe_code)]

mod apply;
mod decide;
mod exercise;
mod import;
mod open;
mod seal;
mod statement;

pub use apply::deltas;
pub use decide::{decide, worlds};
pub use exercise::exercise;
pub use import::import;
pub use open::open;
pub use seal::{fitting, seal};
pub use statement::statement;

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// A target's name and what it does: the folder of its corpus is called the same.
pub const TARGETS: [(&str, Target); 5] =
    [("open", open), ("decide", decide), ("import", import), ("apply", deltas), ("statement", statement)];
