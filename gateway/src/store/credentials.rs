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
    /// For people.
    pub name: String,
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
            subject_id::text, name
         FROM api_key_of_digest($1) WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
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
            name: row.try_get(5)?,
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

/// An API key, as those who look after keys see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// Its first characters.
    pub prefix: String,
    /// For people.
    pub name: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it ends, if that is known.
    pub expires_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// Whether it may write at all.
    pub can_write: bool,
    /// Whose rights it has; `None`: all of its organization's.
    pub subject: Option<String>,
    /// Whether it is in force.
    pub in_force: bool,
}

/// The keys of an organization, the newest first.
pub async fn api_keys(
    connection: &mut PgConnection,
    organization: &str,
) -> Result<Vec<ListedKey>, StoreError> {
    let rows = sqlx::query(
        "SELECT prefix, name, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
            to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
            to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), can_write, subject_id::text,
            revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
         FROM api_keys WHERE organization_id = $1 ORDER BY api_keys.created_at DESC, prefix",
    )
    .bind(organization)
    .fetch_all(connection)
    .await?;
    rows.iter().map(ListedKey::of).collect()
}

impl ListedKey {
    pub(super) fn of(row: &sqlx::postgres::PgRow) -> Result<Self, StoreError> {
        Ok(ListedKey {
            prefix: row.try_get(0)?,
            name: row.try_get(1)?,
            created_at: row.try_get(2)?,
            expires_at: row.try_get(3)?,
            revoked_at: row.try_get(4)?,
            can_write: row.try_get(5)?,
            subject: row.try_get(6)?,
            in_force: row.try_get(7)?,
        })
    }
}

/// Revokes the keys in force that begin with a prefix; how many there were.
pub async fn revoke_api_key(
    connection: &mut PgConnection,
    organization: &str,
    prefix: &str,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE api_keys SET revoked_at = now() WHERE organization_id = $1 AND prefix = $2
            AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
    )
    .bind(organization)
    .bind(prefix)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Makes a key that may what another one may, for as long as that one was made for, and ends that one after `overlap`
/// seconds. `None`: no key in force, or more than one, begins with that prefix.
pub async fn replace_api_key(
    connection: &mut PgConnection,
    organization: &str,
    replaced: &str,
    (prefix, digest): (&str, &[u8; 32]),
    overlap: i64,
) -> Result<Option<Uuid>, StoreError> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    let old: Vec<Uuid> = sqlx::query_scalar(
        "SELECT api_key_id FROM api_keys WHERE organization_id = $1 AND prefix = $2
            AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) FOR UPDATE",
    )
    .bind(organization)
    .bind(replaced)
    .fetch_all(&mut *transaction)
    .await?;
    let [old] = old[..] else { return Ok(None) };
    let id = sqlx::query_scalar(
        "INSERT INTO api_keys (organization_id, name, prefix, digest, can_write, subject_id, expires_at)
         SELECT organization_id, name, $3, $4, can_write, subject_id, now() + (expires_at - created_at)
         FROM api_keys WHERE organization_id = $1 AND api_key_id = $2
         RETURNING api_key_id",
    )
    .bind(organization)
    .bind(old)
    .bind(prefix)
    .bind(&digest[..])
    .fetch_one(&mut *transaction)
    .await?;
    sqlx::query(
        "UPDATE api_keys SET expires_at = least(expires_at, now() + $3::int8 * interval '1 second')
         WHERE organization_id = $1 AND api_key_id = $2",
    )
    .bind(organization)
    .bind(old)
    .bind(overlap)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Some(id))
}

/// The signing key of this id, if it is not retired.
pub async fn signing_key(connection: &mut PgConnection, id: Uuid) -> Result<Option<SigningKey>, StoreError> {
    let row = sqlx::query(
        "SELECT signing_key_id, organization_id::text, secret FROM signing_key_of_id($1)
         WHERE (retired_at IS NULL OR retired_at > now())",
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
