//! `postern world …`

use super::{gateway, world_check, world_compile, world_explain};
use postern_gateway::cli::{WorldExportArgs, WorldImportArgs, world_export, world_import};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Answer the queries of a file, one line of JSON each.
    Check(world_check::Args),
    /// Say why each check is decided as it is, and what would allow a denied one.
    Explain(world_explain::Args),
    /// Compile a world into a snapshot.
    Compile(world_compile::Args),
    /// Load a world into Postgres.
    Import(WorldImportArgs),
    /// Write an organization's facts as a world.
    Export(WorldExportArgs),
}

impl Command {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Check(args) => args.run(),
            Command::Explain(args) => args.run(),
            Command::Compile(args) => args.run(),
            Command::Import(args) => gateway::run(world_import(args)),
            Command::Export(args) => gateway::run(world_export(args)),
        }
    }
}
