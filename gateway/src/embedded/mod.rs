//! A Postgres of the gateway's own, for when there is no `DATABASE_URL`: a real server on a loopback port, whose data
//! lies in a folder that survives restarts.
//!
//! ```text
//! <data-dir>/postgres/
//!   data/       the cluster, made by initdb
//!   log         what the server says
//!   password    of the database user `postern` (0600)
//!   url         how to connect while it runs (0600): psql "$(cat .postern/postgres/url)"
//!   lock        held by the process that owns the server
//! <data-dir>/postgres-bin/   binaries that npm installed, where no others were found
//! ```
//!
//! Meant for one machine: development, tests, a small installation. Not for many gateways on one database.

mod binaries;
mod error;
mod run_as;
mod server;

pub use error::EmbeddedError;
pub use server::Server;

use std::path::PathBuf;

/// Where the server's files are, and how careful it is with them.
#[derive(Clone, Debug)]
pub struct Options {
    /// The gateway's folder; made where it is missing.
    pub data_dir: PathBuf,
    /// A folder with `postgres`, `initdb` and `pg_ctl`, to the exclusion of all others. `POSTERN_PG_BIN` of the
    /// command line.
    pub bin_dir: Option<PathBuf>,
    /// False gives up durability for speed: for tests, whose data nobody needs after a crash.
    pub durable: bool,
}

/// A database that a command can use: that of a gateway which runs on the folder, or one that is started for it.
pub enum Database {
    /// Stops when it is told to, or when this process ends.
    Own(Box<Server>),
    /// Another process runs it.
    Shared {
        /// How to connect.
        url: String,
    },
}

impl Database {
    /// Uses the server that runs on the folder, and starts one where none does.
    pub async fn open(options: &Options) -> Result<Database, EmbeddedError> {
        match Server::start(options).await {
            Ok(server) => Ok(Database::Own(Box::new(server))),
            Err(EmbeddedError::InUse { .. }) => {
                Ok(Database::Shared { url: server::running_url(&options.data_dir).await? })
            }
            Err(error) => Err(error),
        }
    }

    /// How to connect.
    pub fn url(&self) -> &str {
        match self {
            Database::Own(server) => server.url(),
            Database::Shared { url } => url,
        }
    }

    /// Stops the server, if it is this process's.
    pub async fn close(self) {
        if let Database::Own(server) = self {
            server.stop().await;
        }
    }
}
