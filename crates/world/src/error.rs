//! What can be wrong with a document, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// What is wrong with a world or a query, where it stands, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldError {
    /// The JSON path, such as `$.assignments[3].role`.
    pub path: String,
    /// Counted from 1; 0 when there is no document, as for a world that was put together in memory.
    pub line: usize,
    /// In characters, counted from 1; 0 when there is no document.
    pub column: usize,
    /// What is wrong and how to fix it: one line, without control characters.
    pub message: String,
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}, ", self.line, self.column)?;
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for WorldError {}

/// Why a file could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The operating system refused.
    Io {
        /// The file.
        file: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// The file exceeds a limit; nothing of it was used.
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The line, for files that are read by lines; 0 where the whole file is meant.
        line: usize,
        /// The limit.
        bytes_max: u64,
    },
    /// The document says something that it may not say.
    Document {
        /// The file.
        file: PathBuf,
        /// What, and where.
        source: WorldError,
    },
}

impl ReadError {
    /// The file that could not be read.
    pub fn file(&self) -> &Path {
        match self {
            ReadError::Io { file, .. }
            | ReadError::TooLarge { file, .. }
            | ReadError::Document { file, .. } => file,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file().display())?;
        match self {
            ReadError::Io { source, .. } => write!(f, "cannot read: {source}"),
            ReadError::TooLarge { line: 0, bytes_max, .. } => {
                write!(
                    f,
                    "larger than {bytes_max} bytes, the most that is read at once; split the organization"
                )
            }
            ReadError::TooLarge { line, bytes_max, .. } => {
                write!(f, "line {line}: longer than {bytes_max} bytes, the most that one query may take")
            }
            ReadError::Document { source, .. } => source.fmt(f),
        }
    }
}

// Without a `source`: the message has the cause in it already.
impl std::error::Error for ReadError {}

/// Text from a document, as an error message shows it.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// Text from a document, shortened, and escaped so that it stays on one line of a terminal.
pub(crate) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut out = String::new();
    for character in text.chars().take(CHARS_MAX) {
        match character {
            '\'' => out.push(character),
            _ => out.extend(character.escape_debug()),
        }
    }
    if text.chars().nth(CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}
