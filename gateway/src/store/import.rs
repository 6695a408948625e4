//! A world document into rows, in one transaction.

use super::import_rows::Rows;
use super::{StoreError, heads, import_kept, secrets};
use postern_world::World;
use sqlx::{Connection, PgConnection};

/// Why a world was not imported. Nothing of it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The organization is there, and replacing it was not asked for.
    #[error(
        "organization `{0}` exists already: give --replace to replace all its facts, or import another id"
    )]
    Exists(String),
    /// The database cannot hold this text: it takes no NUL, and ids of at most 512 bytes, so that they fit its indexes.
    #[error("{path}: {what}")]
    Text {
        /// Where it stands in the document.
        path: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The vault keeps a value for a resource that the document lacks.
    #[error(
        "the vault keeps a value for the resource of type `secret` and id `{id}`, which the document lacks: list it, or \
         delete the secret first"
    )]
    SecretLost {
        /// Of the resource.
        id: String,
    },
    /// The database refused it or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ImportError {
    fn from(error: sqlx::Error) -> Self {
        ImportError::Store(error.into())
    }
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The organization's revision now.
    pub revision: u64,
    /// Rows written.
    pub rows: u64,
    /// There were other facts before.
    pub replaced: bool,
}

/// Writes the facts of a valid world.
///
/// A new organization gets the document's revision, unless one of the same id was deleted at that revision or a later
/// one: revisions never go back, so it then continues from there. With `replace` the facts of an existing organization
/// are exchanged for the document's, and its revision is raised by one, as by any change.
pub async fn import(
    connection: &mut PgConnection,
    world: &World,
    replace: bool,
) -> Result<Imported, ImportError> {
    let rows = Rows::collect(world)?;
    let organization = world.organization.as_str();
    let mut transaction = connection.begin().await?;
    let exists = heads::revision(&mut transaction, organization).await?.is_some();
    if exists && !replace {
        return Err(ImportError::Exists(organization.to_owned()));
    }
    if exists {
        import_kept::keep(&mut transaction, organization).await?;
        delete_facts(&mut transaction, organization).await?;
    } else {
        create_organization(&mut transaction, organization, world.revision).await?;
    }
    let written = rows.write(&mut transaction).await?;
    if exists {
        import_kept::restore(&mut transaction).await?;
    }
    if let Some(id) = secrets::without_resource(&mut transaction, organization).await? {
        return Err(ImportError::SecretLost { id });
    }
    let revision =
        heads::revision(&mut transaction, organization).await?.ok_or_else(|| StoreError::Inconsistent {
            table: "organization_heads",
            what: format!("no row for `{organization}` after its import"),
        })?;
    transaction.commit().await?;
    Ok(Imported { revision, rows: written, replaced: exists })
}

/// The head row comes first and counts as raised by this transaction, so its revision stands.
async fn create_organization(
    connection: &mut PgConnection,
    organization: &str,
    revision: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO organization_heads (organization_id, revision, raised_in, raised_at, changed_in)
         VALUES ($1, $2::text::numeric, pg_current_xact_id(), transaction_timestamp(), pg_current_xact_id())
         ON CONFLICT (organization_id) DO NOTHING",
    )
    .bind(organization)
    .bind(revision.to_string())
    .execute(&mut *connection)
    .await?;
    // Where the head of a deleted organization was there, this raises it by one ...
    sqlx::query("INSERT INTO organizations (organization_id) VALUES ($1)")
        .bind(organization)
        .execute(&mut *connection)
        .await?;
    // ... and the document's revision takes its place where it is higher.
    sqlx::query(
        "UPDATE organization_heads SET revision = $2::text::numeric
         WHERE organization_id = $1 AND revision < $2::text::numeric",
    )
    .bind(organization)
    .bind(revision.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Facts only: API keys and signing keys stay.
async fn delete_facts(connection: &mut PgConnection, organization: &str) -> Result<(), StoreError> {
    // From the leaves up, each in one statement: cascades would go row by row.
    for statement in [
        "DELETE FROM grant_permissions WHERE organization_id = $1",
        "DELETE FROM grants WHERE organization_id = $1",
        "DELETE FROM assignments WHERE organization_id = $1",
        "DELETE FROM role_permissions WHERE organization_id = $1",
        "DELETE FROM roles WHERE organization_id = $1",
        "DELETE FROM resource_parents WHERE organization_id = $1",
        "DELETE FROM resources WHERE organization_id = $1",
        "DELETE FROM memberships WHERE organization_id = $1",
        "DELETE FROM subject_aliases WHERE organization_id = $1",
        "DELETE FROM subjects WHERE organization_id = $1",
        "DELETE FROM owner_permissions WHERE organization_id = $1",
        "DELETE FROM permission_links WHERE organization_id = $1",
        "DELETE FROM permissions WHERE organization_id = $1",
        "DELETE FROM resource_types WHERE organization_id = $1",
    ] {
        sqlx::query(statement).bind(organization).execute(&mut *connection).await?;
    }
    Ok(())
}
