//! `postern snapshot delta` and `postern snapshot apply`: what changed between two snapshots, and the way back.

use crate::output;
use anyhow::Context as _;
use postern_snapshot::{Snapshot, apply, diff};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct DeltaArgs {
    /// The snapshot, or slice, that is held.
    old: PathBuf,
    /// The one that it becomes.
    new: PathBuf,
    /// Where to write the delta.
    #[arg(short, long)]
    output: PathBuf,
}

impl DeltaArgs {
    pub fn run(self) -> anyhow::Result<()> {
        let (old, new) = (super::snapshot::read(&self.old)?, super::snapshot::read(&self.new)?);
        let delta = diff(&open(&old, &self.old)?, &open(&new, &self.new)?);
        output::write_file(&self.output, &delta)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    /// The snapshot, or slice, that the delta is for.
    old: PathBuf,
    /// The delta.
    delta: PathBuf,
    /// Where to write the snapshot that comes out.
    #[arg(short, long)]
    output: PathBuf,
}

impl ApplyArgs {
    pub fn run(self) -> anyhow::Result<()> {
        let (old, delta) = (super::snapshot::read(&self.old)?, super::snapshot::read(&self.delta)?);
        let new = apply(&open(&old, &self.old)?, &delta).with_context(|| self.delta.display().to_string())?;
        output::write_file(&self.output, &new)
    }
}

fn open<'a>(bytes: &'a [u8], file: &Path) -> anyhow::Result<Snapshot<'a>> {
    Snapshot::open(bytes).with_context(|| file.display().to_string())
}
