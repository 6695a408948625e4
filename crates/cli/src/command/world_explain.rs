//! `postern world explain`: every check of a file of queries with its trail and, for a deny, the remedy.
//!
//! For those who may read roles: the output names holders and roles.

use crate::engine::resolve::{pair, question_of};
use anyhow::Context as _;
use postern_compile::compile;
use postern_gateway::explanation::to_json;
use postern_resolver::explain;
use postern_world::{Op, Queries, ReadError, World, read_document};
use std::io::Write as _;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The world document.
    world: PathBuf,
    /// The queries: one JSON object a line, each a check.
    #[arg(long)]
    queries: PathBuf,
}

impl Args {
    pub fn run(self) -> anyhow::Result<()> {
        let document = read_document(&self.world)?;
        let world = World::parse(&document)
            .map_err(|source| ReadError::Document { file: self.world.clone(), source })?;
        let facts = compile(&world).with_context(|| self.world.display().to_string())?;
        let start = super::world_check::now();
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        for next in Queries::open(&self.queries)? {
            let (line, query) = next?;
            anyhow::ensure!(
                matches!(query.op, Op::Check | Op::Explain),
                "{}: line {line}: only a check can be explained",
                self.queries.display()
            );
            let parents: Vec<(&str, &str)> = query.parents.iter().map(pair).collect();
            let dimensions: Vec<(&str, &str)> =
                query.dimensions.iter().map(|(name, value)| (&**name, &**value)).collect();
            let now = query.now.unwrap_or(start);
            let explanation = explain(&facts, &question_of(&query, &parents, &dimensions, now));
            writeln!(out, "{}", to_json(&explanation))?;
        }
        out.flush()?;
        Ok(())
    }
}
