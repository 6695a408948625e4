//! The world document and query files: read, checked and written.
//!
//! A world is everything that the decisions of one organization may depend on (`docs/semantics.md`, section 2). It is
//! read strictly: an unknown member, a member given twice, a value of another type, a reference to something that the
//! document does not declare are all errors, and every error names the line, the column and the JSON path.
//!
//! ```text
//! bytes --json--> tokens --parse--> World --validate--> World
//!                   |                          |
//!                   +-------- place -----------+   only when something is wrong: offset -> path, or path -> offset
//! ```
//!
//! Nothing here decides anything: `postern-compile` and `postern-oracle` give the facts their meaning.
//!
//! ```
//! use postern_world::World;
//!
//! let error = World::parse(br#"{"format": "postern-world/1", "organization": "acme", "revision": "7"}"#).unwrap_err();
//! assert_eq!(error.path, "$.revision");
//! assert_eq!((error.line, error.column), (1, 67));
//! ```

#![forbid(unsafe_code)]

mod error;
mod json;
mod model;
mod parse;
mod place;
mod query;
mod query_file;
mod time;
mod validate;
mod write;

pub use error::{ReadError, WorldError};
pub use model::*;
pub use parse::read_document;
pub use query::{Op, Query};
pub use query_file::{LINE_BYTES_MAX, Queries, parse_query};
pub use time::{format_time, parse_time};
