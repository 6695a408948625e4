//! `postern snapshot verify`: whether a snapshot is the one that its authority stated (`docs/statements.md`).

use anyhow::{Context as _, bail};
use postern_snapshot::Snapshot;
use postern_statement::{Held, KeySet, Refused};
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A snapshot or a slice.
    file: PathBuf,
    /// The statement: what the header `Postern-Statement` had.
    #[arg(long, value_name = "STATEMENT")]
    statement: String,
    /// The authority's keys: what its /.well-known/jwks.json had.
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
}

impl Args {
    pub fn run(self) -> anyhow::Result<()> {
        let bytes = super::snapshot::read(&self.file)?;
        let set = super::snapshot::read(&self.keys)?;
        let set =
            std::str::from_utf8(&set).map_err(|_| Refused::Malformed("this is no JWK Set: it is not UTF-8"));
        let keys = set.and_then(KeySet::parse).with_context(|| self.keys.display().to_string())?;
        let statement = keys.verify(self.statement.trim()).context("--statement")?;
        let snapshot = Snapshot::open(&bytes).with_context(|| self.file.display().to_string())?;
        statement.names(&bytes).with_context(|| self.file.display().to_string())?;
        if (snapshot.organization(), snapshot.revision()) != (&statement.organization, statement.revision)
            || snapshot.is_slice() != statement.subject.is_some()
        {
            // An authority that contradicts itself: it has signed bytes that say otherwise.
            bail!("{}: the statement is about another organization, revision or kind", self.file.display());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let held = Held::new(statement, i64::try_from(now).unwrap_or(i64::MAX), 0);
        let statement = held.statement();
        let members = [
            ("organization", json!(statement.organization)),
            ("subject", json!(statement.subject)),
            ("epoch", json!(statement.epoch)),
            ("revision", json!(statement.revision)),
            ("as_of", json!(statement.as_of)),
            ("age_seconds", json!(held.age_micros(0) / 1_000_000)),
            ("fresh", json!(held.is_fresh(0))),
        ];
        // Written by hand for the order: an object of serde_json sorts its members.
        let lines: Vec<String> =
            members.iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
        writeln!(std::io::stdout().lock(), "{{\n{}\n}}", lines.join(",\n"))?;
        Ok(())
    }
}
