//! Every engine against the specification.
//!
//! `tests/` holds the tests: the conformance corpus (`tests/conformance` at the root of the repository), random worlds,
//! and what holds for every world. Here is what they share.

#![forbid(unsafe_code)]

pub mod corpus;
pub mod engines;
pub mod shrink;
