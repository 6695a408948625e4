//! How ids and permission keys are read. All comparisons are of bytes; nothing is folded or trimmed.

/// Splits `<type>:<id>` at the first colon. `None` where the type or the id is empty.
pub fn split_subject(text: &str) -> Option<(&str, &str)> {
    match text.split_once(':') {
        Some((kind, id)) if !kind.is_empty() && !id.is_empty() => Some((kind, id)),
        _ => None,
    }
}

/// Whether an id is one of the words that stand for many (`*`, `all`) and therefore names nobody (rule 1).
pub fn is_reserved_id(id: &str) -> bool {
    id == "*" || id == "all"
}

/// Splits a permission key `<type>:<action>` at the last colon. `None` where a part is empty.
pub fn permission_parts(key: &str) -> Option<(&str, &str)> {
    match key.rsplit_once(':') {
        Some((kind, action)) if !kind.is_empty() && !action.is_empty() => Some((kind, action)),
        _ => None,
    }
}

/// Whether a key may stand in a catalog: `<type>:<action>` of `A-Za-z0-9_.-`, further colons in the type.
pub fn valid_permission_key(key: &str) -> bool {
    permission_parts(key).is_some()
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b':'))
        && !key.starts_with(':')
        && !key.contains("::")
}

/// One entry of a permission list: a key, all keys of a type (`miner:*`), or all keys (`*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowedKey<'a> {
    /// `*`
    All,
    /// `<type>:*`
    Type(&'a str),
    /// One key, in full.
    Key(&'a str),
}

impl<'a> AllowedKey<'a> {
    /// Reads an entry of a permission list. Whether the catalog has the key is for the caller to ask.
    pub fn parse(text: &'a str) -> AllowedKey<'a> {
        match text.strip_suffix(":*") {
            _ if text == "*" => AllowedKey::All,
            Some(kind) => AllowedKey::Type(kind),
            None => AllowedKey::Key(text),
        }
    }
}

/// The sixteen bytes of a UUID in its canonical form (36 characters, lower case); `None` for any other text, which
/// then is an id like any other. Ids are compared by bytes, so only the canonical form may be packed.
///
/// Eight digits are read at a time: resolving a subject by text is mostly this.
#[inline]
pub fn canonical_uuid(text: &str) -> Option<[u8; 16]> {
    canonical_uuid_bytes(text.as_bytes())
}

/// [`canonical_uuid`] of bytes that may be no text.
#[inline(always)]
pub fn canonical_uuid_bytes(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    if text[8] != b'-' || text[13] != b'-' || text[18] != b'-' || text[23] != b'-' {
        return None;
    }
    let at = |first: usize, second: usize| {
        let digits = |at: usize| u32::from_le_bytes([text[at], text[at + 1], text[at + 2], text[at + 3]]);
        u64::from(digits(first)) | u64::from(digits(second)) << 32
    };
    let words = [at(0, 4), at(9, 14), at(19, 24), at(28, 32)];
    let mut valid = EACH * 0x80;
    let mut out = [0u8; 16];
    for (word, place) in words.into_iter().zip(out.as_chunks_mut::<4>().0) {
        valid &= hexadecimal(word);
        *place = pairs(word).to_le_bytes();
    }
    (valid == EACH * 0x80).then_some(out)
}

/// One in each of eight bytes.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Sets the top bit of every byte that is a lower-case hexadecimal digit.
#[inline(always)]
const fn hexadecimal(word: u64) -> u64 {
    let low = word & (EACH * 0x7F);
    // `0` to `9` become 0 to 9, `a` to `f` 1 to 6; adding up to the next power of two then carries into the top bit
    // exactly where a value is too large (or, for the last, not zero).
    let (digit, letter) = (low ^ (EACH * 0x30), low ^ (EACH * 0x60));
    let is_digit = !(digit + EACH * 0x76);
    let is_letter = !(letter + EACH * 0x79) & (letter + EACH * 0x7F);
    (is_digit | is_letter) & !word & (EACH * 0x80)
}

/// The four bytes that eight hexadecimal digits stand for.
#[inline(always)]
const fn pairs(word: u64) -> u32 {
    let nibbles = (word & (EACH * 0x0F)) + ((word >> 6) & EACH) * 9;
    let bytes = ((nibbles << 4) | (nibbles >> 8)) & 0x00FF_00FF_00FF_00FF;
    let bytes = (bytes | (bytes >> 8)) & 0x0000_FFFF_0000_FFFF;
    (bytes | (bytes >> 16)) as u32
}

/// The canonical text of a UUID: 36 ASCII characters.
pub fn format_uuid(bytes: &[u8; 16]) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        out[at] = DIGITS[(byte >> 4) as usize];
        out[at + 1] = DIGITS[(byte & 15) as usize];
        at += 2;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_uuids_are_packed() {
        let text = "0192f1c2-7aa0-7bcd-8eef-0123456789ab";
        let bytes = canonical_uuid(text).unwrap();
        assert_eq!(format_uuid(&bytes), text.as_bytes());
        for other in [
            "0192F1C2-7aa0-7bcd-8eef-0123456789ab",
            "0192f1c27aa07bcd8eef0123456789ab",
            "0192f1c2-7aa0-7bcd-8eef-0123456789ag",
            "0192f1c2-7aa0-7bcd-8eef-0123456789a",
            "0192f1c2-7aa0-7bcd-8eef_0123456789ab",
            "",
        ] {
            assert_eq!(canonical_uuid(other), None, "{other}");
        }
    }

    #[test]
    fn every_byte_is_a_digit_or_none() {
        for byte in 0..=255u8 {
            let mut text = *b"0192f1c2-7aa0-7bcd-8eef-0123456789ab";
            text[35] = byte;
            let Ok(text) = core::str::from_utf8(&text) else {
                continue;
            };
            let value = (byte as char).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
            assert_eq!(canonical_uuid(text).map(|id| u32::from(id[15]) & 15), value, "{byte}");
        }
    }

    #[test]
    fn permission_keys_split_at_the_last_colon() {
        assert_eq!(permission_parts("a:b:c"), Some(("a:b", "c")));
        assert_eq!(permission_parts("read"), None);
        assert_eq!(permission_parts("a:"), None);
        assert!(valid_permission_key("remote-mcp:a.b_c:read"));
        for bad in ["read", ":read", "a:", "a::b", "a b:c", "a:*", "*", ""] {
            assert!(!valid_permission_key(bad), "{bad}");
        }
    }

    #[test]
    fn subjects_split_at_the_first_colon() {
        assert_eq!(split_subject("user:a:b"), Some(("user", "a:b")));
        for bad in ["user", "user:", ":a", ""] {
            assert_eq!(split_subject(bad), None, "{bad}");
        }
    }
}
