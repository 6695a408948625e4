//! `postern statement-key`

use super::{CliError, Session};
use crate::config::{DatabaseArgs, duration};
use crate::statements::FreshKey;
use crate::store::statement_keys;
use clap::{Args, Subcommand};
use std::time::Duration;

/// From being published to signing: verifiers keep the set of keys for five minutes.
const SIGNS_AFTER: Duration = Duration::from_secs(10 * 60);

/// Manage the keys that snapshots and slices are signed with
#[derive(Clone, Debug, Args)]
pub struct StatementKeyArgs {
    #[command(subcommand)]
    command: StatementKeyCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum StatementKeyCommand {
    /// Make a key, which signs in ten minutes, when every verifier has it, and withdraw the others afterwards
    Rotate {
        /// How long the others are still published after that: 90s, 15m, 24h
        #[arg(long, default_value = "24h", value_parser = duration, value_name = "TIME")]
        overlap: Duration,

        /// For a key that leaked: the new one signs at once, and the others are withdrawn at once
        #[arg(long, conflicts_with = "overlap")]
        now: bool,

        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Print the keys that are published, the one that signs first
    List {
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Rotates or lists the keys.
pub async fn statement_key(args: StatementKeyArgs) -> Result<(), CliError> {
    match args.command {
        StatementKeyCommand::Rotate { overlap, now, database } => {
            let fresh = FreshKey::new().map_err(|source| CliError::Io {
                what: "the operating system gives no random bytes".to_owned(),
                source,
            })?;
            let (signs_after, overlap) =
                if now { (Duration::ZERO, Duration::ZERO) } else { (SIGNS_AFTER, overlap) };
            let mut session = Session::open(&database).await?;
            let made =
                statement_keys::rotate(&mut session.connection, &fresh.id, &fresh.seed, signs_after, overlap)
                    .await;
            session.close().await;
            made?;
            println!("{}", fresh.id);
        }
        StatementKeyCommand::List { database } => {
            let mut session = Session::open(&database).await?;
            let keys = statement_keys::read(&mut session.connection).await;
            session.close().await;
            for (place, key) in keys?.iter().enumerate() {
                let state = match (place, key.signs_in) {
                    (_, wait) if wait > 0 => format!("signs in {wait} s"),
                    (0, _) => "signs".to_owned(),
                    _ => "signed before".to_owned(),
                };
                let end = key.withdrawn_in.map_or(String::new(), |wait| format!(", withdrawn in {wait} s"));
                println!("{}  made {}  {state}{end}", key.id, key.created_at);
            }
        }
    }
    Ok(())
}
