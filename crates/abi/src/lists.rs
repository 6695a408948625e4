//! Lists that are read without trusting their length.
//!
//! bincode reserves room for as many items as a list claims to have before it reads the first. A few bytes could thus
//! ask for as much memory as the limit allows. These lists grow with what they have read instead.

use alloc::string::String;
use alloc::vec::Vec;
use bincode::de::{BorrowDecode, BorrowDecoder};
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError, EncodeError};

/// Pairs of text, borrowed from the bytes: parents (type, id) or dimensions (name, value).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs<'a>(pub Vec<(&'a str, &'a str)>);

impl Encode for Pairs<'_> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.0.len() as u64).encode(encoder)?;
        self.0.iter().try_for_each(|(a, b)| {
            a.encode(encoder)?;
            b.encode(encoder)
        })
    }
}

impl<'de, C> BorrowDecode<'de, C> for Pairs<'de> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let mut pairs = Vec::new();
        for _ in 0..<u64 as BorrowDecode<'de, C>>::borrow_decode(decoder)? {
            pairs.push((
                BorrowDecode::<'de, C>::borrow_decode(decoder)?,
                BorrowDecode::<'de, C>::borrow_decode(decoder)?,
            ));
        }
        Ok(Pairs(pairs))
    }
}

/// A list of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

impl Encode for Texts {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.0.len() as u64).encode(encoder)?;
        self.0.iter().try_for_each(|text| text.encode(encoder))
    }
}

impl<'de, C> BorrowDecode<'de, C> for Texts {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let mut texts = Vec::new();
        for _ in 0..<u64 as BorrowDecode<'de, C>>::borrow_decode(decoder)? {
            let text: &'de str = BorrowDecode::<'de, C>::borrow_decode(decoder)?;
            texts.push(String::from(text));
        }
        Ok(Texts(texts))
    }
}
