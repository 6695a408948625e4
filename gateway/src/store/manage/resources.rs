//! Resources, with the edges to their parents that are no share's.

use super::{Item, Range, bounds, iso, moment, parents};
use crate::store::StoreError;
use crate::store::facts::ResourceFact;
use sqlx::{PgConnection, Row};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT jsonb_build_array(resource.resource_type, resource.resource_id)::text,
                jsonb_build_object('type', resource.resource_type, 'id', resource.resource_id,
                'parents', ",
            parents!("resource"),
            ",
                'owner', resource.owner_id, 'attributes', resource.attributes, 'active', resource.active,
                'not_before', ",
            iso!("resource.not_before"),
            ", 'expires_at', ",
            iso!("resource.expires_at"),
            ")::text FROM resources AS resource WHERE resource.organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by type and id; of one type if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    kind: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = select!(
        "AND ($2::text IS NULL OR (resource.resource_type, resource.resource_id)
             > ($2::text COLLATE \"C\", $3::text COLLATE \"C\"))
         AND ($5::text IS NULL OR resource.resource_type = $5)
         ORDER BY resource.resource_type, resource.resource_id LIMIT $4"
    );
    Item::page_by_place(connection, statement, organization, range, kind).await
}

/// One resource, by its type and id.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
) -> Result<Option<Item>, StoreError> {
    let statement = select!("AND resource.resource_type = $2 AND resource.resource_id = $3");
    Item::by_place(connection, statement, organization, at).await
}

/// Writes a resource, new or in the place of the one of this type and id. Its edges are written by themselves.
pub async fn put(
    connection: &mut PgConnection,
    organization: &str,
    fact: &ResourceFact<'_>,
    attributes: &str,
) -> Result<(), StoreError> {
    let (not_before, expires_at) = bounds(fact.life);
    sqlx::query(concat!(
        "INSERT INTO resources AS old
            (organization_id, resource_type, resource_id, owner_id, attributes, active, not_before, expires_at)
         VALUES ($1, $2, $3, $4, $5::jsonb, $6, ",
        moment!("$7"),
        ", ",
        moment!("$8"),
        ") ON CONFLICT (organization_id, resource_type, resource_id) DO UPDATE SET owner_id = EXCLUDED.owner_id,
            attributes = EXCLUDED.attributes, active = EXCLUDED.active, not_before = EXCLUDED.not_before,
            expires_at = EXCLUDED.expires_at
         WHERE (old.owner_id, old.attributes, old.active, old.not_before, old.expires_at) IS DISTINCT FROM
            (EXCLUDED.owner_id, EXCLUDED.attributes, EXCLUDED.active, EXCLUDED.not_before, EXCLUDED.expires_at)"
    ))
    .bind(organization)
    .bind(fact.kind)
    .bind(fact.id)
    .bind(fact.owner)
    .bind(attributes)
    .bind(fact.life.active)
    .bind(not_before)
    .bind(expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// What hangs on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hanging {
    /// Edges that lead to it.
    pub children: i64,
    /// Assignments that stand at it.
    pub assignments: i64,
    /// Grants, exclusions and shares that stand at it.
    pub grants: i64,
    /// Roles that exist for it.
    pub roles: i64,
}

impl Hanging {
    /// Whether nothing does.
    pub fn is_none(&self) -> bool {
        (self.children, self.assignments, self.grants, self.roles) == (0, 0, 0, 0)
    }
}

/// Counts it, whether the resource is listed or not.
pub async fn hanging(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
) -> Result<Hanging, StoreError> {
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM resource_parents WHERE organization_id = $1 AND parent_type = $2
                AND parent_id = $3),
            (SELECT count(*) FROM assignments WHERE organization_id = $1 AND at_type = $2 AND at_id = $3),
            (SELECT count(*) FROM grants WHERE organization_id = $1 AND at_type = $2 AND at_id = $3),
            (SELECT count(*) FROM roles WHERE organization_id = $1 AND scope_type = $2 AND scope_id = $3)",
    )
    .bind(organization)
    .bind(at.0)
    .bind(at.1)
    .fetch_one(connection)
    .await?;
    Ok(Hanging {
        children: row.try_get(0)?,
        assignments: row.try_get(1)?,
        grants: row.try_get(2)?,
        roles: row.try_get(3)?,
    })
}

/// Deletes a resource with its edges on both sides, what stands at it and the roles that exist for it: one of the same id
/// that is listed later must not find it.
pub async fn delete(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM grants WHERE organization_id = $1 AND at_type = $2 AND at_id = $3",
        "DELETE FROM assignments WHERE organization_id = $1 AND at_type = $2 AND at_id = $3",
        "DELETE FROM resources WHERE organization_id = $1 AND resource_type = $2 AND resource_id = $3",
    ] {
        sqlx::query(statement).bind(organization).bind(at.0).bind(at.1).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Whether decisions may depend on who owns a resource of the type: its owners may do something, or some grant or
/// exclusion is about what somebody owns.
pub async fn owner_counts(
    connection: &mut PgConnection,
    organization: &str,
    kind: &str,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM owner_permissions WHERE organization_id = $1 AND resource_type = $2)
            OR EXISTS (SELECT FROM grants WHERE organization_id = $1 AND own)",
    )
    .bind(organization)
    .bind(kind)
    .fetch_one(connection)
    .await?)
}

/// Whether some grant or exclusion looks at one of these attributes.
pub async fn attributes_count(
    connection: &mut PgConnection,
    organization: &str,
    names: &[String],
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM grants WHERE organization_id = $1 AND (conditions || require) ?| $2)",
    )
    .bind(organization)
    .bind(names)
    .fetch_one(connection)
    .await?)
}
