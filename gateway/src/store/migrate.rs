//! The schema. `migrations/README.md` has the rules.

use super::{StoreError, connect};
use sqlx::Connection;
use sqlx::migrate::Migrator;

/// The migrations, as they were when this program was built.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Brings the schema up to date. Gateways that start together wait for each other.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    let mut connection = connect(url).await?;
    MIGRATOR.run(&mut connection).await?;
    super::heads::forget_other_clusters(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
