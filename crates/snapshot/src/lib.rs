//! The snapshot: the facts of one organization at one revision, compiled into bytes that can be decided on as they lie.
//!
//! `docs/snapshot-format.md` specifies the bytes. [`Snapshot::open`] is the only place that trusts a byte: it checks
//! everything once, allocates nothing, and afterwards no look-up can fail or leave the bytes. The same facts always
//! give the same bytes.
//!
//! With the feature `write`: [`Facts`], the same tables in memory; [`Draft`], which brings facts into their canonical
//! order; [`slice`](slice()), which cuts out what one subject may see; [`diff`] and [`apply`], for what changed; and
//! [`catalog_hash`], for whoever was made for one catalog.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "write")]
extern crate std;

mod bytes;
#[cfg(feature = "write")]
mod catalog;
#[cfg(feature = "write")]
mod delta;
#[cfg(feature = "write")]
mod draft;
mod error;
#[cfg(feature = "write")]
mod facts;
mod hash;
mod layout;
mod open;
mod opened;
#[cfg(feature = "write")]
mod pool;
#[cfg(feature = "write")]
mod prints;
#[cfg(feature = "write")]
mod slice;
mod table;
mod validate;
#[cfg(feature = "write")]
mod write;

#[cfg(feature = "write")]
pub use catalog::catalog_hash;
#[cfg(feature = "write")]
pub use delta::{DELTA_VERSION, DeltaError, DeltaHead, apply, diff};
#[cfg(feature = "write")]
pub use draft::{
    ALWAYS, Draft, DraftError, DraftHolding, DraftPermission, DraftResource, DraftRole, DraftSubject,
    DraftTerms, DraftType, Holder, Holds, Rare, Timing,
};
pub use error::OpenError;
#[cfg(feature = "write")]
pub use facts::{Facts, Key};
pub use layout::{FORMAT_VERSION, MAGIC};
pub use open::{Counts, Snapshot};
pub use opened::Opened;
#[cfg(feature = "write")]
pub use pool::Strings;
#[cfg(feature = "write")]
pub use prints::Prints;
#[cfg(feature = "write")]
pub use slice::slice;
