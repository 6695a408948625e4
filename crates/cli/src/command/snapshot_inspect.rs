//! `postern snapshot inspect`: one JSON object about a snapshot.

use anyhow::Context as _;
use postern_snapshot::{FORMAT_VERSION, Snapshot};
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A snapshot or a slice.
    file: PathBuf,
}

impl Args {
    pub fn run(self) -> anyhow::Result<()> {
        let bytes = super::snapshot::read(&self.file)?;
        let snapshot = Snapshot::open(&bytes).with_context(|| self.file.display().to_string())?;
        let counts = snapshot.counts();
        let members = [
            ("organization", json!(snapshot.organization())),
            ("revision", json!(snapshot.revision())),
            ("kind", json!(if snapshot.is_slice() { "slice" } else { "snapshot" })),
            ("format_version", json!(FORMAT_VERSION)),
            ("size_bytes", json!(bytes.len())),
            ("depends_on_time", json!(snapshot.is_timed())),
            ("subjects", json!(counts.subjects)),
            ("aliases", json!(counts.aliases)),
            ("resources", json!(counts.resources)),
            ("active_roles", json!(counts.roles)),
            ("bindings", json!(counts.bindings)),
            ("permission_sets", json!(counts.sets)),
            ("permissions", json!(counts.permissions)),
            ("types", json!(counts.types)),
            ("catalog", json!(snapshot.catalog_hash())),
        ];
        // Written by hand for the order: an object of serde_json sorts its members.
        let lines: Vec<String> =
            members.iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
        let mut out = std::io::stdout().lock();
        writeln!(out, "{{\n{}\n}}", lines.join(",\n"))?;
        Ok(())
    }
}
