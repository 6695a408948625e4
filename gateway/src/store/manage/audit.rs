//! What was written, by whom.

use super::{Item, Range, iso};
use crate::store::StoreError;
use sqlx::PgConnection;

/// One write.
#[derive(Clone, Debug)]
pub struct Event<'e> {
    /// Who.
    pub actor: &'e str,
    /// `<what>.<what was done>`
    pub operation: &'e str,
    /// The id of what was written.
    pub target: &'e str,
    /// As it was.
    pub before: Option<&'e str>,
    /// As it is.
    pub after: Option<&'e str>,
    /// The request's id.
    pub request_id: Option<&'e str>,
}

/// Takes a write down, with the revision that the transaction has made so far.
pub async fn record(
    connection: &mut PgConnection,
    organization: &str,
    event: &Event<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit_events
            (organization_id, revision, actor, operation, target, before, after, request_id)
         SELECT organization_id, revision, $2, $3, $4, $5::jsonb, $6::jsonb, $7
         FROM organization_heads WHERE organization_id = $1",
    )
    .bind(organization)
    .bind(event.actor)
    .bind(event.operation)
    .bind(event.target)
    .bind(event.before)
    .bind(event.after)
    .bind(event.request_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// A part of the log, newest first; of one target if wanted. The cursor is the number of the last event.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    target: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let before: Option<i64> = range.after.as_ref().and_then(|after| after.parse().ok());
    let statement = sqlx::query(concat!(
        "SELECT audit_event_id::text, jsonb_build_object('id', audit_event_id, 'occurred_at', ",
        iso!("occurred_at"),
        ", 'revision', revision, 'actor', actor, 'operation', operation, 'target', target,
            'before', before, 'after', after, 'request_id', request_id)::text
         FROM audit_events WHERE organization_id = $1 AND ($2::int8 IS NULL OR audit_event_id < $2)
           AND ($3::text IS NULL OR target = $3) ORDER BY audit_events.audit_event_id DESC LIMIT $4"
    ))
    .bind(organization)
    .bind(before)
    .bind(target)
    .bind(range.limit);
    Item::all(connection, statement).await
}
