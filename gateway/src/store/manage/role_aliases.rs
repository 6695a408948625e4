//! Former ids of roles.

use super::{Item, Range};
use crate::store::StoreError;
use sqlx::PgConnection;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT alias.alias_id::text, jsonb_build_object('id', alias.alias_id, 'role', alias.role_id)::text
             FROM role_aliases AS alias WHERE alias.organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by former id; of one role if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    role: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = sqlx::query(select!(
        "AND ($2::text IS NULL OR alias.alias_id > $2) AND ($3::text IS NULL OR alias.role_id = $3)
         ORDER BY alias.alias_id LIMIT $4"
    ));
    Item::all(connection, statement.bind(organization).bind(&range.after).bind(role).bind(range.limit)).await
}

/// One of them.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
) -> Result<Option<Item>, StoreError> {
    let statement = sqlx::query(select!("AND alias.alias_id = $2"));
    Item::one(connection, statement.bind(organization).bind(id)).await
}

/// The role that a former id stands for.
pub async fn role_of(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
) -> Result<Option<String>, StoreError> {
    let statement = "SELECT role_id::text FROM role_aliases WHERE organization_id = $1 AND alias_id = $2";
    Ok(sqlx::query_scalar(statement).bind(organization).bind(id).fetch_optional(connection).await?)
}

/// Makes an id stand for a role, unless it stands for one already.
pub async fn insert(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
    role: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO role_aliases (organization_id, alias_id, role_id) VALUES ($1, $2, $3)")
        .bind(organization)
        .bind(id)
        .bind(role)
        .execute(connection)
        .await?;
    Ok(())
}

/// Has an id stand for nothing.
pub async fn delete(connection: &mut PgConnection, organization: &str, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM role_aliases WHERE organization_id = $1 AND alias_id = $2")
        .bind(organization)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}
