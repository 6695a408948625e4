//! The file with the vault's keys: TOML, `current = "<id>"` and a table `[keys]` of ids and 32 bytes in base64. Nothing
//! that is in it is ever in an error.

use super::seal::{KEY_BYTES, Keys};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the id of a key looks like.
pub const ID: &str = "write 1 to 64 of a-z, A-Z, 0-9, `-` and `_`";

/// Whether this can be the id of a key.
pub fn is_id(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(good)
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", .file.display())]
pub struct KeysFileError {
    /// The file.
    pub file: PathBuf,
    /// What, without anything that it has in it.
    pub what: String,
}

/// As it is written.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysFile {
    /// The key that encrypts.
    pub current: String,
    /// The keys, in base64.
    pub keys: BTreeMap<String, String>,
}

impl KeysFile {
    /// Reads a file.
    pub fn read(file: &Path) -> Result<KeysFile, KeysFileError> {
        let text = std::fs::read_to_string(file).map_err(|error| wrong(file, error.to_string()))?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            wrong(
                file,
                format!("line {line}: write `current = \"<id>\"` and a table [keys] of ids and base64"),
            )
        })
    }

    /// Its keys.
    pub fn keys(&self, file: &Path) -> Result<Keys, KeysFileError> {
        let mut keys = BTreeMap::new();
        for (id, text) in &self.keys {
            if !is_id(id) {
                return Err(wrong(file, format!("a key's id is none: {ID}")));
            }
            let bytes = STANDARD.decode(text).ok().and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
            let what = || wrong(file, format!("key `{id}` is not {KEY_BYTES} bytes in base64"));
            keys.insert(id.clone(), bytes.ok_or_else(what)?);
        }
        let keys = Keys::new(self.current.clone(), keys);
        keys.ok_or_else(|| wrong(file, format!("`current` is `{}`, which is none of the keys", self.current)))
    }

    /// A file with one key more; the first is the one that encrypts.
    pub fn with_new(mut self, id: &str, bytes: &[u8; KEY_BYTES]) -> KeysFile {
        if self.keys.is_empty() {
            id.clone_into(&mut self.current);
        }
        self.keys.insert(id.to_owned(), STANDARD.encode(bytes));
        self
    }

    /// Writes the file: whole or not at all, and for nobody but its owner to read.
    pub fn write(&self, file: &Path) -> Result<(), KeysFileError> {
        let failed = |error: std::io::Error| wrong(file, error.to_string());
        let mut text = format!("current = \"{}\"\n\n[keys]\n", self.current);
        for (id, key) in &self.keys {
            text.push_str(&format!("{id} = \"{key}\"\n"));
        }
        let beside = file.with_extension("new");
        // What a run that was cut off left behind.
        let _ = std::fs::remove_file(&beside);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut opened = options.open(&beside).map_err(failed)?;
        opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).map_err(failed)?;
        std::fs::rename(&beside, file).map_err(failed)
    }
}

fn wrong(file: &Path, what: String) -> KeysFileError {
    KeysFileError { file: file.to_owned(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_and_never_what() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.toml");
        let good = STANDARD.encode([7; KEY_BYTES]);
        for (text, what) in [
            ("current = \"a\"\n[keys]\na = 7\n".to_owned(), "line 3"),
            (format!("{good}\n"), "line 1"),
            (format!("current = \"a\"\n[keys]\na = \"{good}\"\na = \"{good}\"\n"), "line 4"),
            (format!("current = \"a\"\nkeys = \"{good}\"\n"), "line 2"),
            (format!("current = \"a\"\n[keys]\na = \"{good}x\"\n"), "key `a` is not 32 bytes"),
            (format!("current = \"a b\"\n[keys]\n\"a b\" = \"{good}\"\n"), "id is none"),
            (format!("current = \"b\"\n[keys]\na = \"{good}\"\n"), "`current` is `b`"),
        ] {
            std::fs::write(&file, &text).unwrap();
            let read = KeysFile::read(&file).and_then(|read| read.keys(&file).map(drop));
            let error = read.unwrap_err().to_string();
            assert!(error.contains(what) && !error.contains(&good[..8]), "{error}");
        }
        let error = KeysFile::read(&folder.path().join("none")).err().unwrap().to_string();
        assert!(error.contains("none: No such file"), "{error}");
    }

    #[test]
    fn what_is_written_is_read_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.toml");
        let one = KeysFile::default().with_new("a", &[1; KEY_BYTES]);
        one.write(&file).unwrap();
        let two = KeysFile::read(&file).unwrap().with_new("b", &[2; KEY_BYTES]);
        two.write(&file).unwrap();
        let read = KeysFile::read(&file).unwrap();
        assert!(read == two && read.current == "a" && read.keys.len() == 2);
        assert_eq!(read.keys(&file).unwrap().current(), "a");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
