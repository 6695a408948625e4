//! Scopes: resources of scope types, with the roles that exist for each.

use super::{Item, Range, iso, parents};
use crate::store::StoreError;
use serde_json::json;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT jsonb_build_array(scope.resource_type, scope.resource_id)::text,
                jsonb_build_object('type', scope.resource_type, 'id', scope.resource_id,
                'parents', ",
            parents!("scope"),
            ",
                'owner', scope.owner_id, 'attributes', scope.attributes, 'active', scope.active,
                'not_before', ",
            iso!("scope.not_before"),
            ", 'expires_at', ",
            iso!("scope.expires_at"),
            ", 'deleted_at', ",
            iso!("scope.deleted_at"),
            ", 'roles', ARRAY(SELECT jsonb_build_object('id', role_id, 'name', name, 'preset', preset_id,
                        'auto_assign', auto_assign)
                    FROM roles AS role WHERE role.organization_id = scope.organization_id
                        AND role.scope_type = scope.resource_type AND role.scope_id = scope.resource_id
                    ORDER BY role_id))::text
             FROM resources AS scope JOIN resource_types AS kind
                ON kind.organization_id = scope.organization_id AND kind.resource_type = scope.resource_type
             WHERE scope.organization_id = $1 AND kind.scope ",
            $rest
        )
    };
}

/// A part of the list, by type and id; of one type if wanted. Deleted ones are among them.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    kind: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = select!(
        "AND ($2::text IS NULL OR (scope.resource_type, scope.resource_id)
             > ($2::text COLLATE \"C\", $3::text COLLATE \"C\"))
         AND ($5::text IS NULL OR scope.resource_type = $5)
         ORDER BY scope.resource_type, scope.resource_id LIMIT $4"
    );
    Item::page_by_place(connection, statement, organization, range, kind).await
}

/// One scope, by its type and id. `None` also for a resource of another type.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
) -> Result<Option<Item>, StoreError> {
    let statement = select!("AND scope.resource_type = $2 AND scope.resource_id = $3");
    Item::by_place(connection, statement, organization, at).await
}

/// What the catalog says of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeType {
    /// Whether its resources are scopes.
    pub scope: bool,
    /// Whether an assignment there takes the place of wider ones.
    pub narrows: bool,
}

/// Looks a type up; `None` where it is not declared.
pub async fn scope_type(
    connection: &mut PgConnection,
    organization: &str,
    kind: &str,
) -> Result<Option<ScopeType>, StoreError> {
    let row = sqlx::query(
        "SELECT scope, narrows FROM resource_types WHERE organization_id = $1 AND resource_type = $2",
    )
    .bind(organization)
    .bind(kind)
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok(ScopeType { scope: row.try_get(0)?, narrows: row.try_get(1)? })).transpose()
}

/// Ties a role to the scope that it exists for.
pub async fn bind_role(
    connection: &mut PgConnection,
    organization: &str,
    role: &str,
    scope: (&str, &str),
    preset: Uuid,
    auto_assign: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE roles SET scope_type = $3, scope_id = $4, preset_id = $5, auto_assign = $6
         WHERE organization_id = $1 AND role_id = $2",
    )
    .bind(organization)
    .bind(role)
    .bind(scope.0)
    .bind(scope.1)
    .bind(preset)
    .bind(auto_assign)
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of a scope's roles that everybody gets who joins it, in the order of their ids; what is inactive gives nothing.
pub async fn roles_to_join(
    connection: &mut PgConnection,
    organization: &str,
    scope: (&str, &str),
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT role_id::text FROM roles WHERE organization_id = $1 AND scope_type = $2 AND scope_id = $3
            AND auto_assign AND active ORDER BY role_id",
    )
    .bind(organization)
    .bind(scope.0)
    .bind(scope.1)
    .fetch_all(connection)
    .await?)
}

/// Deletes a scope so that it can be restored: it is inactive until then. One that is deleted stays as it is.
pub async fn soft_delete(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE resources SET deleted_at = transaction_timestamp(), restored_active = active, active = false
         WHERE organization_id = $1 AND resource_type = $2 AND resource_id = $3 AND deleted_at IS NULL",
    )
    .bind(organization)
    .bind(at.0)
    .bind(at.1)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes a deleted scope what it was before.
pub async fn restore(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE resources SET active = restored_active, deleted_at = NULL, restored_active = NULL
         WHERE organization_id = $1 AND resource_type = $2 AND resource_id = $3 AND deleted_at IS NOT NULL",
    )
    .bind(organization)
    .bind(at.0)
    .bind(at.1)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a scope for good: its edges in both directions, what stands at it, and the roles that exist only for it with
/// everything that they give. How much of each that was, as JSON.
pub async fn purge(
    connection: &mut PgConnection,
    organization: &str,
    at: (&str, &str),
) -> Result<Item, StoreError> {
    let mut counts = serde_json::Map::new();
    // From the leaves up, so that each is counted and not taken along by another: edges before the grants whose shares
    // they belong to, what roles hold before the roles.
    for (what, statement) in [
        (
            "edges",
            "DELETE FROM resource_parents WHERE organization_id = $1
                AND ((child_type, child_id) = ($2, $3) OR (parent_type, parent_id) = ($2, $3))",
        ),
        (
            "grants",
            "DELETE FROM grants WHERE organization_id = $1 AND ((at_type, at_id) = ($2, $3)
                OR subject_id IN (SELECT role_id FROM roles
                    WHERE organization_id = $1 AND scope_type = $2 AND scope_id = $3))",
        ),
        ("assignments", "DELETE FROM assignments WHERE organization_id = $1 AND at_type = $2 AND at_id = $3"),
        (
            "permissions",
            "DELETE FROM role_permissions AS entry USING roles AS role
             WHERE role.organization_id = $1 AND role.scope_type = $2 AND role.scope_id = $3
               AND entry.organization_id = role.organization_id AND entry.role_id = role.role_id",
        ),
        ("roles", "DELETE FROM roles WHERE organization_id = $1 AND scope_type = $2 AND scope_id = $3"),
    ] {
        let done =
            sqlx::query(statement).bind(organization).bind(at.0).bind(at.1).execute(&mut *connection).await?;
        counts.insert(what.to_owned(), json!(done.rows_affected()));
    }
    sqlx::query(
        "DELETE FROM resources WHERE organization_id = $1 AND resource_type = $2 AND resource_id = $3",
    )
    .bind(organization)
    .bind(at.0)
    .bind(at.1)
    .execute(connection)
    .await?;
    Ok(Item { id: json!([at.0, at.1]).to_string(), text: serde_json::Value::Object(counts).to_string() })
}
