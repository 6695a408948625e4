//! What the tests and benchmarks are fed with: random worlds and questions that hit every rule of
//! `docs/semantics.md`, and the workload that the speed is measured on.
//!
//! Everything is a function of a seed, on every machine and with every version of every dependency: a failure that
//! names its seed can be run again.

#![forbid(unsafe_code)]

mod chance;
pub mod json;
pub mod random;
pub mod workload;

pub use chance::Chance;
