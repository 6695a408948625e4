//! Where things stand.

use crate::store::StoreError;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// What is known of a type and an id as a place for an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The type is not declared.
    NoType,
    /// The resource is not listed, and has to be.
    NotListed,
    /// Something can stand there.
    Place,
}

/// Looks a place up.
pub async fn known(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
) -> Result<Known, StoreError> {
    let row = sqlx::query(
        "SELECT kind.registered OR kind.scope, EXISTS (SELECT FROM resources AS resource
             WHERE resource.organization_id = $1 AND resource.resource_type = $2 AND resource.resource_id = $3)
         FROM resource_types AS kind WHERE kind.organization_id = $1 AND kind.resource_type = $2",
    )
    .bind(organization)
    .bind(at.0)
    .bind(at.1)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(Known::NoType) };
    let (registered, listed): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    Ok(if registered && !listed { Known::NotListed } else { Known::Place })
}

/// The listed resources of scope types that lie below a resource, over edges that let anything flow and however far.
pub async fn scopes_below(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sqlx::query(
        "WITH RECURSIVE below AS (
            SELECT $2::text COLLATE \"C\" AS kind, $3::text COLLATE \"C\" AS id
            UNION
            SELECT edge.child_type::text, edge.child_id::text FROM below
            JOIN resource_parents AS edge ON edge.organization_id = $1
                AND edge.parent_type = below.kind AND edge.parent_id = below.id
                AND (edge.relation = 'auto' OR cardinality(edge.cap) > 0))
         SELECT below.kind, below.id FROM below
         JOIN resource_types AS kind ON kind.organization_id = $1 AND kind.resource_type = below.kind
         WHERE kind.scope ORDER BY 1, 2",
    )
    .bind(organization)
    .bind(at.0)
    .bind(at.1)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A listed resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its type and id.
    pub at: (String, String),
    /// Whether it counts now.
    pub live: bool,
}

/// A resource and every one below it, over edges that let anything flow and however far; no more than `limit`, in no
/// particular order.
pub async fn everything_below(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let rows = sqlx::query(
        "WITH RECURSIVE below AS (
            SELECT $2::text COLLATE \"C\" AS kind, $3::text COLLATE \"C\" AS id
            UNION
            SELECT edge.child_type::text, edge.child_id::text FROM below
            JOIN resource_parents AS edge ON edge.organization_id = $1
                AND edge.parent_type = below.kind AND edge.parent_id = below.id
                AND (edge.relation = 'auto' OR cardinality(edge.cap) > 0))
         SELECT resource_type::text, resource_id::text, active AND coalesce(not_before <= now(), true)
                AND coalesce(now() < expires_at, true)
         FROM below JOIN resources ON organization_id = $1 AND resource_type = kind AND resource_id = id LIMIT $4",
    )
    .bind(organization)
    .bind(at.0)
    .bind(at.1)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(listed).collect()
}

/// The listed resources where something stands or several edges lead to parents: where somebody may do something else
/// than at what they lie below. No more than `limit`, in no particular order.
pub async fn telling(
    connection: &mut PgConnection,
    organization: &str,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let rows = sqlx::query(
        "SELECT resource_type::text, resource_id::text, active AND coalesce(not_before <= now(), true)
                AND coalesce(now() < expires_at, true)
         FROM resources JOIN (
            SELECT at_type AS kind, at_id AS id FROM assignments WHERE organization_id = $1
            UNION SELECT at_type, at_id FROM grants WHERE organization_id = $1
            UNION SELECT child_type, child_id FROM resource_parents WHERE organization_id = $1
                GROUP BY child_type, child_id HAVING count(*) > 1) AS telling
            ON resource_type = kind AND resource_id = id
         WHERE organization_id = $1 LIMIT $2",
    )
    .bind(organization)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &PgRow) -> Result<Listed, StoreError> {
    Ok(Listed { at: (row.try_get(0)?, row.try_get(1)?), live: row.try_get(2)? })
}

/// Whether resources of a type have to be listed; `None` where it is not declared.
pub async fn registered(
    connection: &mut PgConnection,
    organization: &str,
    kind: &str,
) -> Result<Option<bool>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT registered OR scope FROM resource_types WHERE organization_id = $1 AND resource_type = $2",
    )
    .bind(organization)
    .bind(kind)
    .fetch_optional(connection)
    .await?)
}

/// The types whose resources need not be listed.
pub async fn unregistered(
    connection: &mut PgConnection,
    organization: &str,
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT resource_type::text FROM resource_types
         WHERE organization_id = $1 AND NOT registered AND NOT scope ORDER BY 1",
    )
    .bind(organization)
    .fetch_all(connection)
    .await?)
}
