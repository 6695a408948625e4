//! `postern snapshot …`

use super::{snapshot_delta, snapshot_inspect, snapshot_slice, snapshot_verify};
use anyhow::Context as _;
use std::path::Path;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check a snapshot or slice, and print what it holds.
    Inspect(snapshot_inspect::Args),
    /// Cut out what one subject may see.
    Slice(snapshot_slice::Args),
    /// Write what changed between two snapshots.
    Delta(snapshot_delta::DeltaArgs),
    /// Bring a snapshot up to date with a delta: the bytes are those that the new one has.
    Apply(snapshot_delta::ApplyArgs),
    /// Check that a snapshot or slice is the one that its authority stated, and how old the statement is.
    Verify(snapshot_verify::Args),
}

impl Command {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Inspect(args) => args.run(),
            Command::Slice(args) => args.run(),
            Command::Delta(args) => args.run(),
            Command::Apply(args) => args.run(),
            Command::Verify(args) => args.run(),
        }
    }
}

/// Reads a file; the error names it.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{}: cannot read", file.display()))
}
