//! The commands that need a database, ready to be mounted in the `postern` program: an `Args` and a `run` each.

mod adopt;
mod catalog;
mod dev_issuer;
mod directory;
mod document;
mod export;
mod import;
mod key;
mod preflight;
mod serve;
mod statement_key;
mod token;
mod vault_key;

pub use crate::config::{DatabaseArgs, ServeArgs};
pub use crate::store::catalog_names::CatalogNames;
pub use adopt::{AdoptArgs, adopt};
pub use catalog::catalog;
pub use dev_issuer::{DevIssuerArgs, dev_issuer};
pub use directory::{DirectoryArgs, directory};
pub use export::{WorldExportArgs, world_export};
pub use import::{WorldImportArgs, world_import};
pub use key::{KeyArgs, key};
pub use preflight::{PreflightArgs, preflight};
pub use serve::serve;
pub use statement_key::{StatementKeyArgs, statement_key};
pub use token::{TokenArgs, token};
pub use vault_key::{VaultKeyArgs, vault_key};

use crate::adopt::AdoptError;
use crate::app::ServeError;
use crate::config::ConfigError;
use crate::embedded::{Database, EmbeddedError, Options};
use crate::store::import::ImportError;
use crate::store::{self, StoreError};
use crate::vault::file::KeysFileError;
use postern_world::ReadError;
use sqlx::{Connection, PgConnection};

/// Why a command failed. [`CliError::exit_code`] tells the kinds apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The document cannot be read: the message has file, line and JSON path.
    #[error(transparent)]
    Document(#[from] ReadError),
    /// A file that a setting names.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The document can be read, but not be imported.
    #[error("{file}: {source}")]
    Import {
        /// The document.
        file: String,
        /// Why.
        source: ImportError,
    },
    /// A plan could not be run to its end. The message has the file, and the line where one is at fault.
    #[error("{file}{}{error}", if error.has_line() { ":" } else { ": " })]
    Adopt {
        /// The plan.
        file: String,
        /// Why.
        error: Box<AdoptError>,
    },
    /// The facts are not what the source says.
    #[error("the facts and the source disagree: see above. Run plan `{plan}` again for what is missing")]
    Disagrees {
        /// The plan.
        plan: String,
    },
    /// Something is missing before an organization's decisions can be relied on.
    #[error("`{organization}` is not ready: {missing} {} found what is missing, see above",
        if *missing == 1 { "check" } else { "checks" })]
    NotReady {
        /// The organization.
        organization: String,
        /// How many checks found something.
        missing: usize,
    },
    /// An organization is not what its directory says.
    #[error("`{organization}` is not what its directory says: {differences} {}, see above",
        if *differences == 1 { "difference" } else { "differences" })]
    Drifted {
        /// The organization.
        organization: String,
        /// How many.
        differences: usize,
    },
    /// The file of the vault's keys.
    #[error(transparent)]
    VaultKeys(#[from] KeysFileError),
    /// What was asked for cannot be.
    #[error("{0}")]
    Usage(String),
    /// There is no embedded database.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A file.
    #[error("{what}: {source}")]
    Io {
        /// Which.
        what: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl CliError {
    /// 2 for what the caller can put right in the input, 1 for everything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Adopt { error, .. } if error.is_input() => 2,
            CliError::Document(_)
            | CliError::Config(_)
            | CliError::VaultKeys(_)
            | CliError::Import { .. }
            | CliError::Usage(_) => 2,
            _ => 1,
        }
    }

    fn no_organization(organization: &str) -> Self {
        CliError::Usage(format!(
            "there is no organization `{organization}` in the database; `postern world import` makes one from a document"
        ))
    }
}

impl DatabaseArgs {
    fn embedded(&self) -> Options {
        Options { data_dir: self.data_dir.clone(), bin_dir: self.pg_bin.clone(), durable: true }
    }
}

/// A connection for one command, with the schema up to date, and what has to be closed after it.
struct Session {
    connection: PgConnection,
    database: Option<Database>,
}

impl Session {
    async fn open(args: &DatabaseArgs) -> Result<Session, CliError> {
        let (url, database) = match &args.database_url {
            Some(url) => (url.clone(), None),
            None => {
                let database = Database::open(&args.embedded()).await?;
                (database.url().to_owned(), Some(database))
            }
        };
        store::migrate(&url).await?;
        Ok(Session { connection: store::connect(&url).await?, database })
    }

    async fn close(self) {
        // What was asked for is done and committed; a connection that ends badly changes nothing of it.
        let _ = self.connection.close().await;
        if let Some(database) = self.database {
            database.close().await;
        }
    }
}

/// Bytes that nobody can guess.
fn secret() -> Result<[u8; 32], CliError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| CliError::Io {
        what: "the operating system gives no random bytes".to_owned(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(secret)
}
