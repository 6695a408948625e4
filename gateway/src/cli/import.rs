//! `postern world import`

use super::{CliError, Session};
use crate::config::DatabaseArgs;
use crate::store::import::import;
use clap::Args;
use postern_world::World;
use std::path::PathBuf;

/// Load a world document into Postgres
#[derive(Clone, Debug, Args)]
pub struct WorldImportArgs {
    /// The document
    #[arg(value_name = "WORLD.json")]
    pub world: PathBuf,

    /// Replace all facts of an organization that exists; its revision is raised, its keys stay
    #[arg(long)]
    pub replace: bool,

    #[command(flatten)]
    #[allow(missing_docs, reason = "the flags have their own")]
    pub database: DatabaseArgs,
}

/// Imports a document in one transaction, and prints what it did as a line of JSON.
pub async fn world_import(args: WorldImportArgs) -> Result<(), CliError> {
    // Read first: a bad document needs no database.
    let world = World::read_file(&args.world)?;
    let mut session = Session::open(&args.database).await?;
    let imported = import(&mut session.connection, &world, args.replace).await;
    session.close().await;
    let file = args.world.display().to_string();
    let imported = imported.map_err(|source| CliError::Import { file, source })?;
    let line = serde_json::json!({
        "organization": world.organization,
        "revision": imported.revision,
        "rows": imported.rows,
        "replaced": imported.replaced,
    });
    println!("{line}");
    Ok(())
}
