//! The agent: beside an application or a proxy, it holds the organization's snapshot and answers from memory.
//!
//! ```text
//! gateway --stream, statements--> follow --verified--> Holder --> AuthZEN, forward-auth
//!                                                        |
//!                                                      disk: what it starts from when the gateway is away
//! ```
//!
//! - [`config`]: every setting
//! - [`holder`]: what is in force, and how old
//! - `events`, `follow`, `client`: how it is kept current
//! - `disk`: how it survives a restart
//! - [`routes`]: which permission a path needs
//! - `server`: the paths; `forward`, `envoy`: what proxies ask
//!
//! *Invariant:* nothing is decided on bytes that no valid statement names, and nothing past a statement's validity
//! (`docs/statements.md`). Decisions are the resolver's; there is no rule here.

#![forbid(unsafe_code)]

mod client;
pub mod config;
mod disk;
mod envoy;
mod events;
mod follow;
mod forward;
pub mod holder;
mod problem;
pub mod routes;
mod server;

use config::{Config, EdgeArgs};
use holder::Holder;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// Why the agent does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeError {
    /// A file that it was given.
    #[error("{file}: {what}")]
    File {
        /// Which.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// The address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The system's certificates, for a gateway behind TLS.
    #[error("no certificates of this system can be read: {0}")]
    Certificates(std::io::Error),
    /// The server.
    #[error("the server stopped: {0}")]
    Server(std::io::Error),
}

/// An agent that listens.
pub struct Agent {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<Result<(), std::io::Error>>,
    follower: tokio::task::JoinHandle<()>,
    holder: Arc<Holder>,
}

impl Agent {
    /// Takes what is on the disk, begins to listen and to follow the gateway. Whether the gateway answers does not matter.
    ///
    /// # Errors
    /// An address that is taken, or no certificates.
    pub async fn start(config: Config) -> Result<Agent, EdgeError> {
        let refused = |source| EdgeError::Listen { address: config.listen, source };
        let listener = tokio::net::TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let client = client::Client::new(&config).map_err(EdgeError::Certificates)?;
        let config = Arc::new(config);
        let holder = Arc::new(Holder::new(config.organization.clone()));
        let mut follower = follow::Follower::new(config.clone(), holder.clone(), client);
        follower.take_from_disk().await;
        let (stop, mut stopping) = watch::channel(false);
        let router = server::router(config, holder.clone());
        let server = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service)
                .with_graceful_shutdown(async move {
                    // An error is the sender's end, which is an end too.
                    let _ = stopping.wait_for(|stopping| *stopping).await;
                })
                .await
        });
        let follower = tokio::spawn(async move { follower.run().await });
        Ok(Agent { address, stop, server, follower, holder })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it holds.
    pub fn holder(&self) -> &Arc<Holder> {
        &self.holder
    }

    /// Finishes requests and stops.
    ///
    /// # Errors
    /// What the server ended with.
    pub async fn stop(self) -> Result<(), EdgeError> {
        self.stop.send_replace(true);
        self.follower.abort();
        match self.server.await {
            Ok(ended) => ended.map_err(EdgeError::Server),
            Err(error) => Err(EdgeError::Server(std::io::Error::other(error))),
        }
    }
}

/// Runs the agent until it is told to end (SIGINT, SIGTERM). Prints one line when it listens; the log goes to the
/// standard error, as verbose as `RUST_LOG` says.
///
/// # Errors
/// See [`EdgeError`].
pub async fn edge(args: EdgeArgs) -> Result<(), EdgeError> {
    use std::io::{IsTerminal as _, Write as _};
    use tokio::signal::unix::{SignalKind, signal};
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A caller that logs already keeps its own way.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
    let config = args.config()?;
    let listen = |kind| signal(kind).map_err(EdgeError::Server);
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let agent = Agent::start(config).await?;
    // A closed standard output is no reason to end.
    let _ = writeln!(std::io::stdout(), "listening on http://{}", agent.address());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    agent.stop().await
}
