//! The gateway: facts in Postgres, compiled to snapshots and slices, and pushed to everyone who follows.
//!
//! ```text
//! Postgres --store--> compiler --publish--> http --> enforcement points (snapshots, decisions), browsers (slices)
//! ```
//!
//! - [`config`]: every setting
//! - [`store`]: all SQL
//! - [`publish`]: from changed rows to new states
//! - [`statements`]: which of them is in force, signed
//! - [`access`], [`token`]: who calls
//! - [`consistency`]: what ties a decision to a revision
//! - [`decisions`]: what was decided for those who asked, in the log
//! - [`manage`]: who may write what
//! - [`vault`]: values of secrets, encrypted
//! - [`webhooks`]: others are told of what was written
//! - [`scim`]: what directories write
//! - [`adopt`]: other databases into facts
//! - [`limits`]: how much at once
//! - [`metrics`]: what is measured
//! - `http`: the paths
//! - [`app`]: start and end
//! - [`embedded`]: a Postgres of the gateway's own
//! - [`cli`]: the commands
//!
//! It has no rule of its own: what a fact means is the compiler's and the resolver's business, also where a decision is
//! asked for (`POST /access/v1/…`).

#![forbid(unsafe_code)]

pub mod access;
pub mod adopt;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod consistency;
pub mod decisions;
pub mod embedded;
pub mod explanation;
mod http;
pub mod limits;
pub mod manage;
pub mod metrics;
pub mod problem;
pub mod publish;
pub mod scim;
pub mod statements;
pub mod store;
pub mod token;
pub mod traces;
pub mod vault;
pub mod webhooks;
