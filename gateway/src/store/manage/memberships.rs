//! Memberships.

use super::{Item, Range, bounds, iso, moment};
use crate::store::StoreError;
use postern_world::Life;
use sqlx::PgConnection;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT membership_id::text, jsonb_build_object('id', membership_id, 'subject', subject_id,
                'group', group_id, 'active', active, 'not_before', ",
            iso!("not_before"),
            ", 'expires_at', ",
            iso!("expires_at"),
            ")::text FROM memberships WHERE organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by id; of one subject or group if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    subject: Option<&str>,
    group: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = select!(
        "AND ($2::uuid IS NULL OR membership_id > $2) AND ($4::text IS NULL OR subject_id = $4)
         AND ($5::text IS NULL OR group_id = $5) ORDER BY memberships.membership_id LIMIT $3"
    );
    Item::page(connection, statement, organization, range, &[subject, group]).await
}

/// One membership.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Item>, StoreError> {
    Item::by_id(connection, select!("AND membership_id = $2"), organization, id).await
}

/// Makes a membership, unless this very one is there; whether it was made.
pub async fn insert(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
    group: &str,
    life: Life,
) -> Result<bool, StoreError> {
    let (not_before, expires_at) = bounds(life);
    let made = sqlx::query(concat!(
        "INSERT INTO memberships (organization_id, subject_id, group_id, active, not_before, expires_at)
         VALUES ($1, $2, $3, $4, ",
        moment!("$5"),
        ", ",
        moment!("$6"),
        ") ON CONFLICT DO NOTHING"
    ))
    .bind(organization)
    .bind(subject)
    .bind(group)
    .bind(life.active)
    .bind(not_before)
    .bind(expires_at)
    .execute(connection)
    .await?;
    Ok(made.rows_affected() > 0)
}

/// The membership that says this.
pub async fn same(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
    group: &str,
    life: Life,
) -> Result<Option<Item>, StoreError> {
    let (not_before, expires_at) = bounds(life);
    let statement = sqlx::query(concat!(
        select!("AND subject_id = $2 AND group_id = $3 AND active = $4"),
        " AND not_before IS NOT DISTINCT FROM ",
        moment!("$5"),
        " AND expires_at IS NOT DISTINCT FROM ",
        moment!("$6")
    ))
    .bind(organization)
    .bind(subject)
    .bind(group)
    .bind(life.active)
    .bind(not_before)
    .bind(expires_at);
    Item::one(connection, statement).await
}

/// Deletes a membership.
pub async fn delete(connection: &mut PgConnection, organization: &str, id: Uuid) -> Result<(), StoreError> {
    let statement = "DELETE FROM memberships WHERE organization_id = $1 AND membership_id = $2";
    super::execute_by_id(connection, statement, organization, id).await
}
