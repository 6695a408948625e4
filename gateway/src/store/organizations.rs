//! Organizations themselves. On a connection as who logged in: the gateway's role sees one of them at a time.

use super::StoreError;
use super::manage::{Item, Range};
use sqlx::{AssertSqlSafe, PgConnection};

const SELECT: &str = "SELECT organization_id::text, jsonb_build_object('id', organization_id,
        'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
        'revision', head.revision::text)::text
    FROM organizations JOIN organization_heads AS head USING (organization_id)";

/// A part of all, by their ids. The cursor is the last id.
pub async fn list(connection: &mut PgConnection, range: &Range) -> Result<Vec<Item>, StoreError> {
    let statement = format!(
        "{SELECT} WHERE $1::text IS NULL OR organization_id > $1::text COLLATE \"C\" ORDER BY organization_id LIMIT $2"
    );
    let statement = sqlx::query(AssertSqlSafe(statement)).bind(&range.after).bind(range.limit);
    Item::all(connection, statement).await
}

/// One organization.
pub async fn get(connection: &mut PgConnection, organization: &str) -> Result<Option<Item>, StoreError> {
    let statement = format!("{SELECT} WHERE organization_id = $1");
    Item::one(connection, sqlx::query(AssertSqlSafe(statement)).bind(organization)).await
}

/// Makes an organization without facts. One that is there violates `organizations_pkey`.
pub async fn create(connection: &mut PgConnection, organization: &str) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO organizations (organization_id) VALUES ($1)")
        .bind(organization)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes an organization with all its facts and keys. Its audit stays, and its revision for one of the same id.
pub async fn delete(connection: &mut PgConnection, organization: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM organizations WHERE organization_id = $1")
        .bind(organization)
        .execute(connection)
        .await?;
    Ok(())
}

/// The immutable role of an organization, if a catalog file brought one.
pub async fn immutable_role(
    connection: &mut PgConnection,
    organization: &str,
) -> Result<Option<String>, StoreError> {
    let role = sqlx::query_scalar(
        "SELECT role_id::text FROM roles WHERE organization_id = $1 AND immutable ORDER BY role_id LIMIT 1",
    );
    Ok(role.bind(organization).fetch_optional(connection).await?)
}
