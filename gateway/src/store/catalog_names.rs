//! The names of an organization's catalog, for code that is generated from them.

use super::{StoreError, heads};
use sqlx::{Connection, PgConnection};

/// Which types and permissions there are, each list sorted by bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogNames {
    /// Resource types.
    pub types: Vec<String>,
    /// Permissions with their descriptions, which may be empty.
    pub permissions: Vec<(String, String)>,
}

/// Reads them as of one moment; `None` where there is no such organization.
pub async fn read(
    connection: &mut PgConnection,
    organization: &str,
) -> Result<Option<CatalogNames>, StoreError> {
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    if heads::revision(&mut transaction, organization).await?.is_none() {
        return Ok(None);
    }
    // The columns' collation is that of bytes.
    let types = sqlx::query_scalar(
        "SELECT resource_type::text FROM resource_types WHERE organization_id = $1 ORDER BY resource_type",
    );
    let types = types.bind(organization).fetch_all(&mut *transaction).await?;
    let permissions = sqlx::query_as(
        "SELECT permission_key::text, description FROM permissions WHERE organization_id = $1
         ORDER BY permission_key",
    );
    let permissions = permissions.bind(organization).fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Some(CatalogNames { types, permissions }))
}
