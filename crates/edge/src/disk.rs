//! What survives a restart: one file with the snapshot and the statement that came with it, one with the newest
//! statement, one with the keys.
//!
//! Nothing is believed for lying there: it is verified like what comes from the network. Files are written under another
//! name and moved into place, so that there is always a whole one.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const SNAPSHOT: &str = "state.snapshot";
const STATEMENT: &str = "statement.json";
const KEYS: &str = "jwks.json";

/// The folder.
#[derive(Clone)]
pub struct Disk(PathBuf);

/// A statement, and the tag of the bytes that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagged {
    /// As it was signed.
    pub statement: String,
    /// What the gateway calls the bytes.
    pub etag: String,
}

impl Disk {
    /// # Errors
    /// The folder cannot be made.
    pub fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Disk(folder.to_owned()))
    }

    /// The snapshot, and every statement that may be about it, the newer one last. `None`: there is none.
    pub fn read(&self) -> io::Result<Option<(Bytes, Vec<Tagged>)>> {
        let bytes = match fs::read(self.0.join(SNAPSHOT)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => Bytes::from(read?),
        };
        // The first line is the statement that came with the bytes.
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let first = bytes.slice(..end);
        let bytes = bytes.slice(bytes.len().min(end + 1)..);
        let newest = fs::read(self.0.join(STATEMENT)).unwrap_or_default();
        let tagged = [&first[..], &newest].into_iter().filter_map(|line| serde_json::from_slice(line).ok());
        Ok(Some((bytes, tagged.collect())))
    }

    /// Keeps a snapshot.
    pub fn keep(&self, bytes: &[u8], tagged: &Tagged) -> io::Result<()> {
        let line = serde_json::to_vec(tagged)?;
        self.replace(SNAPSHOT, &[&line, b"\n", bytes])
    }

    /// Keeps a newer statement about the snapshot that is kept.
    pub fn keep_statement(&self, tagged: &Tagged) -> io::Result<()> {
        self.replace(STATEMENT, &[&serde_json::to_vec(tagged)?])
    }

    /// The keys.
    pub fn keys(&self) -> Option<String> {
        fs::read_to_string(self.0.join(KEYS)).ok()
    }

    /// Keeps the keys.
    pub fn keep_keys(&self, keys: &str) -> io::Result<()> {
        self.replace(KEYS, &[keys.as_bytes()])
    }

    fn replace(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let unfinished = self.0.join(format!("{name}.new"));
        let write = || {
            let mut file = fs::File::create(&unfinished)?;
            for part in parts {
                file.write_all(part)?;
            }
            file.sync_all()
        };
        // What is there stays when the disk is full.
        write().and_then(|()| fs::rename(&unfinished, self.0.join(name))).inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
        })
    }
}
