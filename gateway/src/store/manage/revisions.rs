//! Which revisions there were, and what each changed.

use super::super::heads::parse_revision;
use crate::store::StoreError;
use sqlx::{PgConnection, Row};

/// Revisions whose changes are kept (`forget_changes` in the schema).
const KEPT: u64 = 512;
/// LIMIT: changes that are told of one revision.
const CHANGES_MAX: i64 = 256;

/// A part of an organization's history.
pub struct Revisions {
    /// Whose revisions these are: another one after the database was restored.
    pub epoch: String,
    /// The newest one.
    pub newest: u64,
    /// JSON of each, in order, without a gap; `None` where the first one is not known any more, or never was.
    pub items: Option<Vec<String>>,
}

/// The revisions after one, oldest first. `None` where there is no such organization.
pub async fn after(
    connection: &mut PgConnection,
    organization: &str,
    after: u64,
    limit: i64,
) -> Result<Option<Revisions>, StoreError> {
    // One statement, so that what is read is of one moment.
    let rows = sqlx::query(
        "WITH head AS (
            SELECT head.revision FROM organization_heads AS head JOIN organizations USING (organization_id)
            WHERE organization_id = $1),
         wanted AS (
            SELECT generate_series($2::numeric + 1, least(revision, $2::numeric + $3)) AS revision FROM head
            WHERE $2::numeric + $4 >= revision)
         SELECT head.revision::text, database_epoch(), (SELECT jsonb_build_object(
                'revision', wanted.revision::text,
                'changes', coalesce(jsonb_agg(jsonb_build_object('relation', change.relation, 'key',
                    CASE WHEN change.key2 = '' THEN to_jsonb(nullif(change.key, ''))
                         ELSE jsonb_build_object('type', change.key, 'id', change.key2) END)
                    ORDER BY change.relation, change.key, change.key2)
                    FILTER (WHERE change.place <= $5), '[]'),
                'more', count(*) FILTER (WHERE change.place > $5) > 0 OR count(change.place) = 0)::text
            FROM (SELECT relation, key, key2, row_number() OVER (ORDER BY relation, key, key2) AS place
                FROM fact_changes WHERE organization_id = $1 AND fact_changes.revision = wanted.revision
                ORDER BY relation, key, key2 LIMIT $5 + 1) AS change)
         FROM head LEFT JOIN wanted ON true ORDER BY wanted.revision",
    )
    .bind(organization)
    .bind(after.to_string())
    .bind(limit)
    .bind(i64::try_from(KEPT).unwrap_or(i64::MAX))
    .bind(CHANGES_MAX)
    .fetch_all(connection)
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let newest = parse_revision(first.try_get(0)?)?;
    let epoch = first.try_get(1)?;
    let known = after <= newest && newest - after <= KEPT;
    let mut items = Vec::new();
    if after < newest && known {
        for row in &rows {
            items.push(row.try_get(2)?);
        }
    }
    Ok(Some(Revisions { epoch, newest, items: known.then_some(items) }))
}
