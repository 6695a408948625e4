//! `postern dev-issuer`

use super::CliError;
use clap::Args;
use postern_issuers::dev::{DevIssuer, DevIssuerError};
use std::net::SocketAddr;

/// Run an issuer of tokens (OpenID Connect) for trying things out: whoever asks it gets one
#[derive(Clone, Debug, Args)]
pub struct DevIssuerArgs {
    /// Address to listen on, of loopback; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8099", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,

    /// What its tokens are for
    #[arg(long, default_value = "postern", value_name = "TEXT")]
    pub audience: String,
}

/// Runs until it is ended. Prints how to trust it, and how to ask it.
pub async fn dev_issuer(args: DevIssuerArgs) -> Result<(), CliError> {
    let issuer = DevIssuer::start(args.listen, &args.audience).await.map_err(|error| match error {
        DevIssuerError::Listen(address, source) => {
            CliError::Io { what: format!("cannot listen on {address}"), source }
        }
        error => CliError::Usage(error.to_string()),
    })?;
    // A text is written in TOML as it is in JSON.
    let (url, audience) = (&issuer.issuer, serde_json::Value::from(args.audience.as_str()));
    println!(
        "# postern serve --issuers FILE\n[[issuer]]\nissuer = \"{url}\"\naudience = {audience}\norganization = \"acme\"\n\n\
         # curl -s {url}/token -d '{{\"sub\": \"ann\"}}'"
    );
    issuer.run().await;
    Ok(())
}
