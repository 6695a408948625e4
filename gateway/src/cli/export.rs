//! `postern world export`

use super::document::Document;
use super::{CliError, Session};
use crate::config::DatabaseArgs;
use crate::store::{StoreError, facts};
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Write an organization's facts as a world document
#[derive(Clone, Debug, Args)]
pub struct WorldExportArgs {
    /// The organization's id
    #[arg(long, value_name = "ID")]
    pub organization: String,

    /// File to write; the standard output without it
    #[arg(short, long, value_name = "WORLD.json")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "the flags have their own")]
    pub database: DatabaseArgs,
}

/// Exports an organization as it is at one moment, in memory that does not grow with it.
pub async fn world_export(args: WorldExportArgs) -> Result<(), CliError> {
    let mut session = Session::open(&args.database).await?;
    let result = write(&mut session, &args).await;
    session.close().await;
    result
}

async fn write(session: &mut Session, args: &WorldExportArgs) -> Result<(), CliError> {
    let Some(file) = &args.output else {
        let mut document = Document::new(BufWriter::with_capacity(1 << 20, std::io::stdout()));
        facts::read(&mut session.connection, &args.organization, &mut document)
            .await?
            .ok_or_else(|| CliError::no_organization(&args.organization))?;
        return document
            .finish()
            .and_then(|mut out| out.flush())
            .map_err(refused(Path::new("standard output")));
    };
    // Under another name until it is whole: a reader never sees half of a document, nor loses the one before.
    let mut unfinished = file.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let out = BufWriter::with_capacity(1 << 20, File::create(&unfinished).map_err(refused(&unfinished))?);
    let mut document = Document::new(out);
    let read = facts::read(&mut session.connection, &args.organization, &mut document).await;
    let written = match read {
        Ok(Some(_)) => document.finish().and_then(|mut out| out.flush()).map_err(refused(&unfinished)),
        Ok(None) => Err(CliError::no_organization(&args.organization)),
        Err(StoreError::Sink(source)) => Err(refused(&unfinished)(source)),
        Err(error) => Err(error.into()),
    };
    let moved = written.and_then(|()| std::fs::rename(&unfinished, file).map_err(refused(file)));
    if moved.is_err() {
        // The error that made it useless is the one to report.
        let _ = std::fs::remove_file(&unfinished);
    }
    moved
}

fn refused(path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    let what = format!("cannot write `{}`", path.display());
    |source| CliError::Io { what, source }
}
