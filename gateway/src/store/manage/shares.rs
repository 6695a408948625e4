//! Shares: grants that were made as such, with the edge that goes with each.

use super::{Item, Range, bounds, iso, moment};
use crate::store::StoreError;
use crate::store::facts::GrantFact;
use sqlx::PgConnection;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT held.grant_id::text, jsonb_build_object('id', held.grant_id, 'subject', held.subject_id,
                'resource', jsonb_build_object('type', held.at_type, 'id', held.at_id),
                'permissions', ARRAY(SELECT permission::text FROM grant_permissions AS entry
                    WHERE entry.organization_id = held.organization_id AND entry.grant_id = held.grant_id
                    ORDER BY permission),
                'into', CASE WHEN edge.parent_type IS NOT NULL
                    THEN jsonb_build_object('type', edge.parent_type, 'id', edge.parent_id) END,
                'active', held.active, 'not_before', ",
            iso!("held.not_before"),
            ", 'expires_at', ",
            iso!("held.expires_at"),
            ")::text FROM grants AS held LEFT JOIN resource_parents AS edge
                ON edge.organization_id = held.organization_id AND edge.share_grant_id = held.grant_id
             WHERE held.organization_id = $1 AND held.shared ",
            $rest
        )
    };
}

/// A part of the list, by id; of one resource or receiver if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    resource: Option<(&str, &str)>,
    subject: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = select!(
        "AND ($2::uuid IS NULL OR held.grant_id > $2)
         AND ($4::text IS NULL OR (held.at_type, held.at_id) = ($4, $5))
         AND ($6::text IS NULL OR held.subject_id = $6) ORDER BY held.grant_id LIMIT $3"
    );
    Item::page(
        connection,
        statement,
        organization,
        range,
        &[resource.map(|at| at.0), resource.map(|at| at.1), subject],
    )
    .await
}

/// One share.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Item>, StoreError> {
    Item::by_id(connection, select!("AND held.grant_id = $2"), organization, id).await
}

/// The share that says this: of a grant with a sorted list, and into this place.
pub async fn same(
    connection: &mut PgConnection,
    organization: &str,
    fact: &GrantFact<'_>,
    into: Option<(&str, &str)>,
) -> Result<Option<Item>, StoreError> {
    let (not_before, expires_at) = bounds(fact.life);
    let statement = sqlx::query(concat!(
        select!(
            "AND held.subject_id = $2 AND (held.at_type, held.at_id) IS NOT DISTINCT FROM ($3, $4)
             AND (edge.parent_type, edge.parent_id) IS NOT DISTINCT FROM ($5, $6) AND held.active = $7"
        ),
        " AND held.not_before IS NOT DISTINCT FROM ",
        moment!("$8"),
        " AND held.expires_at IS NOT DISTINCT FROM ",
        moment!("$9"),
        " AND ARRAY(SELECT permission::text FROM grant_permissions AS entry
            WHERE entry.organization_id = held.organization_id AND entry.grant_id = held.grant_id
            ORDER BY permission) = $10 ORDER BY held.grant_id LIMIT 1"
    ))
    .bind(organization)
    .bind(fact.subject)
    .bind(fact.at.map(|at| at.0))
    .bind(fact.at.map(|at| at.1))
    .bind(into.map(|at| at.0))
    .bind(into.map(|at| at.1))
    .bind(fact.life.active)
    .bind(not_before)
    .bind(expires_at)
    .bind(fact.permissions);
    Item::one(connection, statement).await
}
