//! The catalog that a program brings along, written into organizations.

use super::StoreError;
use postern_world::Catalog;
use sqlx::PgConnection;

/// Of the advisory lock: the first eight bytes of "postern catalog".
const LOCK: i64 = 0x706f_7374_6572_6e20;

/// Waits until no other gateway does the same. Held until [`unlock`], or the connection's end.
pub async fn lock(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(connection).await?;
    Ok(())
}

/// Lets the next gateway go on.
pub async fn unlock(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(connection).await?;
    Ok(())
}

/// All organizations.
pub async fn organizations(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let all = sqlx::query_scalar("SELECT organization_id::text FROM organizations ORDER BY organization_id");
    Ok(all.fetch_all(connection).await?)
}

/// Makes types and permissions what the catalog says. Those that it does not name stay as they are: facts may use them.
/// What is as it should be is not written.
pub async fn write(
    connection: &mut PgConnection,
    organization: &str,
    catalog: &Catalog,
) -> Result<(), StoreError> {
    for (name, kind) in &catalog.types {
        sqlx::query(
            "INSERT INTO resource_types AS old (organization_id, resource_type, scope, narrows, registered)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (organization_id, resource_type) DO UPDATE
                SET scope = EXCLUDED.scope, narrows = EXCLUDED.narrows, registered = EXCLUDED.registered
                WHERE (old.scope, old.narrows, old.registered)
                    IS DISTINCT FROM (EXCLUDED.scope, EXCLUDED.narrows, EXCLUDED.registered)",
        )
        .bind(organization)
        .bind(name)
        .bind(kind.scope)
        .bind(kind.narrows)
        .bind(kind.registered)
        .execute(&mut *connection)
        .await?;
    }
    for (key, permission) in &catalog.permissions {
        sqlx::query(
            "INSERT INTO permissions AS old (organization_id, permission_key, description, works_when_inactive)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (organization_id, permission_key) DO UPDATE
                SET description = EXCLUDED.description, works_when_inactive = EXCLUDED.works_when_inactive
                WHERE (old.description, old.works_when_inactive)
                    IS DISTINCT FROM (EXCLUDED.description, EXCLUDED.works_when_inactive)",
        )
        .bind(organization)
        .bind(key)
        .bind(&permission.description)
        .bind(permission.works_when_inactive)
        .execute(&mut *connection)
        .await?;
    }
    for (key, permission) in &catalog.permissions {
        let relations = [
            ("implied_by", &permission.implied_by),
            ("excluded_by", &permission.excluded_by),
            ("requires", &permission.requires),
        ];
        for (relation, others) in relations {
            sqlx::query(
                "WITH gone AS (DELETE FROM permission_links WHERE organization_id = $1 AND permission_key = $2
                     AND relation = $3 AND other_key <> ALL ($4))
                 INSERT INTO permission_links (organization_id, permission_key, relation, other_key)
                 SELECT $1, $2, $3, unnest($4) ON CONFLICT DO NOTHING",
            )
            .bind(organization)
            .bind(key)
            .bind(relation)
            .bind(others)
            .execute(&mut *connection)
            .await?;
        }
    }
    for (name, kind) in &catalog.types {
        sqlx::query(
            "WITH gone AS (DELETE FROM owner_permissions WHERE organization_id = $1 AND resource_type = $2
                 AND permission <> ALL ($3))
             INSERT INTO owner_permissions (organization_id, resource_type, permission)
             SELECT $1, $2, unnest($3) ON CONFLICT DO NOTHING",
        )
        .bind(organization)
        .bind(name)
        .bind(&kind.owner_permissions)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
