//! All SQL. Functions on a connection; nothing here knows of HTTP or of snapshots.
//!
//! "Not found" is `Ok(None)`. Names of tables are not qualified: they are found by the connection's `search_path`.

pub mod adopt;
pub mod catalog_file;
pub mod catalog_names;
mod copy;
pub mod credentials;
pub mod decisions;
mod error;
pub mod facts;
pub mod heads;
pub mod held;
pub mod import;
mod import_kept;
mod import_rows;
pub mod installation_keys;
pub mod manage;
mod migrate;
pub mod organizations;
mod pool;
pub mod preflight;
pub mod secrets;
pub mod statement_keys;
pub mod webhooks;

pub use error::StoreError;
pub use migrate::{MIGRATOR, migrate};
pub use pool::{Pool, Pooled};

use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;

/// How to connect: an address, and what Postgres shows of us in `pg_stat_activity`.
pub fn connect_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url)?.application_name("postern"))
}

/// One connection.
pub async fn connect(url: &str) -> Result<PgConnection, StoreError> {
    let options = connect_options(url)?;
    Ok(sqlx::ConnectOptions::connect(&options).await?)
}

/// Makes the organization that the statements of a transaction are about known to them: COPY takes no parameters, so
/// they ask `current_setting('postern.organization')`, as row-level security does.
async fn set_organization(connection: &mut PgConnection, organization: &str) -> Result<(), StoreError> {
    sqlx::query("SELECT set_config('postern.organization', $1, true)")
        .bind(organization)
        .execute(connection)
        .await?;
    Ok(())
}
