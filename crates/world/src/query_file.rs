//! Query files: one JSON object a line, `docs/semantics.md` section 6.

use crate::error::{ReadError, WorldError, quoted};
use crate::json::{Fault, Reader};
use crate::parse::map;
use crate::place::error_at;
use crate::time::parse_time;
use crate::{Op, Query, ResourceRef};
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

/// Longest line of a query file, in bytes. A query states a few ids and dimensions; a longer line is another file.
/// The shortest fact that a line can state (`{},` in `in`) takes 3 bytes here and 16 in a request to the WASM module,
/// so that every query which can be read also fits into a request.
pub const LINE_BYTES_MAX: u64 = 128 * 1024;

/// Reads one line of a query file.
///
/// What rule 1 calls malformed (an absent subject, a resource without an id) is no error here: it is read, and
/// answered `invalid_request`.
///
/// # Errors
/// The line is no query: not JSON, an unknown member or `op`, a value of another type, a time that is none, a member
/// that the `op` does not use. Line 1 is meant; [`Queries`] counts.
pub fn parse_query(line: &str) -> Result<Query, WorldError> {
    read(line.as_bytes())
}

fn read(bytes: &[u8]) -> Result<Query, WorldError> {
    Reader::new(bytes).document(query).map_err(|fault| error_at(bytes, fault))
}

fn query(reader: &mut Reader<'_>) -> Result<Query, Fault> {
    const MEMBERS: &[&str] =
        &["op", "subject", "permission", "resource", "type", "in", "owner", "where", "session", "now"];
    let mut query = Query::default();
    // The offsets of the members that not every op uses. Which op it is may stand behind them.
    let mut given: Vec<(&'static str, usize)> = Vec::new();
    reader.object(MEMBERS, |reader, name| {
        let at = reader.offset();
        match name {
            "op" => query.op = reader.optional(op)?.unwrap_or(Op::Check),
            "subject" => {
                let subject = reader.optional(Reader::string)?;
                given.extend(subject.is_some().then_some(("subject", at)));
                query.subject = subject.unwrap_or_default();
            }
            "permission" => {
                let permission = reader.optional(Reader::string)?;
                given.extend(permission.is_some().then_some(("permission", at)));
                query.permission = permission.unwrap_or_default();
            }
            "resource" => {
                query.resource = reader.optional(stated_place)?;
                given.extend(query.resource.is_some().then_some(("resource", at)));
            }
            "type" => {
                let kind = reader.optional(Reader::string)?;
                given.extend(kind.is_some().then_some(("type", at)));
                query.kind = kind.unwrap_or_default();
            }
            "in" => {
                query.parents = reader.optional(|reader| reader.list(stated_place))?.unwrap_or_default();
            }
            "owner" => query.owner = reader.optional(Reader::string)?,
            "where" => {
                query.dimensions = reader.optional(|reader| map(reader, Reader::string))?.unwrap_or_default()
            }
            "session" => query.session = reader.optional(Reader::string)?,
            "now" => query.now = reader.optional(time)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    match given.iter().find(|(name, _)| !query.op.uses(name)) {
        None => Ok(query),
        Some(&(name, at)) => {
            let message = format!("the op `{}` does not use `{name}`; remove it", query.op.as_str());
            Err(Fault { at, message })
        }
    }
}

fn op(reader: &mut Reader<'_>) -> Result<Op, Fault> {
    let at = reader.offset();
    let text = reader.string()?;
    Op::ALL.into_iter().find(|op| op.as_str() == text).ok_or_else(|| {
        let names = Op::ALL.map(Op::as_str).join(", ");
        Fault { at, message: format!("the op {} is not known; the ops are {names}", quoted(&text)) }
    })
}

/// A resource as a query states it. A part that is missing is empty, which rule 1 answers.
fn stated_place(reader: &mut Reader<'_>) -> Result<ResourceRef, Fault> {
    let (mut kind, mut id) = (None, None);
    reader.object(&["type", "id"], |reader, name| {
        match name {
            "type" => kind = reader.optional(Reader::string)?,
            "id" => id = reader.optional(Reader::string)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(ResourceRef { kind: kind.unwrap_or_default(), id: id.unwrap_or_default() })
}

fn time(reader: &mut Reader<'_>) -> Result<i64, Fault> {
    let at = reader.offset();
    let text = reader.text("a time as a string")?;
    parse_time(&text).map_err(|why| Fault { at, message: format!("{} {why}", quoted(&text)) })
}

/// The queries of a file, in order. Lines without text are passed over. After an error there are no more.
pub struct Queries<R> {
    file: PathBuf,
    reader: R,
    line: usize,
    text: Vec<u8>,
    done: bool,
}

impl Queries<std::io::BufReader<std::fs::File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, ReadError> {
        let file = file.as_ref();
        match std::fs::File::open(file) {
            Ok(open) => Ok(Queries::new(file, std::io::BufReader::new(open))),
            Err(source) => Err(ReadError::Io { file: file.into(), source }),
        }
    }
}

impl<R: BufRead> Queries<R> {
    /// Reads from `reader`; `file` is its name in errors.
    pub fn new(file: impl Into<PathBuf>, reader: R) -> Self {
        Queries { file: file.into(), reader, line: 0, text: Vec::new(), done: false }
    }

    /// The text of the query that came last.
    pub fn text(&self) -> &str {
        // What was read as a query is UTF-8.
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    fn read_next(&mut self) -> Result<Option<(usize, Query)>, ReadError> {
        loop {
            self.text.clear();
            let file = || self.file.clone();
            let mut limited = (&mut self.reader).take(LINE_BYTES_MAX + 1);
            let length = limited
                .read_until(b'\n', &mut self.text)
                .map_err(|source| ReadError::Io { file: file(), source })?;
            if length == 0 {
                return Ok(None);
            }
            self.line += 1;
            if self.text.last() == Some(&b'\n') {
                self.text.pop();
            }
            if self.text.len() as u64 > LINE_BYTES_MAX {
                return Err(ReadError::TooLarge { file: file(), line: self.line, bytes_max: LINE_BYTES_MAX });
            }
            if self.text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                continue;
            }
            let line = self.line;
            let query = read(&self.text).map_err(|error| ReadError::Document {
                file: file(),
                // One line holds a whole query, so that the line within it is always the first.
                source: WorldError { line, ..error },
            })?;
            return Ok(Some((line, query)));
        }
    }
}

impl<R: BufRead> Iterator for Queries<R> {
    type Item = Result<(usize, Query), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.read_next();
        self.done = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}
