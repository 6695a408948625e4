//! Presets: which roles a new scope of a type gets.

use super::{Item, Range, Statement, iso};
use crate::store::StoreError;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT preset.preset_id::text, jsonb_build_object('id', preset.preset_id, 'name', preset.name,
                'type', preset.resource_type, 'role_name', preset.role_name, 'auto_assign', preset.auto_assign,
                'for_creator', preset.for_creator, 'deleted_at', ",
            iso!("preset.deleted_at"),
            ", 'permissions', ARRAY(SELECT permission::text FROM preset_permissions AS entry
                    WHERE entry.organization_id = preset.organization_id AND entry.preset_id = preset.preset_id
                    ORDER BY permission))::text
             FROM presets AS preset WHERE preset.organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by id; of one type if wanted. Deleted ones are among them.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    kind: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = select!(
        "AND ($2::uuid IS NULL OR preset.preset_id > $2) AND ($4::text IS NULL OR preset.resource_type = $4)
         ORDER BY preset.preset_id LIMIT $3"
    );
    Item::page(connection, statement, organization, range, &[kind]).await
}

/// One preset.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Item>, StoreError> {
    Item::by_id(connection, select!("AND preset.preset_id = $2"), organization, id).await
}

/// Those of a type that are not deleted, in the order of their ids.
pub async fn of_type(
    connection: &mut PgConnection,
    organization: &str,
    kind: &str,
) -> Result<Vec<Item>, StoreError> {
    let statement = sqlx::query(select!(
        "AND preset.resource_type = $2 AND preset.deleted_at IS NULL ORDER BY preset.preset_id"
    ));
    Item::all(connection, statement.bind(organization).bind(kind)).await
}

/// Whether another preset, deleted or not, has a folded name.
pub async fn named(
    connection: &mut PgConnection,
    organization: &str,
    name_key: &str,
    except: Uuid,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM presets WHERE organization_id = $1 AND name_key = $2 AND preset_id <> $3)",
    )
    .bind(organization)
    .bind(name_key)
    .bind(except)
    .fetch_one(connection)
    .await?)
}

/// What is written of a preset.
#[derive(Clone, Debug)]
pub struct PresetRow<'p> {
    /// Its id.
    pub id: Uuid,
    /// As people see it.
    pub name: &'p str,
    /// Folded; unique in the organization.
    pub name_key: &'p str,
    /// The type of the scopes.
    pub kind: &'p str,
    /// A template for the names of the roles.
    pub role_name: Option<&'p str>,
    /// Whoever joins the scope is assigned the role.
    pub auto_assign: bool,
    /// Whoever makes the scope is.
    pub for_creator: bool,
    /// A permission list.
    pub permissions: &'p [String],
}

/// Writes a preset with its list, new or in the place of the one of this id. Whether it is deleted stays as it is.
pub async fn put(
    connection: &mut PgConnection,
    organization: &str,
    preset: &PresetRow<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO presets (organization_id, preset_id, name, name_key, resource_type, role_name, auto_assign,
            for_creator)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (organization_id, preset_id) DO UPDATE SET name = EXCLUDED.name,
             name_key = EXCLUDED.name_key, role_name = EXCLUDED.role_name, auto_assign = EXCLUDED.auto_assign,
             for_creator = EXCLUDED.for_creator",
    )
    .bind(organization)
    .bind(preset.id)
    .bind(preset.name)
    .bind(preset.name_key)
    .bind(preset.kind)
    .bind(preset.role_name)
    .bind(preset.auto_assign)
    .bind(preset.for_creator)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "WITH gone AS (DELETE FROM preset_permissions
             WHERE organization_id = $1 AND preset_id = $2 AND permission <> ALL ($3))
         INSERT INTO preset_permissions (organization_id, preset_id, permission)
         SELECT $1, $2, unnest($3) ON CONFLICT DO NOTHING",
    )
    .bind(organization)
    .bind(preset.id)
    .bind(preset.permissions)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a preset so that it can be restored, or restores it.
pub async fn set_deleted(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
    deleted: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE presets SET deleted_at = CASE WHEN $3 THEN transaction_timestamp() END
         WHERE organization_id = $1 AND preset_id = $2 AND (deleted_at IS NULL) = $3",
    )
    .bind(organization)
    .bind(id)
    .bind(deleted)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a preset for good, with its list. The roles that were made from it stay.
pub async fn purge(connection: &mut PgConnection, organization: &str, id: Uuid) -> Result<(), StoreError> {
    let statement = "DELETE FROM presets WHERE organization_id = $1 AND preset_id = $2";
    super::execute_by_id(connection, statement, organization, id).await
}

/// The roles that were made from a preset and do not have its list any more, in the order of their ids: what each would
/// get and lose. The preset has to be there.
pub async fn differences(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Item, StoreError> {
    let statement: Statement<'_> = sqlx::query(
        "WITH wanted AS (SELECT permission FROM preset_permissions WHERE organization_id = $1 AND preset_id = $2),
            made AS (SELECT role.role_id, role.name, role.scope_type, role.scope_id, role.auto_assign,
                    ARRAY(SELECT permission::text FROM wanted WHERE NOT EXISTS (SELECT FROM role_permissions AS entry
                        WHERE entry.organization_id = $1 AND entry.role_id = role.role_id
                          AND entry.permission = wanted.permission) ORDER BY permission) AS added,
                    ARRAY(SELECT entry.permission::text FROM role_permissions AS entry
                        WHERE entry.organization_id = $1 AND entry.role_id = role.role_id
                          AND entry.permission NOT IN (SELECT permission FROM wanted) ORDER BY 1) AS removed
                FROM roles AS role WHERE role.organization_id = $1 AND role.preset_id = $2)
         SELECT $2::text, jsonb_build_object('preset', $2, 'roles', coalesce((SELECT jsonb_agg(jsonb_build_object(
                'id', role_id, 'name', name, 'scope', jsonb_build_object('type', scope_type, 'id', scope_id),
                'auto_assign', auto_assign, 'added', added, 'removed', removed) ORDER BY role_id)
             FROM made WHERE cardinality(added) + cardinality(removed) > 0), '[]'),
             'unchanged', (SELECT count(*) FROM made WHERE cardinality(added) + cardinality(removed) = 0))::text",
    );
    let row = statement.bind(organization).bind(id).fetch_one(connection).await?;
    Ok(Item { id: row.try_get(0)?, text: row.try_get(1)? })
}

/// Gives the roles that were made from a preset its list.
pub async fn apply(connection: &mut PgConnection, organization: &str, id: Uuid) -> Result<(), StoreError> {
    // In one statement: to those who read in between, a role never has too few or too many.
    sqlx::query(
        "WITH wanted AS (SELECT permission FROM preset_permissions WHERE organization_id = $1 AND preset_id = $2),
            made AS (SELECT role_id FROM roles WHERE organization_id = $1 AND preset_id = $2),
            gone AS (DELETE FROM role_permissions AS entry USING made
                WHERE entry.organization_id = $1 AND entry.role_id = made.role_id
                  AND entry.permission NOT IN (SELECT permission FROM wanted))
         INSERT INTO role_permissions (organization_id, role_id, permission)
         SELECT $1, made.role_id, wanted.permission FROM made CROSS JOIN wanted ON CONFLICT DO NOTHING",
    )
    .bind(organization)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}
