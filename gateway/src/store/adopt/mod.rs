//! The SQL of `postern adopt`: reading the source, writing facts with the progress, comparing, and taking back.

pub mod facts;
pub mod record;
pub mod revert;

pub mod source;
