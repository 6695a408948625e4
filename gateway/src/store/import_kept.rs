//! What stays while all facts of an organization are exchanged: it is beside the facts, and not in a document.

use super::StoreError;
use sqlx::PgConnection;

/// Keeps it until the end of the transaction: rows that go with the facts that they are about.
pub async fn keep(connection: &mut PgConnection, organization: &str) -> Result<(), StoreError> {
    for (make, fill) in [
        (
            "CREATE TEMPORARY TABLE kept_entries (LIKE directory_entries) ON COMMIT DROP",
            "INSERT INTO kept_entries SELECT * FROM directory_entries WHERE organization_id = $1",
        ),
        (
            "CREATE TEMPORARY TABLE kept_aliases (LIKE role_aliases) ON COMMIT DROP",
            "INSERT INTO kept_aliases SELECT * FROM role_aliases WHERE organization_id = $1",
        ),
    ] {
        sqlx::query(make).execute(&mut *connection).await?;
        sqlx::query(fill).bind(organization).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Puts back what is about facts that are there again.
pub async fn restore(connection: &mut PgConnection) -> Result<(), StoreError> {
    for statement in [
        "INSERT INTO directory_entries SELECT kept.* FROM kept_entries AS kept
            JOIN subjects USING (organization_id, subject_id)",
        // An id that is a role's by now is no former one.
        "INSERT INTO role_aliases SELECT kept.* FROM kept_aliases AS kept JOIN roles USING (organization_id, role_id)
            WHERE NOT EXISTS (SELECT FROM roles AS other
                WHERE other.organization_id = kept.organization_id AND other.role_id = kept.alias_id)",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}
