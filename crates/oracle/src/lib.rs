//! `docs/semantics.md` in code: the measure of every other engine.
//!
//! It interprets the world document anew for every question, with loops over lists. It has no index, no cache and no
//! cleverness, and shares no code with the crates that it measures, so that a mistake would have to be made twice to
//! stay unseen. It does not judge worlds: it may be given only those that `postern-world` accepts. Others are refused
//! or answered somehow, without a panic.
//!
//! ```
//! let world = br#"{"format": "postern-world/1", "organization": "o", "revision": 1,
//!     "catalog": {"types": {}, "permissions": {"miner:reboot": {}}},
//!     "roles": [{"id": "role:tech", "name": "Tech", "permissions": ["miner:*"]}],
//!     "assignments": [{"subject": "user:a", "role": "role:tech", "at": null}]}"#;
//! let oracle = postern_oracle::Oracle::parse(world).unwrap();
//! assert_eq!(
//!     oracle.answer(r#"{"subject": "user:a", "permission": "miner:reboot", "resource": null}"#, 0),
//!     r#"{"decision":"allow","reason":"assignment"}"#
//! );
//! ```

#![forbid(unsafe_code)]

mod check;
mod facts;
mod json;
mod query;
mod questions;
mod slice;
mod time;

pub use facts::{Node, Oracle};
pub use query::{Op, Query};

/// Whether it is allowed, and the reason.
pub type Decision = (bool, &'static str);

/// What a check answers: a decision, or the name of an error.
pub type Answer = Result<Decision, &'static str>;
