//! Answers that may be asked for again (`Idempotency-Key`).

use crate::store::StoreError;
use sqlx::{PgConnection, Row};

/// The digest of the request that a key was first used with, and its answer. Keys live for a day.
pub async fn find(
    connection: &mut PgConnection,
    organization: &str,
    actor: &str,
    key: &str,
) -> Result<Option<(Vec<u8>, String)>, StoreError> {
    let row = sqlx::query(
        "SELECT request_digest, answer::text FROM idempotency_keys
         WHERE organization_id = $1 AND actor = $2 AND idempotency_key = $3
           AND created_at > now() - interval '24 hours'",
    )
    .bind(organization)
    .bind(actor)
    .bind(key)
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

/// Keeps an answer, and forgets those of the organization that are older than a day.
pub async fn keep(
    connection: &mut PgConnection,
    organization: &str,
    actor: &str,
    key: &str,
    request_digest: &[u8; 32],
    answer: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM idempotency_keys WHERE organization_id = $1 AND created_at <= now() - interval '24 hours'")
        .bind(organization)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO idempotency_keys (organization_id, actor, idempotency_key, request_digest, answer)
         VALUES ($1, $2, $3, $4, $5::jsonb)",
    )
    .bind(organization)
    .bind(actor)
    .bind(key)
    .bind(&request_digest[..])
    .bind(answer)
    .execute(connection)
    .await?;
    Ok(())
}
