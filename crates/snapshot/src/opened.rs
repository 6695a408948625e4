//! Bytes that were opened once, together with their owner: for whoever keeps a snapshot for longer than a borrow lasts.

use crate::error::OpenError;
use crate::layout::{Body, HEAD_BYTES};
use crate::open::Snapshot;

/// A snapshot, or a slice, with the bytes that it lies in.
///
/// [`Snapshot::open`] looks at every byte. This does so once, and then [`Opened::snapshot`] gives a reader for the price
/// of reading the head.
pub struct Opened<B> {
    bytes: B,
}

impl<B: AsRef<[u8]>> Opened<B> {
    /// Checks bytes as [`Snapshot::open`] does, and keeps them. `bytes` has to show the same bytes each time; if it does
    /// not, answers are wrong (nothing is read outside of them).
    ///
    /// # Errors
    /// Those of [`Snapshot::open`].
    pub fn new(bytes: B) -> Result<Self, OpenError> {
        Snapshot::open(bytes.as_ref())?;
        Ok(Opened { bytes })
    }

    /// The reader. Costs less than a microsecond, whatever the size.
    pub fn snapshot(&self) -> Snapshot<'_> {
        let bytes = self.bytes.as_ref();
        let body = bytes.get(HEAD_BYTES..).and_then(Body::decode);
        // INVARIANT: `new` has decoded the same bytes.
        Snapshot::of(body.expect("opened bytes have a body"), bytes)
    }

    /// What the bytes lie in.
    pub fn bytes(&self) -> &B {
        &self.bytes
    }
}
