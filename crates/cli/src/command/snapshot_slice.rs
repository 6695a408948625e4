//! `postern snapshot slice`: the part of a snapshot that one subject may see.

use crate::output;
use anyhow::Context as _;
use postern_snapshot::{Snapshot, slice};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The snapshot; of a slice, only the slice of the same subject can be cut.
    file: PathBuf,
    /// Whose slice, as `<type>:<id>`; also one whom the snapshot does not list.
    #[arg(long)]
    subject: String,
    /// Where to write the slice.
    #[arg(short, long)]
    output: PathBuf,
}

impl Args {
    pub fn run(self) -> anyhow::Result<()> {
        let bytes = super::snapshot::read(&self.file)?;
        let snapshot = Snapshot::open(&bytes).with_context(|| self.file.display().to_string())?;
        let slice = slice(&snapshot, &self.subject)
            .with_context(|| format!("--subject {:?}: no slice can be cut for it", self.subject))?;
        output::write_file(&self.output, &slice.to_bytes())
    }
}
