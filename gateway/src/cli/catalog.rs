//! Reading the names of a catalog, for `postern codegen --organization`.

use super::{CliError, Session};
use crate::config::DatabaseArgs;
use crate::store::catalog_names::{self, CatalogNames};

/// The names of an organization's catalog as they are now.
pub async fn catalog(database: &DatabaseArgs, organization: &str) -> Result<CatalogNames, CliError> {
    let mut session = Session::open(database).await?;
    let names = catalog_names::read(&mut session.connection, organization).await;
    session.close().await;
    names?.ok_or_else(|| CliError::no_organization(organization))
}
