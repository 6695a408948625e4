//! Roles.

use super::{Item, Range};
use crate::store::StoreError;
use sqlx::{PgConnection, Row};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT role.role_id::text, jsonb_build_object('id', role.role_id, 'name', role.name,
                'active', role.active, 'builtin', role.builtin_key, 'immutable', role.immutable,
                'scope', CASE WHEN role.scope_type IS NOT NULL
                    THEN jsonb_build_object('type', role.scope_type, 'id', role.scope_id) END,
                'preset', role.preset_id, 'auto_assign', role.auto_assign,
                'permissions', ARRAY(SELECT permission::text FROM role_permissions AS entry
                    WHERE entry.organization_id = role.organization_id AND entry.role_id = role.role_id
                    ORDER BY permission))::text
             FROM roles AS role WHERE role.organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by id.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement =
        sqlx::query(select!("AND ($2::text IS NULL OR role.role_id > $2) ORDER BY role.role_id LIMIT $3"))
            .bind(organization)
            .bind(&range.after)
            .bind(range.limit);
    Item::all(connection, statement).await
}

/// One role.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
) -> Result<Option<Item>, StoreError> {
    let statement = sqlx::query(select!("AND role.role_id = $2")).bind(organization).bind(id);
    Item::one(connection, statement).await
}

/// The id of another role whose name is the same without its surrounding blanks and in lower case. Names that were not
/// given by the interface are folded by the database, which knows less of case than we do.
pub async fn named(
    connection: &mut PgConnection,
    organization: &str,
    name_key: &str,
    except: &str,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT role_id::text FROM roles WHERE organization_id = $1 AND role_id <> $3
            AND coalesce(name_key, lower(btrim(name)) COLLATE \"C\") = $2 LIMIT 1",
    )
    .bind(organization)
    .bind(name_key)
    .bind(except)
    .fetch_optional(connection)
    .await?)
}

/// What is written of a role.
#[derive(Clone, Debug)]
pub struct RoleRow<'r> {
    /// `role:organization:<uuid>`
    pub id: &'r str,
    /// As people see it.
    pub name: &'r str,
    /// Folded; unique in the organization.
    pub name_key: &'r str,
    /// A permission list.
    pub permissions: &'r [String],
    /// Whether it counts.
    pub active: bool,
    /// What `--catalog` calls it.
    pub builtin: Option<&'r str>,
    /// Nobody changes it.
    pub immutable: bool,
}

/// Writes a role with its list, new or in the place of the one of this id. What is as it should be is not written.
pub async fn put(
    connection: &mut PgConnection,
    organization: &str,
    role: &RoleRow<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO roles AS old (organization_id, role_id, name, name_key, active, builtin_key, immutable)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (organization_id, role_id) DO UPDATE SET name = EXCLUDED.name, name_key = EXCLUDED.name_key,
             active = EXCLUDED.active, builtin_key = EXCLUDED.builtin_key, immutable = EXCLUDED.immutable
         WHERE (old.name, old.name_key, old.active, old.builtin_key, old.immutable)
             IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.name_key, EXCLUDED.active, EXCLUDED.builtin_key,
                 EXCLUDED.immutable)",
    )
    .bind(organization)
    .bind(role.id)
    .bind(role.name)
    .bind(role.name_key)
    .bind(role.active)
    .bind(role.builtin)
    .bind(role.immutable)
    .execute(&mut *connection)
    .await?;
    // In one statement: to those who read in between, a role never has too few or too many.
    sqlx::query(
        "WITH gone AS (DELETE FROM role_permissions
             WHERE organization_id = $1 AND role_id = $2 AND permission <> ALL ($3))
         INSERT INTO role_permissions (organization_id, role_id, permission)
         SELECT $1, $2, unnest($3) ON CONFLICT DO NOTHING",
    )
    .bind(organization)
    .bind(role.id)
    .bind(role.permissions)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a role with its list, assignments and grants.
pub async fn delete(connection: &mut PgConnection, organization: &str, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM roles WHERE organization_id = $1 AND role_id = $2")
        .bind(organization)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Who is assigned a role, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// A subject, a group, or `user:all`.
    pub subject: String,
    /// `None`: the whole organization.
    pub at: Option<(String, String)>,
    /// Whether it could count now or later: neither the assignment nor its holder has ended or was made inactive.
    pub counts: bool,
}

/// All who are assigned a role.
pub async fn holders(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
) -> Result<Vec<Held>, StoreError> {
    let rows = sqlx::query(
        "SELECT assignment.subject_id::text, at_type::text, at_id::text,
            assignment.active AND coalesce(now() < assignment.expires_at, true) AND
            (subject.subject_id IS NULL OR subject.active AND coalesce(now() < subject.expires_at, true))
         FROM assignments AS assignment LEFT JOIN subjects AS subject USING (organization_id, subject_id)
         WHERE organization_id = $1 AND role_id = $2",
    )
    .bind(organization)
    .bind(id)
    .fetch_all(connection)
    .await?;
    let held = |row: sqlx::postgres::PgRow| -> Result<Held, StoreError> {
        let at: (Option<String>, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
        Ok(Held { subject: row.try_get(0)?, at: at.0.zip(at.1), counts: row.try_get(3)? })
    };
    rows.into_iter().map(held).collect()
}

/// Gives all assignments of one role to another; those that are there already are left away.
pub async fn reassign(
    connection: &mut PgConnection,
    organization: &str,
    from: &str,
    to: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO assignments
            (organization_id, subject_id, role_id, at_type, at_id, active, not_before, expires_at)
         SELECT organization_id, subject_id, $3, at_type, at_id, active, not_before, expires_at
         FROM assignments WHERE organization_id = $1 AND role_id = $2 ON CONFLICT DO NOTHING",
    )
    .bind(organization)
    .bind(from)
    .bind(to)
    .execute(connection)
    .await?;
    Ok(())
}

/// A role that is a built-in one, or could be.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// What `--catalog` calls it, if it is one already.
    pub key: Option<String>,
}

/// The built-in role of a key; else the one with its id; else one that has its name and was imported or written by SQL.
/// Whoever makes a role through the interface gives it no rights by calling it that; and one that exists for a scope stays
/// there.
pub async fn builtin(
    connection: &mut PgConnection,
    organization: &str,
    key: &str,
    name_key: &str,
) -> Result<Option<Found>, StoreError> {
    let row = sqlx::query(
        "SELECT role_id::text, builtin_key::text FROM roles WHERE organization_id = $1
            AND (builtin_key = $2 OR builtin_key IS NULL
                AND (role_id = 'role:system:' || $2
                    OR name_key IS NULL AND scope_type IS NULL AND lower(btrim(name)) COLLATE \"C\" = $3))
         ORDER BY builtin_key NULLS LAST, role_id <> 'role:system:' || $2, role_id LIMIT 1",
    )
    .bind(organization)
    .bind(key)
    .bind(name_key)
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok(Found { id: row.try_get(0)?, key: row.try_get(1)? })).transpose()
}
