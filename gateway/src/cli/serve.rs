//! `postern serve`

use super::CliError;
use crate::app::Gateway;
use crate::config::{LogFormat, ServeArgs};
use crate::embedded::Server;
use std::io::{IsTerminal, Write};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Runs the gateway until it is told to end (SIGINT, SIGTERM). Prints one line when it listens; the log goes to the
/// standard error, as verbose as `RUST_LOG` says.
pub async fn serve(args: ServeArgs) -> Result<(), CliError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    // A caller that logs already keeps its own way.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match args.log_format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).try_init(),
    };
    // Heard from the start: a Postgres that is being started is stopped in order.
    let listen = |kind| signal(kind).map_err(|source| CliError::Io { what: "signals".to_owned(), source });
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);

    let config = args.config()?;
    let (url, embedded) = match &args.database.database_url {
        Some(url) => (url.clone(), None),
        None => {
            let server = Server::start(&args.database.embedded()).await?;
            tracing::info!(folder = %args.database.data_dir.display(), "no DATABASE_URL: running a Postgres of our own");
            (server.url().to_owned(), Some(server))
        }
    };
    let result = async {
        let gateway = Gateway::start(config, &url).await?;
        // A closed standard output is no reason to end.
        let _ = writeln!(std::io::stdout(), "listening on http://{}", gateway.address());
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        gateway.stop().await
    }
    .await;
    if let Some(server) = embedded {
        server.stop().await;
    }
    Ok(result?)
}
