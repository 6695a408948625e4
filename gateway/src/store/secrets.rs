//! The encrypted values of secrets.

use super::StoreError;
use crate::vault::seal::Sealed;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

fn sealed_of(row: &PgRow) -> Result<Sealed, StoreError> {
    Ok(Sealed { key_id: row.try_get(0)?, key: row.try_get(1)?, value: row.try_get(2)? })
}

/// The encrypted value of a secret, with its version.
pub async fn sealed(
    connection: &mut PgConnection,
    (organization, id): (&str, &str),
) -> Result<Option<(Sealed, i64)>, StoreError> {
    let row = sqlx::query(
        "SELECT key_id, sealed_key, sealed_value, version FROM secrets
         WHERE organization_id = $1 AND secret_id = $2",
    );
    let row = row.bind(organization).bind(id).fetch_optional(connection).await?;
    row.map(|row| Ok((sealed_of(&row)?, row.try_get(3)?))).transpose()
}

/// Where an encrypted value is among those of all organizations, in the order of its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The key of the vault.
    pub key: String,
    /// Whose it is.
    pub organization: String,
    /// Of which secret.
    pub secret: String,
}

/// Which values are not encrypted with a key, after one of them.
pub async fn not_under(
    connection: &mut PgConnection,
    key: &str,
    after: &Place,
    limit: i64,
) -> Result<Vec<Place>, StoreError> {
    let rows =
        sqlx::query("SELECT key_id, organization_id, secret_id FROM secrets_not_under($1, $2, $3, $4, $5)")
            .bind(key)
            .bind(&after.key)
            .bind(&after.organization)
            .bind(&after.secret)
            .bind(limit)
            .fetch_all(connection)
            .await?;
    let place = |row: &PgRow| -> Result<Place, StoreError> {
        Ok(Place { key: row.try_get(0)?, organization: row.try_get(1)?, secret: row.try_get(2)? })
    };
    rows.iter().map(place).collect()
}

/// The encrypted value, locked, unless it is encrypted with this key or somebody else has it in hand.
pub async fn lock_sealed(
    connection: &mut PgConnection,
    (organization, id): (&str, &str),
    key: &str,
) -> Result<Option<Sealed>, StoreError> {
    let row = sqlx::query(
        "SELECT key_id, sealed_key, sealed_value FROM secrets
         WHERE organization_id = $1 AND secret_id = $2 AND key_id <> $3 FOR NO KEY UPDATE SKIP LOCKED",
    );
    let row = row.bind(organization).bind(id).bind(key).fetch_optional(connection).await?;
    row.as_ref().map(sealed_of).transpose()
}

/// Puts the same value, encrypted otherwise, in its place.
pub async fn exchange(
    connection: &mut PgConnection,
    (organization, id): (&str, &str),
    sealed: &Sealed,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE secrets SET key_id = $3, sealed_key = $4, sealed_value = $5
         WHERE organization_id = $1 AND secret_id = $2",
    )
    .bind(organization)
    .bind(id)
    .bind(&sealed.key_id)
    .bind(&sealed.key)
    .bind(&sealed.value)
    .execute(connection)
    .await?;
    Ok(())
}

/// A secret of an organization whose resource is not listed.
pub async fn without_resource(
    connection: &mut PgConnection,
    organization: &str,
) -> Result<Option<String>, StoreError> {
    let id = sqlx::query_scalar(
        "SELECT secret_id::text FROM secrets WHERE organization_id = $1 AND NOT EXISTS (
            SELECT FROM resources WHERE resources.organization_id = secrets.organization_id
                AND resource_type = 'secret' AND resource_id = secret_id) ORDER BY secret_id LIMIT 1",
    );
    Ok(id.bind(organization).fetch_optional(connection).await?)
}

/// How many values each key encrypts, of all organizations: for whoever logged in.
pub async fn by_key(connection: &mut PgConnection) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = sqlx::query("SELECT key_id, count(*) FROM secrets GROUP BY key_id ORDER BY key_id");
    let rows = rows.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
