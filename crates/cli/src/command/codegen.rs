//! `postern codegen`: the names of a catalog as code, so that a wrong one does not compile.

use super::gateway::{self, Failure};
use crate::codegen::{Lang, generate};
use crate::output;
use anyhow::Context as _;
use postern_gateway::cli::{CatalogNames, DatabaseArgs, catalog};
use postern_world::World;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// LIMIT: characters that are shown of a line.
const SHOWN_MAX: usize = 80;

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("from").required(true).args(["world", "organization"]))]
pub(crate) struct Args {
    /// The language.
    #[arg(long, value_enum)]
    lang: Lang,
    /// World document that has the catalog.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Organization whose catalog is read from the database.
    #[arg(long, value_name = "ID")]
    organization: Option<String>,
    /// File to write; the standard output without it.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write nothing: end with 1 unless FILE is what would be written.
    #[arg(long, requires = "output")]
    check: bool,
    /// Package whose functions take only what the catalog has, for TypeScript: the one that the program depends on.
    #[arg(long, value_name = "NAME", default_value = "@postern/client")]
    package: String,
    #[command(flatten)]
    database: DatabaseArgs,
}

impl Args {
    pub fn run(self) -> anyhow::Result<()> {
        let (names, from) = match (&self.world, &self.organization) {
            (Some(file), _) => (names_of(World::read_file(file)?), file.display().to_string()),
            (None, organization) => {
                let organization = organization.as_deref().unwrap_or_default();
                let names = gateway::run(catalog(&self.database, organization))?;
                (names, format!("organization `{organization}`"))
            }
        };
        let text = generate(self.lang, names, &self.package).context(from)?;
        match &self.output {
            Some(file) if self.check => check(file, &text),
            Some(file) => output::write_file(file, text.as_bytes()),
            None => Ok(std::io::stdout().lock().write_all(text.as_bytes())?),
        }
    }
}

fn names_of(world: World) -> CatalogNames {
    let permissions = world.catalog.permissions.into_iter();
    CatalogNames {
        types: world.catalog.types.into_keys().collect(),
        permissions: permissions.map(|(key, permission)| (key, permission.description)).collect(),
    }
}

/// Says where a file is not what would be written.
fn check(file: &Path, text: &str) -> anyhow::Result<()> {
    let stale = |what: String| {
        let message = format!("{}: {what}; run `postern codegen` without --check", file.display());
        Err(Failure { exit_code: 1, message }.into())
    };
    let found = match std::fs::read_to_string(file) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return stale("is not there".to_owned()),
        Err(error) => return Err(error).with_context(|| format!("{}: cannot read", file.display())),
    };
    if found == text {
        return Ok(());
    }
    let line = found.split('\n').zip(text.split('\n')).take_while(|(found, wanted)| found == wanted).count();
    match text.split('\n').nth(line) {
        Some(wanted) => {
            let wanted: String = wanted.trim().chars().take(SHOWN_MAX).collect();
            stale(format!("line {} is not what the catalog gives: `{wanted}`", line + 1))
        }
        None => stale("has more than the catalog gives".to_owned()),
    }
}
