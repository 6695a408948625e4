//! Keys of the installation, which belong to no organization.

use super::StoreError;
use super::credentials::ListedKey;
use sqlx::{PgConnection, Row};

/// A key of the installation that is in force now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallationKey {
    /// Its first characters, which are no secret.
    pub prefix: String,
    /// Whether it may write.
    pub can_write: bool,
}

/// The key with this SHA-256, if it is neither revoked nor expired.
pub async fn find(
    connection: &mut PgConnection,
    digest: &[u8; 32],
) -> Result<Option<InstallationKey>, StoreError> {
    let row = sqlx::query(
        "SELECT prefix, can_write FROM installation_key_of_digest($1)
         WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
    )
    .bind(&digest[..])
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok(InstallationKey { prefix: row.try_get(0)?, can_write: row.try_get(1)? })).transpose()
}

/// Stores a new key: its name, its first characters, its SHA-256, and for how many seconds it is good.
pub async fn create(
    connection: &mut PgConnection,
    name: &str,
    (prefix, digest): (&str, &[u8; 32]),
    can_write: bool,
    ttl_seconds: Option<i64>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO installation_keys (name, prefix, digest, can_write, expires_at)
         VALUES ($1, $2, $3, $4, now() + $5::int8 * interval '1 second')",
    )
    .bind(name)
    .bind(prefix)
    .bind(&digest[..])
    .bind(can_write)
    .bind(ttl_seconds)
    .execute(connection)
    .await?;
    Ok(())
}

/// All keys, the newest first.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<ListedKey>, StoreError> {
    let rows = sqlx::query(
        "SELECT prefix, name, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
            to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
            to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), can_write, NULL::text,
            revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
         FROM installation_keys ORDER BY installation_keys.created_at DESC, prefix",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(ListedKey::of).collect()
}

/// Revokes the keys in force that begin with a prefix; how many there were.
pub async fn revoke(connection: &mut PgConnection, prefix: &str) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE installation_keys SET revoked_at = now() WHERE prefix = $1
            AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
    )
    .bind(prefix)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
