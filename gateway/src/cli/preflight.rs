//! `postern preflight`

use super::{CliError, Session};
use crate::config::DatabaseArgs;
use crate::publish::{PublishError, compile};
use crate::store::preflight::{self, Finding, Level, Preflight};
use clap::Args;
use postern_world::World;
use serde_json::json;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

/// Say what an organization lacks before its decisions can be relied on
#[derive(Clone, Debug, Args)]
pub struct PreflightArgs {
    /// The organization's id
    #[arg(long, value_name = "ID")]
    pub organization: String,

    /// What the code knows, as for `postern serve`: compared with what the organization knows
    #[arg(long, value_name = "WORLD.json")]
    pub catalog: Option<PathBuf>,

    /// Print a line of JSON for each finding
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs, reason = "the flags have their own")]
    pub database: DatabaseArgs,
}

/// Makes the checks, and compiles the organization. Writes nothing to the database but its schema, where that is not up to
/// date. Fails where something is missing; warnings are told only.
pub async fn preflight(args: PreflightArgs) -> Result<(), CliError> {
    let catalog = args.catalog.as_deref().map(World::read_file).transpose()?;
    let mut session = Session::open(&args.database).await?;
    let looked = look(&mut session, &args.organization, catalog.as_ref()).await;
    session.close().await;
    let (found, compiled) = looked?;
    let said = |source| CliError::Io { what: "the standard output".to_owned(), source };
    tell(&args, &found, compiled).map_err(said)?;
    match found.findings.iter().filter(|finding| finding.level == Level::Missing).count() {
        0 => Ok(()),
        missing => Err(CliError::NotReady { organization: args.organization, missing }),
    }
}

/// Bytes of the snapshot, and seconds that it took.
type Compiled = Option<(usize, f64)>;

async fn look(
    session: &mut Session,
    organization: &str,
    catalog: Option<&World>,
) -> Result<(Preflight, Compiled), CliError> {
    let roles: Vec<String> =
        catalog.iter().flat_map(|world| &world.roles).map(|role| role.id.clone()).collect();
    let known = catalog.map(|world| (&world.catalog, &roles[..]));
    let found = preflight::look(&mut session.connection, organization, known).await?;
    let mut found = found.ok_or_else(|| CliError::no_organization(organization))?;
    let start = Instant::now();
    found.checks += 1;
    let why = match compile(&mut session.connection, organization, &mut None).await {
        Ok(Some(state)) => {
            return Ok((found, Some((state.snapshot.bytes.len(), start.elapsed().as_secs_f64()))));
        }
        Ok(None) => return Err(CliError::no_organization(organization)),
        Err(PublishError::Store(error)) => return Err(error.into()),
        Err(error) => error.to_string(),
    };
    found.findings.push(Finding {
        check: "snapshot",
        level: Level::Missing,
        count: 1,
        examples: vec![why],
        what: "the facts do not make a snapshot",
        fix: "see the message; the limits are in docs/snapshot-format.md",
    });
    Ok((found, None))
}

fn tell(args: &PreflightArgs, found: &Preflight, compiled: Compiled) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for Finding { check, level, count, examples, what, fix } in &found.findings {
        if args.json {
            let line = json!({"check": check, "level": level.name(), "count": count, "examples": examples,
                "what": what, "fix": fix});
            writeln!(out, "{line}")?;
            continue;
        }
        let more = match usize::try_from(*count).unwrap_or(usize::MAX) - examples.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        writeln!(
            out,
            "{:<8} {check}: {what}\n         {}{more}\n         {fix}",
            level.name(),
            examples.join(", ")
        )?;
    }
    let good = found.checks - found.findings.len();
    if args.json {
        let bytes = compiled.map(|(bytes, _)| bytes);
        let line = json!({"organization": args.organization, "revision": found.revision.to_string(),
            "ready": found.is_ready(), "checks": found.checks, "good": good, "snapshot_bytes": bytes});
        return writeln!(out, "{line}");
    }
    if let Some((bytes, seconds)) = compiled {
        writeln!(
            out,
            "the snapshot of revision {} has {bytes} bytes, compiled in {seconds:.2} s",
            found.revision
        )?;
    }
    writeln!(out, "{good} of {} checks found nothing", found.checks)
}
