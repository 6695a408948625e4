//! Files that are written whole or not at all.

use anyhow::Context as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes a file through another beside it, which then takes its name: who reads `file` at any time, or after a crash,
/// finds the old bytes or the new ones, never a part.
pub(crate) fn write_file(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = match fs::metadata(file) {
        // A pipe or a device cannot be replaced.
        Ok(found) if !found.is_file() && !found.is_dir() => fs::write(file, bytes),
        _ => replace(file, bytes),
    };
    written.with_context(|| format!("{}: cannot write", file.display()))
}

fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a link points to is replaced, not the link.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let (mut open, temporary) = create_beside(&file)?;
    let result =
        open.write_all(bytes).and_then(|()| open.sync_all()).and_then(|()| fs::rename(&temporary, &file));
    if result.is_err() {
        // The first error is the one to tell; a file left behind is a lesser harm.
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn create_beside(file: &Path) -> io::Result<(File, PathBuf)> {
    let Some(name) = file.file_name() else {
        return Err(io::ErrorKind::IsADirectory.into());
    };
    for attempt in 0..16 {
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let temporary = file.with_file_name(temporary);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(open) => return Ok((open, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
