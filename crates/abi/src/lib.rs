//! Whole questions and whole answers as bytes, for the boundary of the WASM module.
//!
//! Handles and numbers cross that boundary as they are; what has text in it crosses as one block of bytes in each
//! direction: a [`Request`] in, an [`Answer`] out. The encoding is bincode with fixed-width little-endian integers;
//! `docs/wasm-abi.md` describes it byte by byte, so that a host in any language can write it by hand.
//!
//! Reading a request borrows its text and allocates in proportion to its bytes. Bytes that are no request are answered
//! with the error `invalid_request`; nothing here panics.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod answer;
mod ask;
mod describe;
pub mod held;
mod request;
mod wire;

pub use answer::{Answer, Texts, code, from_code};
pub use ask::{answer, answer_bytes};
pub use describe::Description;
pub use request::{Op, Pairs, Request};

/// Largest encoded request, in bytes: a question states few facts, and one that is larger is a mistake.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Largest encoded answer, in bytes. The lists of the largest worlds stay below it.
pub const ANSWER_BYTES_MAX: usize = 1 << 30;

/// Bytes that are no request, or no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the bytes are not a message of this encoding")
    }
}

impl core::error::Error for Malformed {}
