//! What was decided, where it is kept in the database.

use super::StoreError;
use super::manage::{Item, Range};
use crate::decisions::Decided;
use sqlx::PgConnection;
use std::time::Duration;

/// LIMIT: bytes of a text that a caller wrote. More of it would let one who asks fill the disk.
const TEXT_MAX: usize = 512;

/// Which decisions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'f> {
    /// About this subject.
    pub subject: Option<&'f str>,
    /// Whether to do this.
    pub permission: Option<&'f str>,
    /// To this resource.
    pub resource: Option<(&'f str, &'f str)>,
    /// That were allowed, or were not.
    pub allowed: Option<bool>,
}

/// Keeps decisions of one organization.
pub async fn keep(
    connection: &mut PgConnection,
    organization: &str,
    decided: &[Decided],
) -> Result<(), StoreError> {
    let column = |text: fn(&Decided) -> &str| decided.iter().map(|one| stored(text(one))).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO decisions (organization_id, decided_at, revision, asked_by, request_id, subject, permission,
            resource_type, resource_id, allowed, reason)
         SELECT $1, to_timestamp(at::float8 / 1000000), revision::numeric, asked_by, request_id, subject, permission, kind,
            id, allowed, reason
         FROM unnest($2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::bool[], $11::text[]) WITH ORDINALITY
            AS made (at, revision, asked_by, request_id, subject, permission, kind, id, allowed, reason, place)
         ORDER BY place",
    )
    .bind(organization)
    .bind(decided.iter().map(|one| one.decided_at).collect::<Vec<_>>())
    .bind(decided.iter().map(|one| one.revision.to_string()).collect::<Vec<_>>())
    .bind(column(|one| &one.asked_by))
    .bind(column(|one| &one.request_id))
    .bind(column(|one| &one.subject))
    .bind(column(|one| &one.permission))
    .bind(column(|one| &one.resource_type))
    .bind(column(|one| &one.resource_id))
    .bind(decided.iter().map(|one| one.allowed).collect::<Vec<_>>())
    .bind(column(|one| one.reason))
    .execute(connection)
    .await?;
    Ok(())
}

/// A text that Postgres takes: without the one character that it has no place for, and not longer than allowed.
fn stored(text: &str) -> String {
    let end = (0..=TEXT_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].replace('\0', "\u{fffd}")
}

/// Deletes decisions of all organizations that are older, `at_most` so many; how many there were.
pub async fn forget(
    connection: &mut PgConnection,
    older_than: Duration,
    at_most: i64,
) -> Result<i64, StoreError> {
    let seconds = i64::try_from(older_than.as_secs()).unwrap_or(i64::MAX);
    Ok(sqlx::query_scalar("SELECT forget_decisions($1 * interval '1 second', $2)")
        .bind(seconds)
        .bind(at_most)
        .fetch_one(connection)
        .await?)
}

/// A part of what is kept, newest first. The cursor is the number of the last one.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    filter: Filter<'_>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let before: Option<i64> = range.after.as_ref().and_then(|after| after.parse().ok());
    let statement = sqlx::query(
        "SELECT decision_id::text, jsonb_build_object('id', decision_id,
            'decided_at', to_char(decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'revision', revision,
            'asked_by', asked_by, 'request_id', nullif(request_id, ''), 'subject', subject, 'permission', permission,
            'resource', jsonb_build_object('type', resource_type, 'id', resource_id),
            'decision', CASE WHEN allowed THEN 'allow' ELSE 'deny' END, 'reason', reason)::text
         FROM decisions WHERE organization_id = $1 AND ($2::int8 IS NULL OR decision_id < $2)
           AND ($3::text IS NULL OR subject = $3) AND ($4::text IS NULL OR permission = $4)
           AND ($5::text IS NULL OR resource_type = $5 AND resource_id = $6) AND ($7::bool IS NULL OR allowed = $7)
         ORDER BY decisions.decision_id DESC LIMIT $8",
    )
    .bind(organization)
    .bind(before)
    .bind(filter.subject)
    .bind(filter.permission)
    .bind(filter.resource.map(|resource| resource.0))
    .bind(filter.resource.map(|resource| resource.1))
    .bind(filter.allowed)
    .bind(range.limit);
    Item::all(connection, statement).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_write_is_cut_and_has_no_nul() {
        assert_eq!(stored("user:ann"), "user:ann");
        assert_eq!(stored("a\0b"), "a\u{fffd}b");
        assert_eq!(stored(&"x".repeat(600)).len(), TEXT_MAX);
        // Two bytes each: never half of one.
        assert_eq!(stored(&format!("x{}", "ü".repeat(600))).len(), TEXT_MAX - 1);
        assert_eq!(stored(""), "");
    }
}
