//! Where in a document something stands: offsets, lines, columns and JSON paths.
//!
//! Only errors need this, so reading keeps none of it. An offset is turned into a path, or a path into an offset, by
//! walking over the document once more.

use crate::error::{WorldError, shown};
use crate::json::{Fault, Reader};
use std::fmt::Write as _;

/// One step of a JSON path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Member(String),
    Index(usize),
}

/// The JSON path of some steps: `$.roles[0].permissions[2]`, `$.catalog.permissions["miner:reboot"]`.
pub(crate) fn render(steps: &[Step]) -> String {
    let mut path = String::from("$");
    for step in steps {
        // Writing to a string cannot fail.
        let _ = match step {
            Step::Index(index) => write!(path, "[{index}]"),
            Step::Member(name) if is_plain(name) => write!(path, ".{name}"),
            Step::Member(name) => write!(path, "[\"{}\"]", shown(name)),
        };
    }
    path
}

fn is_plain(name: &str) -> bool {
    name.len() <= 80
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
}

/// Line and column of an offset, both from 1, the column in characters.
pub(crate) fn line_and_column(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[..at.min(bytes.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    // A character is its first byte; the others of UTF-8 are 0b10……….
    let column = 1 + before[line_start..].iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    (line, column)
}

/// The error for a fault at an offset of the document.
pub(crate) fn error_at(bytes: &[u8], fault: Fault) -> WorldError {
    let (line, column) = line_and_column(bytes, fault.at);
    WorldError { path: render(&steps_at(bytes, fault.at)), line, column, message: fault.message }
}

/// The steps to the value, or to the member whose name, stands at an offset. The document is well-formed before it.
fn steps_at(bytes: &[u8], offset: usize) -> Vec<Step> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut at = 0;
    while at < offset.min(bytes.len()) {
        match bytes[at] {
            b'{' => frames.push(Frame::Object(None)),
            b'[' => frames.push(Frame::Array(0)),
            b'}' | b']' => drop(frames.pop()),
            b',' => match frames.last_mut() {
                Some(Frame::Object(name)) => *name = None,
                Some(Frame::Array(index)) => *index += 1,
                None => {}
            },
            b'"' => {
                let end = string_end(bytes, at);
                if end <= offset
                    && let Some(Frame::Object(name @ None)) = frames.last_mut()
                {
                    *name = Some(at);
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    // An offset at a name means that member.
    if bytes.get(offset) == Some(&b'"')
        && let Some(Frame::Object(name @ None)) = frames.last_mut()
    {
        *name = Some(offset);
    }
    frames.iter().filter_map(|frame| frame.step(bytes)).collect()
}

/// Brackets that are open at some point of a document.
enum Frame {
    /// With the offset of the current member's name, once that was read.
    Object(Option<usize>),
    /// With the index of the current element.
    Array(usize),
}

impl Frame {
    fn step(&self, bytes: &[u8]) -> Option<Step> {
        match *self {
            Frame::Array(index) => Some(Step::Index(index)),
            Frame::Object(name) => {
                let text = Reader::new(&bytes[name?..]).string().ok()?;
                Some(Step::Member(text))
            }
        }
    }
}

/// The offset after the string that starts at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len().max(at)
}

/// The offset of what some steps lead to in a well-formed document: of the value, or of the name of the member.
/// A member that is not there is its object.
pub(crate) fn locate(bytes: &[u8], steps: &[Step], of_name: bool) -> usize {
    let mut reader = Reader::new(bytes);
    let mut at = reader.offset();
    for (index, step) in steps.iter().enumerate() {
        let last = index + 1 == steps.len();
        // A closure that stops the walk with an error once the place is found; its offset is the place.
        let walk = match step {
            Step::Member(wanted) => reader.entries(|reader, name, name_at| match name == *wanted {
                true if last && of_name => Err(found(name_at)),
                true => Err(found(reader.offset())),
                false => reader.skip_value(),
            }),
            Step::Index(wanted) => {
                let mut index = 0;
                reader.array(|reader| {
                    if index == *wanted {
                        return Err(found(reader.offset()));
                    }
                    index += 1;
                    reader.skip_value()
                })
            }
        };
        match walk {
            Err(place) => at = place.at,
            Ok(()) => return at,
        }
    }
    at
}

fn found(at: usize) -> Fault {
    Fault { at, message: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n \"a\": [{\"b\": 1}, {\"ö:c\": {\"d\": [true, \"x\\\"\"]}}],\n \"e\": null }";

    #[test]
    fn offsets_and_paths_lead_to_each_other() {
        for (needle, path) in [
            ("{\n", "$"),
            ("[{", "$.a"),
            ("1}", "$.a[0].b"),
            ("{\"ö", "$.a[1]"),
            ("{\"d", "$.a[1][\"ö:c\"]"),
            ("true", "$.a[1][\"ö:c\"].d[0]"),
            ("\"x", "$.a[1][\"ö:c\"].d[1]"),
            ("null", "$.e"),
        ] {
            let at = TEXT.find(needle).unwrap();
            let steps = steps_at(TEXT.as_bytes(), at);
            assert_eq!(render(&steps), path);
            assert_eq!(locate(TEXT.as_bytes(), &steps, false), at, "{path}");
        }
    }

    #[test]
    fn a_name_is_a_place_of_its_own() {
        let at = TEXT.find("\"ö:c\"").unwrap();
        let steps = steps_at(TEXT.as_bytes(), at);
        assert_eq!(render(&steps), "$.a[1][\"ö:c\"]");
        assert_eq!(locate(TEXT.as_bytes(), &steps, true), at);
    }

    #[test]
    fn a_missing_member_is_located_at_its_object() {
        let steps = [Step::Member("a".into()), Step::Index(0), Step::Member("z".into())];
        assert_eq!(locate(TEXT.as_bytes(), &steps, false), TEXT.find("{\"b").unwrap());
    }

    #[test]
    fn columns_count_characters() {
        let at = TEXT.find("{\"d").unwrap();
        assert_eq!(line_and_column(TEXT.as_bytes(), at), (2, 26));
        assert_eq!(line_and_column(TEXT.as_bytes(), 0), (1, 1));
        assert_eq!(line_and_column(b"", 5), (1, 1));
    }
}
