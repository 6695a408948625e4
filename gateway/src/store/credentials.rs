//! API keys and signing keys.

use super::StoreError;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// An API key that is in force now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose snapshot it may read.
    pub organization: String,
    /// Microseconds since the epoch; `None`: until it is revoked.
    pub expires_at: Option<i64>,
    /// Its first characters, which are no secret.
    pub prefix: String,
    /// Whether it may write at all.
    pub can_write: bool,
    /// Whose rights it has; `None`: all of its organization's.
    pub subject: Option<String>,
}

/// A key that is made.
#[derive(Clone, Copy, Debug)]
pub struct NewApiKey<'k> {
    /// Whose snapshot it may read.
    pub organization: &'k str,
    /// For people.
    pub name: &'k str,
    /// Its first characters.
    pub prefix: &'k str,
    /// Its SHA-256.
    pub digest: &'k [u8; 32],
    /// Whether it may write at all.
    pub can_write: bool,
    /// Whose rights it has; `None`: all of its organization's.
    pub subject: Option<&'k str>,
    /// Seconds from now until it ends; `None`: until it is revoked.
    pub ttl_seconds: Option<i64>,
}

/// A secret that subject tokens are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The token's `kid`.
    pub id: Uuid,
    /// The only organization that it signs for.
    pub organization: String,
    /// HMAC-SHA-256.
    pub secret: Vec<u8>,
}

/// The key with this SHA-256, if it is neither revoked nor expired.
pub async fn api_key(connection: &mut PgConnection, digest: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
    let row = sqlx::query(
        "SELECT organization_id::text, (extract(epoch FROM expires_at) * 1000000)::int8, prefix, can_write,
            subject_id::text
         FROM api_keys WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
    )
    .bind(&digest[..])
    .fetch_optional(connection)
    .await?;
    let key = |row: sqlx::postgres::PgRow| -> Result<ApiKey, StoreError> {
        Ok(ApiKey {
            organization: row.try_get(0)?,
            expires_at: row.try_get(1)?,
            prefix: row.try_get(2)?,
            can_write: row.try_get(3)?,
            subject: row.try_get(4)?,
        })
    };
    row.map(key).transpose()
}

/// Stores a new key of an organization. `None` where there is no such organization.
pub async fn create_api_key(
    connection: &mut PgConnection,
    key: &NewApiKey<'_>,
) -> Result<Option<Uuid>, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO api_keys (organization_id, name, prefix, digest, can_write, subject_id, expires_at)
         SELECT organization_id, $2, $3, $4, $5, $6, now() + $7::int8 * interval '1 second'
         FROM organizations WHERE organization_id = $1
         RETURNING api_key_id",
    )
    .bind(key.organization)
    .bind(key.name)
    .bind(key.prefix)
    .bind(&key.digest[..])
    .bind(key.can_write)
    .bind(key.subject)
    .bind(key.ttl_seconds)
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

/// The signing key of this id, if it is not retired.
pub async fn signing_key(connection: &mut PgConnection, id: Uuid) -> Result<Option<SigningKey>, StoreError> {
    let row = sqlx::query(
        "SELECT signing_key_id, organization_id::text, secret FROM signing_keys
         WHERE signing_key_id = $1 AND (retired_at IS NULL OR retired_at > now())",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    row.map(signing_key_of).transpose()
}

/// The newest signing key of an organization; the first is made from `fresh_secret`. `None` where there is no such
/// organization.
pub async fn signing_key_for(
    connection: &mut PgConnection,
    organization: &str,
    fresh_secret: &[u8; 32],
) -> Result<Option<SigningKey>, StoreError> {
    // Two commands that both find none make two keys. Both are good, and the newer will be used.
    let newest = sqlx::query(
        "SELECT signing_key_id, organization_id::text, secret FROM signing_keys
         WHERE organization_id = $1 AND retired_at IS NULL ORDER BY created_at DESC, signing_key_id LIMIT 1",
    )
    .bind(organization)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = newest {
        return signing_key_of(row).map(Some);
    }
    let row = sqlx::query(
        "INSERT INTO signing_keys (organization_id, secret)
         SELECT organization_id, $2 FROM organizations WHERE organization_id = $1
         RETURNING signing_key_id, organization_id::text, secret",
    )
    .bind(organization)
    .bind(&fresh_secret[..])
    .fetch_optional(connection)
    .await?;
    row.map(signing_key_of).transpose()
}

fn signing_key_of(row: sqlx::postgres::PgRow) -> Result<SigningKey, StoreError> {
    Ok(SigningKey { id: row.try_get(0)?, organization: row.try_get(1)?, secret: row.try_get(2)? })
}
