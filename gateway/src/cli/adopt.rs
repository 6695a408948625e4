//! `postern adopt`

use super::{CliError, Session};
use crate::adopt::{self, AdoptError, Checked, Compared, Meter, Plan};
use crate::clock::now_micros;
use crate::config::DatabaseArgs;
use crate::store::adopt::source::Source;
use clap::Args;
use serde_json::json;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

/// Map an existing database into facts
#[derive(Clone, Debug, Args)]
pub struct AdoptArgs {
    /// The plan: which queries, and what their rows become (docs/adopting.md)
    #[arg(value_name = "PLAN.toml")]
    pub plan: PathBuf,

    /// Postgres that is read; nothing is written there
    #[arg(
        long,
        env = "POSTERN_SOURCE_URL",
        hide_env_values = true,
        value_name = "URL",
        required_unless_present = "revert"
    )]
    pub source: Option<String>,

    /// Show what would be made, with samples; write nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Compare the facts with the source, and decisions with the plan's checks; write nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub verify: bool,

    /// Delete the facts that this plan made and nobody has changed since
    #[arg(long, conflicts_with_all = ["dry_run", "verify"])]
    pub revert: bool,

    /// Rows of the source in one transaction
    #[arg(long, default_value_t = 4000, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "ROWS")]
    pub batch: u32,

    #[command(flatten)]
    #[allow(missing_docs, reason = "the flags have their own")]
    pub database: DatabaseArgs,
}

/// Runs a plan, and prints what it did as a line of JSON. The progress goes to the standard error.
pub async fn adopt(args: AdoptArgs) -> Result<(), CliError> {
    let file = args.plan.display().to_string();
    let text = std::fs::read_to_string(&args.plan)
        .map_err(|error| CliError::Usage(format!("cannot read `{file}`: {error}")))?;
    // Read first: a bad plan needs no database.
    let named = |error: AdoptError| CliError::Adopt { file: file.clone(), error: Box::new(error) };
    let plan = Plan::parse(&text).map_err(|error| named(error.into()))?;
    let mut source = match &args.source {
        Some(url) if !args.revert => Some(Source::open(url).await.map_err(|error| CliError::Io {
            what: "cannot reach the source".to_owned(),
            source: io::Error::other(error.to_string()),
        })?),
        _ => None,
    };
    let mut session = Session::open(&args.database).await?;
    let done = match &mut source {
        Some(source) if args.dry_run || args.verify => compare(&plan, &args, &mut session, source).await,
        Some(source) => run(&plan, &args, &mut session, source).await,
        None => revert(&plan, &args, &mut session).await,
    };
    session.close().await;
    if let Some(source) = source {
        source.close().await;
    }
    match done.map_err(named)? {
        Outcome::Good => Ok(()),
        Outcome::Disagrees => Err(CliError::Disagrees { plan: plan.name }),
    }
}

enum Outcome {
    Good,
    Disagrees,
}

async fn run(
    plan: &Plan,
    args: &AdoptArgs,
    session: &mut Session,
    source: &mut Source,
) -> Result<Outcome, AdoptError> {
    let mut shown = Shown::default();
    let batch = args.batch as usize;
    let mut tell = |meter: &Meter| shown.show(meter);
    let done = adopt::adopt(plan, &mut session.connection, source, batch, &mut tell).await?;
    shown.end();
    let line = json!({
        "plan": plan.name,
        "organization": plan.organization,
        "revision": done.revision,
        "resumed": done.resumed,
        "rows": done.rows,
        "created": done.created,
        "kept": done.kept,
        "behind": done.behind,
    });
    writeln!(io::stdout(), "{line}")?;
    if done.behind > 0 {
        eprintln!(
            "the source grows while it is read: {} rows are to come. Run the plan again to read them",
            done.behind
        );
    }
    Ok(Outcome::Good)
}

