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
pub fn canonical_uuid(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    if text[8] != b'-' || text[13] != b'-' || text[18] != b'-' || text[23] != b'-' {
        return None;
    }
    // Positions of the sixteen pairs of digits between the dashes.
    const AT: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let mut out = [0u8; 16];
    let mut bad = 0u8;
    for (byte, at) in out.iter_mut().zip(AT) {
        let (high, low) = (NIBBLE[text[at] as usize], NIBBLE[text[at + 1] as usize]);
        bad |= high | low;
        *byte = (high << 4) | (low & 15);
    }
    (bad & 0x80 == 0).then_some(out)
}

/// The value of a lower-case hexadecimal digit; the top bit is set for every other byte.
const NIBBLE: [u8; 256] = {
    let mut table = [0x80u8; 256];
    let mut value = 0u8;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    table
};

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
