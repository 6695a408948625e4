//! Assignments.

use super::{Item, Range, bounds, iso, moment};
use crate::store::StoreError;
use postern_world::Life;
use sqlx::PgConnection;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT assignment_id::text, jsonb_build_object('id', assignment_id, 'subject', subject_id,
                'role', role_id, 'at', CASE WHEN at_type IS NOT NULL
                    THEN jsonb_build_object('type', at_type, 'id', at_id) END,
                'active', active, 'not_before', ",
            iso!("not_before"),
            ", 'expires_at', ",
            iso!("expires_at"),
            ")::text FROM assignments WHERE organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by id; of one subject or role if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    subject: Option<&str>,
    role: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    // A cursor that is no UUID is none of ours, and before everything.
    let after: Option<Uuid> = range.after.as_ref().and_then(|after| after.parse().ok());
    let rows = sqlx::query(select!(
        "AND ($2::uuid IS NULL OR assignment_id > $2) AND ($3::text IS NULL OR subject_id = $3)
         AND ($4::text IS NULL OR role_id = $4) ORDER BY assignments.assignment_id LIMIT $5"
    ))
    .bind(organization)
    .bind(after)
    .bind(subject)
    .bind(role)
    .bind(range.limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Item::of).collect()
}

/// One assignment.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Item>, StoreError> {
    let row = sqlx::query(select!("AND assignment_id = $2"))
        .bind(organization)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(Item::of).transpose()
}

/// Makes an assignment. Its id; `None` where this very assignment is there.
pub async fn insert(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
    role: &str,
    at: Option<(&str, &str)>,
    life: Life,
) -> Result<Option<Uuid>, StoreError> {
    let (not_before, expires_at) = bounds(life);
    Ok(sqlx::query_scalar(concat!(
        "INSERT INTO assignments
            (organization_id, subject_id, role_id, at_type, at_id, active, not_before, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, ",
        moment!("$7"),
        ", ",
        moment!("$8"),
        ") ON CONFLICT DO NOTHING RETURNING assignment_id"
    ))
    .bind(organization)
    .bind(subject)
    .bind(role)
    .bind(at.map(|at| at.0))
    .bind(at.map(|at| at.1))
    .bind(life.active)
    .bind(not_before)
    .bind(expires_at)
    .fetch_optional(connection)
    .await?)
}

/// The assignment that is there.
pub async fn same(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
    role: &str,
    at: Option<(&str, &str)>,
    life: Life,
) -> Result<Option<Item>, StoreError> {
    let (not_before, expires_at) = bounds(life);
    let row = sqlx::query(concat!(
        select!("AND subject_id = $2 AND role_id = $3 AND (at_type, at_id) IS NOT DISTINCT FROM ($4, $5) AND active = $6"),
        " AND not_before IS NOT DISTINCT FROM ",
        moment!("$7"),
        " AND expires_at IS NOT DISTINCT FROM ",
        moment!("$8")
    ))
    .bind(organization)
    .bind(subject)
    .bind(role)
    .bind(at.map(|at| at.0))
    .bind(at.map(|at| at.1))
    .bind(life.active)
    .bind(not_before)
    .bind(expires_at)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(Item::of).transpose()
}

/// Deletes an assignment.
pub async fn delete(connection: &mut PgConnection, organization: &str, id: Uuid) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM assignments WHERE organization_id = $1 AND assignment_id = $2")
        .bind(organization)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}
