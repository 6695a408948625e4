//! The encoding itself: bincode's, with fixed-width little-endian integers, written out by hand.
//!
//! bincode's own code for these few types is larger than the resolver's way to an answer, and it reserves room for as
//! many items as a list claims to have. This reads with one function per kind of value and grows with what it has read.
//! A test holds both to the same bytes.

use crate::Malformed;
use alloc::string::String;
use alloc::vec::Vec;

/// What is left of some bytes.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads a message that takes up all of the bytes.
    pub fn whole<T>(
        bytes: &'a [u8],
        limit: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        if bytes.len() > limit {
            return Err(Malformed);
        }
        let mut reader = Reader(bytes);
        let message = read(&mut reader)?;
        if reader.0.is_empty() { Ok(message) } else { Err(Malformed) }
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub fn byte(&mut self) -> Result<u8, Malformed> {
        self.bytes(1).map(|bytes| bytes.iter().fold(0, |_, byte| *byte))
    }

    pub fn flag(&mut self) -> Result<bool, Malformed> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        let bytes = self.bytes(4)?;
        bytes.try_into().map(u32::from_le_bytes).map_err(|_| Malformed)
    }

    #[inline(never)]
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        let bytes = self.bytes(8)?;
        bytes.try_into().map(u64::from_le_bytes).map_err(|_| Malformed)
    }

    #[inline(never)]
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        let len = usize::try_from(self.u64()?).map_err(|_| Malformed)?;
        core::str::from_utf8(self.bytes(len)?).map_err(|_| Malformed)
    }

    #[inline(never)]
    pub fn pair(&mut self) -> Result<(&'a str, &'a str), Malformed> {
        Ok((self.text()?, self.text()?))
    }

    #[inline(never)]
    pub fn pairs(&mut self) -> Result<Vec<(&'a str, &'a str)>, Malformed> {
        let mut pairs = Vec::new();
        // A count that is too large ends with the bytes: every pair takes some.
        for _ in 0..self.u64()? {
            pairs.push(self.pair()?);
        }
        Ok(pairs)
    }

    pub fn texts(&mut self) -> Result<Vec<String>, Malformed> {
        let mut texts = Vec::new();
        for _ in 0..self.u64()? {
            texts.push(String::from(self.text()?));
        }
        Ok(texts)
    }

    pub fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }
}

/// A message being written.
pub(crate) struct Writer(pub Vec<u8>);

impl Writer {
    pub fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    #[inline(never)]
    pub fn text(&mut self, text: &str) {
        self.u64(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub fn pairs(&mut self, pairs: &[(&str, &str)]) {
        self.u64(pairs.len() as u64);
        for (one, other) in pairs {
            self.text(one);
            self.text(other);
        }
    }

    #[inline(never)]
    pub fn texts(&mut self, texts: &[String]) {
        // Lists can be long: one growth instead of many.
        self.0.reserve(8 + texts.iter().map(|text| 8 + text.len()).sum::<usize>());
        self.u64(texts.len() as u64);
        for text in texts {
            self.text(text);
        }
    }

    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}
