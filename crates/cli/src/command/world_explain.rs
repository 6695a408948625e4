//! `postern world explain`: every check of a file of queries with its trail and, for a deny, the remedy.
//!
//! For those who may read roles: the output names holders and roles.

use crate::engine::resolve::{pair, question_of};
use anyhow::Context as _;
use postern_compile::compile;
use postern_resolver::{Change, Explanation, Place, Step, explain};
use postern_world::{Op, Queries, ReadError, World, read_document};
use serde_json::{Value, json};
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
            writeln!(out, "{}", value(&explanation))?;
        }
        out.flush()?;
        Ok(())
    }
}

fn value(explanation: &Explanation) -> Value {
    match explanation.answer {
        Err(error) => json!({ "error": error.as_str() }),
        Ok(reason) => json!({
            "decision": reason.decision().as_str(),
            "reason": reason.as_str(),
            "trail": explanation.trail.iter().map(step).collect::<Vec<_>>(),
            "remedy": explanation.remedy.iter().map(change).collect::<Vec<_>>(),
        }),
    }
}

fn place(place: &Place) -> Value {
    match place {
        None => Value::Null,
        Some((kind, id)) => json!({ "type": kind, "id": id }),
    }
}

fn step(step: &Step) -> Value {
    match step {
        Step::Candidate { holder, role, at, satisfies, narrowed } => json!({
            "candidate": { "holder": holder, "role": role, "at": place(at), "satisfies": satisfies, "narrowed": narrowed }
        }),
        Step::Grant { holder, at } => json!({ "grant": { "holder": holder, "at": place(at) } }),
        Step::Exclusion { holder, at } => json!({ "exclusion": { "holder": holder, "at": place(at) } }),
        Step::Owner { satisfies } => json!({ "owner": { "satisfies": satisfies } }),
    }
}

fn change(change: &Change) -> Value {
    match change {
        Change::ActivateSubject => json!("activate_subject"),
        Change::ListResource => json!("list_resource"),
        Change::ActivateResource => json!("activate_resource"),
        Change::RemoveExclusion { holder, at } => {
            json!({ "remove_exclusion": { "holder": holder, "at": place(at) } })
        }
        Change::Grant { at, or_role } => json!({ "grant": { "at": place(at), "or_role": or_role } }),
    }
}
