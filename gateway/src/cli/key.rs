//! `postern key create`

use super::{CliError, Session, secret};
use crate::access::{KEY_PREFIX, key_digest};
use crate::config::DatabaseArgs;
use crate::store::credentials::create_api_key;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};

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

        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Makes a key.
pub async fn key(args: KeyArgs) -> Result<(), CliError> {
    let KeyCommand::Create { organization, name, database } = args.command;
    let key = format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret()?));
    let prefix = &key[..KEY_PREFIX.len() + 6];
    let mut session = Session::open(&database).await?;
    let made = create_api_key(&mut session.connection, &organization, &name, prefix, &key_digest(&key)).await;
    session.close().await;
    made?.ok_or_else(|| CliError::no_organization(&organization))?;
    println!("{key}");
    Ok(())
}
