//! `postern key`

use super::{CliError, Session, secret};
use crate::access::{INSTALLATION_KEY_PREFIX, KEY_PREFIX, key_digest};
use crate::config::{DatabaseArgs, duration};
use crate::store::credentials::{
    ListedKey, NewApiKey, api_keys, create_api_key, replace_api_key, revoke_api_key,
};
use crate::store::{heads, installation_keys};
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
        #[arg(long, value_name = "ID", required_unless_present = "installation")]
        organization: Option<String>,

        /// A key of the whole installation instead: it makes organizations, and manages each as its operator
        #[arg(long, conflicts_with_all = ["organization", "subject"])]
        installation: bool,

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
        #[arg(long, value_name = "ID", required_unless_present = "installation")]
        organization: Option<String>,

        /// Those of the whole installation instead
        #[arg(long, conflicts_with = "organization")]
        installation: bool,

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
        #[arg(long, value_name = "ID", required_unless_present = "installation")]
        organization: Option<String>,

        /// Those of the whole installation instead
        #[arg(long, conflicts_with = "organization")]
        installation: bool,

        /// The first characters of the key, as `key list` shows them
        prefix: String,

        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Makes, lists, replaces or ends keys.
pub async fn key(args: KeyArgs) -> Result<(), CliError> {
    match args.command {
        KeyCommand::Create { organization: None, name, write, ttl, database, .. } => {
            let key = FreshKey::new(INSTALLATION_KEY_PREFIX)?;
            let mut session = Session::open(&database).await?;
            let new = (key.prefix(), &key_digest(&key.secret));
            let ttl = ttl.map(seconds);
            let made = installation_keys::create(&mut session.connection, &name, new, write, ttl).await;
            session.close().await;
            made?;
            println!("{}", key.secret);
        }
        KeyCommand::Create {
            organization: Some(organization), name, write, subject, ttl, database, ..
        } => {
            if let Some(subject) = subject.as_deref().filter(|subject| !valid_subject(subject)) {
                let message =
                    format!("`{subject}` cannot ask: write <type>:<id>, with an id that names one subject");
                return Err(CliError::Usage(message));
            }
            let key = FreshKey::new(KEY_PREFIX)?;
            let mut session = Session::open(&database).await?;
            let made = create_api_key(
                &mut session.connection,
                &NewApiKey {
                    organization: &organization,
                    name: &name,
                    prefix: key.prefix(),
                    digest: &key_digest(&key.secret),
                    can_write: write,
                    subject: subject.as_deref(),
                    ttl_seconds: ttl.map(seconds),
                },
            )
            .await;
            session.close().await;
            made?.ok_or_else(|| CliError::no_organization(&organization))?;
            println!("{}", key.secret);
        }
        KeyCommand::List { organization: None, database, .. } => {
            let mut session = Session::open(&database).await?;
            let listed = installation_keys::list(&mut session.connection).await;
            session.close().await;
            listed?.iter().for_each(print);
        }
        KeyCommand::List { organization: Some(organization), database, .. } => {
            let mut session = Session::open(&database).await?;
            let listed = api_keys(&mut session.connection, &organization).await;
            let exists = heads::revision(&mut session.connection, &organization).await;
            session.close().await;
            exists?.ok_or_else(|| CliError::no_organization(&organization))?;
            listed?.iter().for_each(print);
        }
        KeyCommand::Rotate { organization, prefix, overlap, database } => {
            let key = FreshKey::new(KEY_PREFIX)?;
            let mut session = Session::open(&database).await?;
            let new = (key.prefix(), &key_digest(&key.secret));
            let connection = &mut session.connection;
            let made = replace_api_key(connection, &organization, &prefix, new, seconds(overlap)).await;
            session.close().await;
            made?.ok_or_else(|| no_key(&organization, &prefix))?;
            println!("{}", key.secret);
        }
        KeyCommand::Revoke { organization, prefix, database, .. } => {
            let mut session = Session::open(&database).await?;
            let connection = &mut session.connection;
            let ended = match &organization {
                Some(organization) => revoke_api_key(connection, organization, &prefix).await,
                None => installation_keys::revoke(connection, &prefix).await,
            };
            session.close().await;
            if ended? == 0 {
                return Err(match organization {
                    Some(organization) => no_key(&organization, &prefix),
                    None => CliError::Usage(format!(
                        "the installation has no key in force that begins with `{prefix}`; `postern key list --installation` \
                         shows them"
                    )),
                });
            }
        }
    }
    Ok(())
}

/// One key, as a line.
fn print(key: &ListedKey) {
    let state = match (&key.revoked_at, &key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) if key.in_force => format!("ends {at}"),
        (None, Some(at)) => format!("ended {at}"),
        (None, None) => "in force".to_owned(),
    };
    let may = if key.can_write { "writes" } else { "reads" };
    let of = key.subject.as_ref().map_or(String::new(), |subject| format!(" as {subject}"));
    println!("{}  made {}  {state}  {may}{of}  {}", key.prefix, key.created_at, key.name);
}

/// A key that nobody has seen.
struct FreshKey {
    secret: String,
    kind: &'static str,
}

impl FreshKey {
    fn new(kind: &'static str) -> Result<Self, CliError> {
        Ok(FreshKey { secret: format!("{kind}{}", URL_SAFE_NO_PAD.encode(secret()?)), kind })
    }

    /// What it is recognised by.
    fn prefix(&self) -> &str {
        &self.secret[..self.kind.len() + 6]
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
