//! `postern world compile`: a world document to the bytes of its snapshot.

use crate::output;
use anyhow::Context as _;
use postern_world::World;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The world document.
    world: PathBuf,
    /// Where to write the snapshot.
    #[arg(short, long)]
    output: PathBuf,
}

impl Args {
    pub fn run(self) -> anyhow::Result<()> {
        let world = World::read_file(&self.world)?;
        let facts = postern_compile::compile(&world).with_context(|| self.world.display().to_string())?;
        output::write_file(&self.output, &facts.to_bytes())
    }
}
