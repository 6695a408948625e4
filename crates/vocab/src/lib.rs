//! The nouns that every part of Postern shares: decisions with their reasons, errors, ids, keys and limits.
//!
//! Nothing here allocates, depends on another crate or decides anything.

#![no_std]
#![forbid(unsafe_code)]

mod decision;
mod id;
pub mod limits;

pub use decision::{Answer, Decision, QueryError, Reason};
pub use id::{
    AllowedKey, canonical_uuid, canonical_uuid_bytes, format_uuid, is_reserved_id, permission_parts,
    split_subject, valid_permission_key,
};
