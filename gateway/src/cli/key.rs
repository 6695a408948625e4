//! `postern key`

use super::{CliError, Session, secret};
use crate::access::{KEY_PREFIX, key_digest};
use crate::config::{DatabaseArgs, duration};
use crate::store::credentials::{NewApiKey, api_keys, create_api_key, replace_api_key, revoke_api_key};
use crate::store::heads;
use crate::token::valid_subject;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use std::time::Duration;

/// Manage the keys of enforcement points
#[derive(Clone, Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum KeyCommand {
    /// Make an API key and print it; it is not shown again
    Create {
        /// The organization whose snapshot the key may read
        #[arg(long, value_name = "ID")]
        organization: String,

        /// What the key is for
        #[arg(long, default_value = "", value_name = "TEXT")]
        name: String,

        /// Let it write in the management interface, not only read and ask
        #[arg(long)]
        write: bool,

        /// Give it the current rights of this subject, <type>:<id>, and no others; without it, it has all rights of the
        /// organization
        #[arg(long, value_name = "SUBJECT")]
        subject: Option<String>,

        /// How long it is good: 90s, 15m, 8h; without it until it is revoked
        #[arg(long, value_parser = duration, value_name = "TIME")]
        ttl: Option<Duration>,

        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Print the keys of an organization, the newest first
    List {
        /// The organization
        #[arg(long, value_name = "ID")]
        organization: String,

        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Make a key that may what another one may, print it, and end that one after a while
    Rotate {
        /// The organization
        #[arg(long, value_name = "ID")]
        organization: String,

        /// The first characters of the key, as `key list` shows them
        prefix: String,

        /// How long the other one still works: 90s, 15m, 8h
        #[arg(long, default_value = "24h", value_parser = duration, value_name = "TIME")]
        overlap: Duration,

        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// End a key at once
    Revoke {
        /// The organization
        #[arg(long, value_name = "ID")]
        organization: String,

        /// The first characters of the key, as `key list` shows them
        prefix: String,

        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Makes, lists, replaces or ends keys.
pub async fn key(args: KeyArgs) -> Result<(), CliError> {
    match args.command {
        KeyCommand::Create { organization, name, write, subject, ttl, database } => {
            if let Some(subject) = subject.as_deref().filter(|subject| !valid_subject(subject)) {
                let message =
                    format!("`{subject}` cannot ask: write <type>:<id>, with an id that names one subject");
                return Err(CliError::Usage(message));
            }
            let key = FreshKey::new()?;
            let mut session = Session::open(&database).await?;
            let made = create_api_key(
                &mut session.connection,
                &NewApiKey {
                    organization: &organization,
                    name: &name,
                    prefix: key.prefix(),
                    digest: &key_digest(&key.0),
                    can_write: write,
                    subject: subject.as_deref(),
                    ttl_seconds: ttl.map(seconds),
                },
            )
            .await;
            session.close().await;
            made?.ok_or_else(|| CliError::no_organization(&organization))?;
            println!("{}", key.0);
        }
        KeyCommand::List { organization, database } => {
            let mut session = Session::open(&database).await?;
            let listed = api_keys(&mut session.connection, &organization).await;
            let exists = heads::revision(&mut session.connection, &organization).await;
            session.close().await;
            exists?.ok_or_else(|| CliError::no_organization(&organization))?;
            for key in listed? {
                let state = match (&key.revoked_at, &key.expires_at) {
                    (Some(at), _) => format!("revoked {at}"),
                    (None, Some(at)) if key.in_force => format!("ends {at}"),
                    (None, Some(at)) => format!("ended {at}"),
                    (None, None) => "in force".to_owned(),
                };
                let may = if key.can_write { "writes" } else { "reads" };
                let of = key.subject.map_or(String::new(), |subject| format!(" as {subject}"));
                println!("{}  made {}  {state}  {may}{of}  {}", key.prefix, key.created_at, key.name);
            }
        }
        KeyCommand::Rotate { organization, prefix, overlap, database } => {
            let key = FreshKey::new()?;
            let mut session = Session::open(&database).await?;
            let new = (key.prefix(), &key_digest(&key.0));
            let connection = &mut session.connection;
            let made = replace_api_key(connection, &organization, &prefix, new, seconds(overlap)).await;
            session.close().await;
            made?.ok_or_else(|| no_key(&organization, &prefix))?;
            println!("{}", key.0);
        }
        KeyCommand::Revoke { organization, prefix, database } => {
            let mut session = Session::open(&database).await?;
            let ended = revoke_api_key(&mut session.connection, &organization, &prefix).await;
            session.close().await;
            if ended? == 0 {
                return Err(no_key(&organization, &prefix));
            }
        }
    }
    Ok(())
}

/// A key that nobody has seen.
struct FreshKey(String);

impl FreshKey {
    fn new() -> Result<Self, CliError> {
        Ok(FreshKey(format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret()?))))
    }

    /// What it is recognised by.
    fn prefix(&self) -> &str {
        &self.0[..KEY_PREFIX.len() + 6]
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn no_key(organization: &str, prefix: &str) -> CliError {
    CliError::Usage(format!(
        "organization `{organization}` has no key in force, or more than one, that begins with `{prefix}`; `postern key \
         list` shows them"
    ))
}
