//! Connections that see one organization.
//!
//! They work as the role `postern_gateway`, which row-level security lets read and write only the rows of the
//! organization that the connection was taken for: a statement that forgets to name its organization finds nothing of
//! any other.

use super::{StoreError, connect_options};
use crate::traces::part;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, PgConnection, PgPool, Postgres, Transaction};
use std::time::Duration;

/// A connection of the pool.
pub type Pooled = PoolConnection<Postgres>;

/// The search path is that of who logged in, whose name `"$user"` may stand for; from then on it is the role's work.
const WORK_AS_GATEWAY: &str =
    "SELECT set_config('search_path', (SELECT coalesce(string_agg(quote_ident(name), ', '), '')
    FROM unnest(current_schemas(false)) AS name), false); SET ROLE postern_gateway";
const FOR_ORGANIZATION: &str = "SELECT set_config('postern.organization', $1, false)";
const FOR_NONE: &str = "SELECT set_config('postern.organization', '', false)";

/// Connections to the database, for writes and lists.
#[derive(Clone, Debug)]
pub struct Pool {
    connections: PgPool,
    login: PgConnectOptions,
}

impl Pool {
    /// A pool, which connects when it is first used.
    ///
    /// `wait`: for a connection, before giving up.
    pub fn new(url: &str, connections_max: u32, wait: Duration) -> Result<Self, StoreError> {
        let options = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(wait)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(sqlx::raw_sql(WORK_AS_GATEWAY)).await?;
                    Ok(())
                })
            })
            // Whoever has it next, and says for none, must not see the one before.
            .after_release(|connection, _| {
                Box::pin(async move {
                    connection.execute(FOR_NONE).await?;
                    Ok(true)
                })
            });
        let login = connect_options(url)?;
        Ok(Pool { connections: options.connect_lazy_with(login.clone()), login })
    }

    /// A connection that sees an organization.
    pub async fn of(&self, organization: &str) -> Result<Pooled, StoreError> {
        part("connect", async {
            let mut connection = self.connections.acquire().await?;
            sqlx::query(FOR_ORGANIZATION).bind(organization).execute(&mut *connection).await?;
            Ok(connection)
        })
        .await
    }

    /// A connection that sees none: for what belongs to no organization, and for asking whose a credential is.
    pub async fn of_none(&self) -> Result<Pooled, StoreError> {
        Ok(self.connections.acquire().await?)
    }

    /// A connection of its own that sees all organizations, as who logged in: for making and ending them, which is rare.
    pub async fn login(&self) -> Result<PgConnection, StoreError> {
        Ok(part("connect", sqlx::ConnectOptions::connect(&self.login)).await?)
    }

    /// A transaction that sees an organization.
    pub async fn begin(&self, organization: &str) -> Result<Transaction<'static, Postgres>, StoreError> {
        part("connect", async {
            let mut transaction = self.connections.begin().await?;
            super::set_organization(&mut transaction, organization).await?;
            Ok(transaction)
        })
        .await
    }
}
