//! All SQL. Functions on a connection; nothing here knows of HTTP or of snapshots.
//!
//! "Not found" is `Ok(None)`. Names of tables are not qualified: they are found by the connection's `search_path`.

pub mod adopt;
pub mod catalog_file;
pub mod catalog_names;
mod copy;
pub mod credentials;
mod error;
pub mod facts;
pub mod heads;
pub mod held;
pub mod import;
mod import_rows;
pub mod manage;
mod migrate;
pub mod statement_keys;

pub use error::StoreError;
pub use migrate::{MIGRATOR, migrate};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};
use std::str::FromStr;
use std::time::Duration;

/// A connection of the pool.
pub type Pooled = sqlx::pool::PoolConnection<sqlx::Postgres>;

/// How to connect: an address, and what Postgres shows of us in `pg_stat_activity`.
pub fn connect_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url)?.application_name("postern"))
}

/// One connection.
pub async fn connect(url: &str) -> Result<PgConnection, StoreError> {
    let options = connect_options(url)?;
    Ok(sqlx::ConnectOptions::connect(&options).await?)
}

/// A pool, which connects when it is first used.
///
/// `wait`: for a connection, before giving up.
pub fn pool(url: &str, connections_max: u32, wait: Duration) -> Result<PgPool, StoreError> {
    let options = connect_options(url)?;
    Ok(PgPoolOptions::new().max_connections(connections_max).acquire_timeout(wait).connect_lazy_with(options))
}

/// Makes the organization that the statements of a transaction are about known to them: COPY takes no parameters, so
/// they ask `current_setting('postern.organization')`.
async fn set_organization(connection: &mut PgConnection, organization: &str) -> Result<(), StoreError> {
    sqlx::query("SELECT set_config('postern.organization', $1, true)")
        .bind(organization)
        .execute(connection)
        .await?;
    Ok(())
}