async fn revert(plan: &Plan, args: &AdoptArgs, session: &mut Session) -> Result<Outcome, AdoptError> {
    let mut shown = Shown::default();
    let mut tell = |table: &str, deleted: u64| shown.line(&format!("{table}: {deleted} rows deleted so far"));
    let done = adopt::revert(plan, &mut session.connection, args.batch as usize, &mut tell).await?;
    shown.end();
    let line = json!({
        "plan": plan.name,
        "organization": plan.organization,
        "revision": done.revision,
        "deleted": done.deleted,
        "left": done.left,
        "others": done.others,
    });
    writeln!(io::stdout(), "{line}")?;
    if done.left > 0 {
        eprintln!(
            "{} facts stay, because facts that the plan did not make depend on them: delete those, and revert again",
            done.left
        );
    }
    if done.others > 0 {
        eprintln!(
            "{} facts that the plan made were changed or deleted since: they were not touched",
            done.others
        );
    }
    Ok(Outcome::Good)
}

async fn compare(
    plan: &Plan,
    args: &AdoptArgs,
    session: &mut Session,
    source: &mut Source,
) -> Result<Outcome, AdoptError> {
    let mut shown = Shown::default();
    let mut tell = |meter: &Meter| shown.show(meter);
    let batch = args.batch as usize;
    let compared = adopt::compare(plan, &mut session.connection, source, batch, &mut tell).await?;
    shown.end();
    let mut out = io::stdout().lock();
    for query in &compared {
        write_compared(&mut out, query, args.verify)?;
    }
    if args.dry_run {
        writeln!(out, "nothing was written")?;
        return Ok(Outcome::Good);
    }
    drop(out);
    let checked = adopt::decide(plan, &mut session.connection, source, now_micros()).await?;
    for check in &checked {
        write_checked(check)?;
    }
    let agree = compared.iter().all(Compared::agrees) && checked.iter().all(|check| check.disagree == 0);
    if agree {
        writeln!(io::stdout(), "the facts are what the source says")?;
    }
    Ok(if agree { Outcome::Good } else { Outcome::Disagrees })
}

fn write_compared(out: &mut impl Write, query: &Compared, verify: bool) -> io::Result<()> {
    writeln!(out, "query {}: {} rows, {} counted by the source", query.query, query.rows, query.counted)?;
    for rule in &query.rules {
        let there = rule.facts - rule.missing;
        write!(out, "  {}: {} facts", rule.rule, rule.facts)?;
        match verify {
            true => writeln!(
                out,
                ", {there} there ({} not made by this rule), {} missing, {} different, {} without a row in the source",
                rule.others, rule.missing, rule.differing, rule.without_source
            )?,
            false => writeln!(
                out,
                ", {} to be made, {there} there already, {} of them different",
                rule.missing, rule.differing
            )?,
        }
        // Before a run everything is missing, and what is there and differs is what stays as it is.
        for sample in if verify { &rule.faults } else { &rule.samples } {
            writeln!(out, "    {sample}")?;
        }
    }
    Ok(())
}

fn write_checked(check: &Checked) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "check {}: {} decisions, of which the source allows {}; {} disagree",
        check.check, check.decisions, check.allowed, check.disagree
    )?;
    for sample in &check.samples {
        writeln!(out, "    {sample}")?;
    }
    Ok(())
}

/// Microseconds between lines of progress: often where a line replaces the one before.
const OFTEN: i64 = 200_000;
const SELDOM: i64 = 2_000_000;

/// The progress on the standard error.
#[derive(Default)]
struct Shown {
    last: Option<i64>,
    wide: usize,
}

impl Shown {
    fn show(&mut self, meter: &Meter) -> io::Result<()> {
        let between = if io::stderr().is_terminal() { OFTEN } else { SELDOM };
        if !meter.is_done() && self.last.is_some_and(|last| meter.now() - last < between) {
            return Ok(());
        }
        self.last = Some(meter.now());
        self.line(&meter.to_string())
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stderr().lock();
        if out.is_terminal() {
            write!(out, "\r{text:<wide$}", wide = self.wide)?;
            self.wide = text.chars().count();
            return out.flush();
        }
        writeln!(out, "{text}")
    }

    fn end(&self) {
        if self.wide > 0 {
            eprintln!();
        }
    }
}
