//! `postern token`

use super::{CliError, Session, secret};
use crate::clock::now_seconds;
use crate::config::{DatabaseArgs, duration};
use crate::store::credentials::signing_key_for;
use crate::token::{TTL_MAX, issue, valid_subject};
use clap::Args;
use std::time::Duration;

/// Issue a subject's token
#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    /// The subject's organization
    #[arg(long, value_name = "ID")]
    pub organization: String,

    /// Who the bearer is: <type>:<id>
    #[arg(long, value_name = "SUBJECT")]
    pub subject: String,

    /// How long it is good: 90s, 15m, 8h; at most 24h
    #[arg(long, default_value = "15m", value_parser = duration, value_name = "TIME")]
    pub ttl: Duration,

    #[command(flatten)]
    #[allow(missing_docs, reason = "the flags have their own")]
    pub database: DatabaseArgs,
}

/// Issues a token with the organization's newest signing key, and prints it.
pub async fn token(args: TokenArgs) -> Result<(), CliError> {
    if !valid_subject(&args.subject) {
        let message =
            format!("`{}` cannot ask: write <type>:<id>, with an id that names one subject", args.subject);
        return Err(CliError::Usage(message));
    }
    if args.ttl > TTL_MAX {
        return Err(CliError::Usage("a token is good for at most 24h".to_owned()));
    }
    let mut session = Session::open(&args.database).await?;
    let key = signing_key_for(&mut session.connection, &args.organization, &secret()?).await;
    session.close().await;
    let key = key?.ok_or_else(|| CliError::no_organization(&args.organization))?;
    let token = issue(&key, &args.subject, now_seconds(), args.ttl)
        .map_err(|error| CliError::Usage(format!("the token could not be signed: {error}")))?;
    println!("{token}");
    Ok(())
}
