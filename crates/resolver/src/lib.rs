//! The one algorithm: may this subject do this here?
//!
//! It decides over a [`View`], the few look-ups that it may make on compiled facts, whether those lie in memory
//! (`postern_snapshot::Facts`) or in the bytes of a snapshot. Deciding never allocates, never fails, never recurses
//! and never asks the clock: the time is part of the question.
//!
//! Ids are resolved to numbers once ([`subject_handle`], [`permission_handle`], [`resource_handle`]); then
//! [`check_handles`] decides on numbers. [`check`] does both. Rule numbers in this crate are those of
//! `docs/semantics.md` section 4.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod ask;
mod decide;
#[cfg(feature = "alloc")]
mod explain;
mod fast;
#[cfg(feature = "alloc")]
mod lists;
pub mod view;
mod walk;

pub use ask::{
    Context, Question, check, permission_handle, resource_handle, subject_handle, subject_handle_other,
};
#[cfg(feature = "alloc")]
pub use explain::{Change, Explanation, Place, Step, explain};
pub use fast::{
    ORGANIZATION, check_at_hand, check_batch, check_batch_or, check_handles, check_other, mask, mask_at_hand,
    mask_other,
};
#[cfg(feature = "alloc")]
pub use lists::{Residual, actions, anywhere, everywhere, filter, live_scopes, residual, subjects};
pub use postern_vocab::Reason;
pub use view::View;
