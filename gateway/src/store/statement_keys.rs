//! The keys that statements are signed with.

use super::StoreError;
use sqlx::{PgConnection, Row};
use std::time::Duration;

/// LOCK: gateways that start together make one first key.
const FIRST_KEY_LOCK: i64 = 0x706f_7374_6b65_7900;

/// A key that is published.
#[derive(Clone, PartialEq, Eq)]
pub struct StatementKey {
    /// Its `kid`.
    pub id: String,
    /// Its private part.
    pub seed: [u8; 32],
    /// When it was made, for people.
    pub created_at: String,
    /// Seconds until it may sign; 0 and less: it may.
    pub signs_in: i64,
    /// Seconds until it is published no more, if that is known.
    pub withdrawn_in: Option<i64>,
}

/// The published keys, the one that signs first.
pub async fn read(connection: &mut PgConnection) -> Result<Vec<StatementKey>, StoreError> {
    let rows = sqlx::query(
        "SELECT statement_key_id, seed, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                ceil(extract(epoch FROM signs_from - clock_timestamp()))::bigint,
                ceil(extract(epoch FROM withdrawn_at - clock_timestamp()))::bigint
         FROM statement_keys WHERE withdrawn_at IS NULL OR withdrawn_at > clock_timestamp()
         ORDER BY signs_from > clock_timestamp(), signs_from DESC, statement_key_id",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let seed: Vec<u8> = row.try_get(1)?;
            let seed = seed.try_into().map_err(|_| StoreError::Inconsistent {
                table: "statement_keys",
                what: "a seed has not 32 bytes".to_owned(),
            })?;
            Ok(StatementKey {
                id: row.try_get(0)?,
                seed,
                created_at: row.try_get(2)?,
                signs_in: row.try_get(3)?,
                withdrawn_in: row.try_get(4)?,
            })
        })
        .collect()
}

/// Makes the first key where there is none that may sign.
pub async fn make_first(connection: &mut PgConnection, id: &str, seed: &[u8; 32]) -> Result<(), StoreError> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(FIRST_KEY_LOCK).execute(&mut *transaction).await?;
    // Asked by a statement of its own: it sees what others wrote before they gave the lock back.
    sqlx::query(
        "INSERT INTO statement_keys (statement_key_id, seed)
         SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM statement_keys
             WHERE signs_from <= clock_timestamp() AND (withdrawn_at IS NULL OR withdrawn_at > clock_timestamp()))",
    )
    .bind(id)
    .bind(&seed[..])
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// Makes a key that signs after `signs_after`, and withdraws all others `overlap` after that.
pub async fn rotate(
    connection: &mut PgConnection,
    id: &str,
    seed: &[u8; 32],
    signs_after: Duration,
    overlap: Duration,
) -> Result<(), StoreError> {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let mut transaction = sqlx::Connection::begin(connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(FIRST_KEY_LOCK).execute(&mut *transaction).await?;
    // A key that goes earlier for another reason still goes earlier.
    sqlx::query(
        "UPDATE statement_keys SET withdrawn_at = least(withdrawn_at, now() + make_interval(secs => $1::bigint))
         WHERE withdrawn_at IS NULL OR withdrawn_at > now() + make_interval(secs => $1::bigint)",
    )
    .bind(seconds(signs_after).saturating_add(seconds(overlap)))
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "INSERT INTO statement_keys (statement_key_id, seed, signs_from)
         VALUES ($1, $2, now() + make_interval(secs => $3::bigint))",
    )
    .bind(id)
    .bind(&seed[..])
    .bind(seconds(signs_after))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}
