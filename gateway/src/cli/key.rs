//! `postern key create`

use super::{CliError, Session, secret};
use crate::access::{KEY_PREFIX, key_digest};
use crate::config::{DatabaseArgs, duration};
use crate::store::credentials::{NewApiKey, create_api_key};
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
}

/// Makes a key.
pub async fn key(args: KeyArgs) -> Result<(), CliError> {
    let KeyCommand::Create { organization, name, write, subject, ttl, database } = args.command;
    if let Some(subject) = subject.as_deref().filter(|subject| !valid_subject(subject)) {
        let message = format!("`{subject}` cannot ask: write <type>:<id>, with an id that names one subject");
        return Err(CliError::Usage(message));
    }
    let key = format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret()?));
    let prefix = &key[..KEY_PREFIX.len() + 6];
    let mut session = Session::open(&database).await?;
    let made = create_api_key(
        &mut session.connection,
        &NewApiKey {
            organization: &organization,
            name: &name,
            prefix,
            digest: &key_digest(&key),
            can_write: write,
            subject: subject.as_deref(),
            ttl_seconds: ttl.map(|ttl| i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)),
        },
    )
    .await;
    session.close().await;
    made?.ok_or_else(|| CliError::no_organization(&organization))?;
    println!("{key}");
    Ok(())
}
