//! Where things stand.

use crate::store::StoreError;
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

/// The listed resources of scope types that lie below a resource, over edges of any kind and however far.
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
                AND edge.parent_type = below.kind AND edge.parent_id = below.id)
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
