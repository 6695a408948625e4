//! A strict JSON reader (RFC 8259) over bytes in memory, for documents whose shape is known.
//!
//! It builds no tree: the caller says what it expects next and takes the value. It keeps neither line numbers nor the
//! path, which only an error needs; `place.rs` finds them from the offset. Beyond the grammar it refuses members given
//! twice and nesting deeper than [`JSON_DEPTH_MAX`].

use crate::error::quoted;
use postern_vocab::limits::JSON_DEPTH_MAX;
use std::borrow::Cow;

/// What is wrong at a byte of the document.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The offset of the byte.
    pub at: usize,
    /// What, and how to fix it.
    pub message: String,
}

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    /// Names of the open objects' members so far, innermost last: a stack, so that objects need no set of their own.
    names: Vec<Cow<'a, str>>,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0, depth: 0, names: Vec::new() }
    }

    /// Reads the one value of a document: `value`, and nothing after it.
    pub fn document<T>(mut self, value: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(self.fault("a byte order mark; save the file as UTF-8 without one"));
        }
        let value = value(&mut self)?;
        self.skip_space();
        match self.at == self.bytes.len() {
            true => Ok(value),
            false => Err(self.fault("text after the end of the document; remove it")),
        }
    }

    /// The offset of the next token.
    pub fn offset(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { at: self.at, message: message.into() }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is no space; `None` at the end.
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.bytes.get(self.at).copied()
    }

    fn wrong_type(&mut self, expected: &str) -> Fault {
        let found = match self.peek() {
            None => "the end of the document",
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(_) => "something that is not JSON",
        };
        self.fault(format!("expected {expected}, found {found}"))
    }

    fn open(&mut self, bracket: u8, expected: &str) -> Result<(), Fault> {
        if self.peek() != Some(bracket) {
            return Err(self.wrong_type(expected));
        }
        if self.depth == JSON_DEPTH_MAX {
            return Err(self.fault(format!("nested deeper than {JSON_DEPTH_MAX} levels")));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// After an element: true at a comma, false at the closing bracket.
    fn more(&mut self, close: u8) -> Result<bool, Fault> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                if self.peek() == Some(close) {
                    return Err(self.fault("a comma before the closing bracket; remove the comma"));
                }
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.close();
                Ok(false)
            }
            None => {
                Err(self
                    .fault(format!("the document ends inside of a bracket; `{}` is missing", close as char)))
            }
            Some(_) => Err(self.fault(format!("expected `,` or `{}`", close as char))),
        }
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    /// Whether the bracket that was just opened closes at once.
    fn empty(&mut self, close: u8) -> bool {
        let empty = self.peek() == Some(close);
        if empty {
            self.close();
        }
        empty
    }

    /// Reads an object whose members are named by the document. `entry` gets the name and its offset.
    pub fn entries(
        &mut self,
        mut entry: impl FnMut(&mut Self, Cow<'a, str>, usize) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.open(b'{', "an object")?;
        if self.empty(b'}') {
            return Ok(());
        }
        loop {
            let at = self.offset();
            let name = self.text("the name of a member")?;
            if self.peek() != Some(b':') {
                return Err(self.fault(format!("expected `:` after the name {}", quoted(&name))));
            }
            self.at += 1;
            entry(self, name, at)?;
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads an object with known members. `member` takes the value of the member that it is given the name of, or
    /// answers false for a name that it does not know; `known` lists the names for the error.
    pub fn object(
        &mut self,
        known: &[&str],
        mut member: impl FnMut(&mut Self, &str) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let first = self.names.len();
        self.entries(|reader, name, at| {
            if reader.names[first..].contains(&name) {
                return Err(twice(&name, at));
            }
            reader.names.push(name.clone());
            if member(reader, &name)? {
                return Ok(());
            }
            let message =
                format!("unknown member {}; the members here are {}", quoted(&name), known.join(", "));
            Err(Fault { at, message })
        })?;
        self.names.truncate(first);
        Ok(())
    }

    /// Reads an array; `element` takes each of its values.
    pub fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.open(b'[', "an array")?;
        if self.empty(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.more(b']')? {
                return Ok(());
            }
        }
    }

    /// Reads an array into a list.
    pub fn list<T>(&mut self, element: impl Fn(&mut Self) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        let mut list = Vec::new();
        self.array(|reader| {
            list.push(element(reader)?);
            Ok(())
        })?;
        Ok(list)
    }

    /// `null` is `None`.
    pub fn optional<T>(
        &mut self,
        value: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        match self.peek() {
            Some(b'n') => self.word("null").map(|()| None),
            _ => value(self).map(Some),
        }
    }

    pub fn boolean(&mut self) -> Result<bool, Fault> {
        match self.peek() {
            Some(b't') => self.word("true").map(|()| true),
            Some(b'f') => self.word("false").map(|()| false),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        let rest = &self.bytes[self.at..];
        let ends = !rest.get(word.len()).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if !rest.starts_with(word.as_bytes()) || !ends {
            return Err(self.fault(format!("expected `{word}`")));
        }
        self.at += word.len();
        Ok(())
    }

    /// Reads a whole number of 64 bits without a sign. JSON has but one type of number; `7.0` and `7e0` are refused
    /// rather than rounded.
    pub fn number(&mut self) -> Result<u64, Fault> {
        const EXPECTED: &str = "a whole number from 0 to 18446744073709551615";
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.wrong_type(EXPECTED));
        }
        let rest = &self.bytes[self.at..];
        let end = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
            .unwrap_or(rest.len());
        let digits = &rest[..end];
        let text = std::str::from_utf8(digits).unwrap_or_default();
        match text.parse() {
            Ok(number) if digits.len() == 1 || digits[0] != b'0' => {
                self.at += end;
                Ok(number)
            }
            _ => Err(self.fault(format!("expected {EXPECTED}, found {}", quoted(text)))),
        }
    }

    pub fn string(&mut self) -> Result<String, Fault> {
        self.text("a string").map(Cow::into_owned)
    }

    /// Reads a string; borrowed where it has no escapes.
    pub fn text(&mut self, expected: &str) -> Result<Cow<'a, str>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong_type(expected));
        }
        let start = self.at;
        self.at += 1;
        let mut unescaped: Option<String> = None;
        loop {
            let piece = self.plain()?;
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match unescaped {
                        None => Cow::Borrowed(piece),
                        Some(mut text) => {
                            text.push_str(piece);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(piece);
                    text.push(self.escape()?);
                }
                Some(_) => return Err(self.fault("a control character in a string; write it as \\u00XX")),
                None => {
                    return Err(Fault {
                        at: start,
                        message: "the closing `\"` of this string is missing".into(),
                    });
                }
            }
        }
    }

    /// The bytes of a string up to its end, an escape or a control character.
    fn plain(&mut self) -> Result<&'a str, Fault> {
        let rest = &self.bytes[self.at..];
        let length =
            rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20).unwrap_or(rest.len());
        match std::str::from_utf8(&rest[..length]) {
            Ok(text) => {
                self.at += length;
                Ok(text)
            }
            Err(error) => {
                self.at += error.valid_up_to();
                Err(self.fault("a byte that is not UTF-8; save the file as UTF-8"))
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.at += 2;
        Ok(match self.bytes.get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => {
                return Err(Fault { at: start, message: "an escape that JSON does not have".into() });
            }
        })
    }

    /// After `\u`: a character, from one escape or from the two of a surrogate pair.
    fn unicode(&mut self, start: usize) -> Result<char, Fault> {
        let fault = |message: &str| Fault { at: start, message: message.into() };
        let bad = || fault("`\\u` needs four hexadecimal digits");
        let high = self.four_digits().ok_or_else(bad)?;
        let mut code = high;
        if (0xd800..0xdc00).contains(&high) && self.bytes[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let low = self.four_digits().ok_or_else(bad)?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            }
        }
        char::from_u32(code).ok_or_else(|| fault("half of a surrogate pair; it stands for no character"))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        let mut value = 0;
        for &digit in digits {
            value = value * 16 + (digit as char).to_digit(16)?;
        }
        self.at += 4;
        Some(value)
    }

    /// Skips a value of a document that has been read before.
    pub fn skip_value(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{') => self.entries(|reader, _, _| reader.skip_value()),
            Some(b'[') => self.array(Self::skip_value),
            Some(b'"') => self.text("a string").map(drop),
            Some(b'-' | b'0'..=b'9') => {
                let rest = &self.bytes[self.at..];
                self.at += rest
                    .iter()
                    .position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
                    .unwrap_or(rest.len());
                Ok(())
            }
            Some(b'n') => self.word("null"),
            _ => self.boolean().map(drop),
        }
    }
}

/// A member whose name the object already has.
pub(crate) fn twice(name: &str, at: usize) -> Fault {
    Fault { at, message: format!("the member {} is given twice; keep one of them", quoted(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_nest_to_the_limit_and_no_deeper() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let read = |text: &str| Reader::new(text.as_bytes()).document(Reader::skip_value);
        assert!(read(&nested(JSON_DEPTH_MAX)).is_ok());
        let fault = read(&nested(JSON_DEPTH_MAX + 1)).unwrap_err();
        assert_eq!((fault.at, &*fault.message), (JSON_DEPTH_MAX, "nested deeper than 16 levels"));
        // Brackets that were closed do not count.
        assert!(read(&format!("[{}]", vec![nested(JSON_DEPTH_MAX - 1); 20].join(","))).is_ok());
    }

    #[test]
    fn escapes() {
        let text = r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000 \uFFFD""#;
        let read = Reader::new(text.as_bytes()).document(Reader::string).unwrap();
        assert_eq!(read, "\"\\/\u{8}\u{c}\n\r\té😀\0 \u{fffd}");
    }
}
