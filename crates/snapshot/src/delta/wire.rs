//! Numbers of seven bits a byte, lowest first, the last one without its top bit; and bytes as they are.

use std::vec::Vec;

/// What a reader says where the bytes end early or say what cannot be.
pub(super) struct Bad;

/// Reads from the front; remembers how much is left, and so where it is.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub fn left(&self) -> usize {
        self.rest.len()
    }

    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Bad> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(Bad)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(Bad)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub fn long(&mut self) -> Result<u64, Bad> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                return Err(Bad);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                // One way to write each number.
                return if byte == 0 && shift != 0 { Err(Bad) } else { Ok(number) };
            }
        }
        Err(Bad)
    }

    pub fn number(&mut self) -> Result<u32, Bad> {
        u32::try_from(self.long()?).map_err(|_| Bad)
    }

    pub fn text(&mut self) -> Result<&'a [u8], Bad> {
        let count = self.number()? as usize;
        self.bytes(count)
    }
}

pub(super) fn long(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn number(out: &mut Vec<u8>, value: u32) {
    long(out, value.into());
}

pub(super) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written_and_in_one_way_only() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            long(&mut out, value);
            let mut reader = Reader::new(&out);
            assert_eq!(reader.long().ok(), Some(value));
            assert_eq!(reader.left(), 0);
            assert!(Reader::new(&out[..out.len() - 1]).long().is_err());
        }
        assert!(Reader::new(&[0x80, 0x00]).long().is_err(), "zero in two bytes");
        assert!(Reader::new(&[0xFF; 10]).long().is_err(), "more than 64 bits");
    }
}
