//! The running gateway: what its parts share, how it starts and how it ends.

use crate::access::Access;
use crate::config::{Config, Which};
use crate::decisions::database::{Keeper, forget};
use crate::decisions::{self, DecisionLog};
use crate::limits::Limits;
use crate::manage::builtins::Builtins;
use crate::metrics::{self, Metrics};
use crate::publish::Publisher;
use crate::statements::Statements;
use crate::store::{self, Pool, StoreError};
use crate::traces::Traces;
use crate::vault::Vault;
use crate::vault::file::KeysFileError;
use crate::webhooks::Webhooks;
use axum::serve::ListenerExt;
use postern_issuers::Issuers;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a request waits for a connection to the database.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);
/// After streams were told to end, and before connections are dropped.
const DRAIN: Duration = Duration::from_secs(10);

/// What requests share.
pub struct App {
    /// The settings.
    pub config: Config,
    /// Where callers reach it.
    pub public_url: String,
    /// Tells it from other gateways on the same database, and from itself before it was started again.
    pub instance: String,
    /// What is built in.
    pub builtins: Builtins,
    /// Connections to the database, for writes and lists.
    pub pool: Pool,
    /// The states.
    pub publisher: Arc<Publisher>,
    /// What is measured.
    pub metrics: Arc<Metrics>,
    /// How much at once.
    pub limits: Limits,
    /// What keeps decisions, if they are kept.
    pub decision_log: Option<Arc<DecisionLog>>,
    /// What encrypts the values of secrets, if any are kept.
    pub vault: Option<Arc<Vault>>,
    /// Where spans are sent, if anywhere.
    pub traces: Option<Arc<Traces>>,
    /// What signs.
    pub statements: Arc<Statements>,
    /// The credentials.
    pub access: Access,
    /// Becomes true when the gateway is told to end.
    pub stopping: watch::Receiver<bool>,
}

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The certificates with which other issuers are asked.
    #[error("--issuers: {0}")]
    Issuers(std::io::Error),
    /// The certificates with which webhooks are told.
    #[error("--webhook-to: {0}")]
    Webhooks(std::io::Error),
    /// The collector of traces.
    #[error("--otlp-endpoint: {0}")]
    Traces(std::io::Error),
    /// The thread of the decision log.
    #[error("the decision log cannot begin: {0}")]
    DecisionLog(std::io::Error),
    /// The file of built-in roles.
    #[error("--catalog: {0}")]
    Catalog(String),
    /// The file of the vault's keys.
    #[error("--vault-keys: {0}")]
    VaultKeys(#[from] KeysFileError),
    /// The folder of a web page.
    #[error("`{folder}` ({flag}) has no index.html")]
    WebPage {
        /// What named it.
        flag: &'static str,
        /// The folder.
        folder: std::path::PathBuf,
    },
    /// The server.
    #[error("the server stopped: {0}")]
    Server(std::io::Error),
}

/// A gateway that listens.
pub struct Gateway {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<Result<(), std::io::Error>>,
    watchers: Vec<tokio::task::JoinHandle<()>>,
    metrics_address: Option<SocketAddr>,
    metrics_server: Option<tokio::task::JoinHandle<()>>,
    /// Ends when the last decision is kept.
    keeping: Option<tokio::task::JoinHandle<()>>,
    traces: Option<Arc<Traces>>,
}

impl Gateway {
    /// Brings the schema up to date and begins to listen.
    pub async fn start(config: Config, database_url: &str) -> Result<Gateway, ServeError> {
        for (flag, folder) in [("--static", &config.web_page), ("--console", &config.console)] {
            if let Some(folder) = folder
                && !folder.join("index.html").is_file()
            {
                return Err(ServeError::WebPage { flag, folder: folder.clone() });
            }
        }
        let vault = config.vault_keys.clone().map(Vault::open).transpose()?.map(Arc::new);
        let listener = TcpListener::bind(config.listen).await;
        let refused = |source| ServeError::Listen { address: config.listen, source };
        let listener = listener.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let metrics_listener = match config.metrics_listen {
            Some(address) => {
                let refused = |source| ServeError::Listen { address, source };
                let listener = TcpListener::bind(address).await.map_err(refused)?;
                Some((listener.local_addr().map_err(refused)?, listener))
            }
            None => None,
        };

        store::migrate(database_url).await?;
        let builtins = Builtins::new(config.catalog.clone()).map_err(ServeError::Catalog)?;
        let mut connection = store::connect(database_url).await?;
        let reconciled = builtins.reconcile(&mut connection).await?;
        if reconciled.roles > 0 {
            tracing::info!(
                reconciled.organizations,
                reconciled.roles,
                "built-in roles were made or repaired"
            );
        }
        let statements = Statements::start(&mut connection, config.stale_after).await?;
        let pool = Pool::new(database_url, config.connections, CONNECTION_WAIT)?;
        let metrics = Metrics::new();
        let settings = config.decision_log;
        let kept = settings.which != Which::Off && settings.to.is_database();
        let (keeper, keeping) = kept.then(|| Keeper::start(pool.clone(), metrics.clone())).unzip();
        let decision_log = DecisionLog::start(settings, metrics.clone(), move |decided| {
            if settings.to.is_log() {
                decisions::to_log(&decided);
            }
            if let Some(keeper) = &keeper {
                keeper.keep(decided);
            }
        });
        let decision_log = decision_log.map_err(ServeError::DecisionLog)?;
        let instance = uuid::Uuid::now_v7().to_string();
        let traces = config.otlp_endpoint.as_deref().map(|endpoint| Traces::start(endpoint, &instance));
        let traces = traces.transpose().map_err(ServeError::Traces)?;
        let publisher = Publisher::new(pool.clone(), metrics.clone(), traces.clone());
        let issuers = config.issuers.clone().map(Issuers::new).transpose().map_err(ServeError::Issuers)?;
        let issuers = issuers.map(Arc::new);
        let access = Access::new(pool.clone(), publisher.clone(), issuers.clone());
        let options = store::connect_options(database_url)?;
        let mut watchers = vec![
            tokio::spawn(publisher.clone().follow(options, config.poll)),
            tokio::spawn(statements.clone().follow_keys(pool.clone())),
        ];
        watchers.extend(vault.clone().map(|vault| tokio::spawn(vault.follow(pool.clone(), metrics.clone()))));
        if !config.webhook_targets.is_empty() {
            let webhooks = Webhooks::new(config.webhook_targets.clone(), pool.clone(), metrics.clone());
            watchers.push(tokio::spawn(webhooks.map_err(ServeError::Webhooks)?.follow()));
        }
        if kept {
            watchers.push(tokio::spawn(forget(pool.clone(), settings.keep)));
        }
        watchers.extend(issuers.map(|issuers| tokio::spawn(issuers.follow())));

        let metrics_address = metrics_listener.as_ref().map(|(address, _)| *address);
        let metrics_server = metrics_listener.map(|(_, listener)| {
            let router = metrics::router(metrics.clone(), publisher.clone());
            // It ends with the program: whoever measures wants to see how it ends.
            tokio::spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::error!(%error, "metrics are not served any more");
                }
            })
        });
        let (stop, stopping) = watch::channel(false);
        let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let limits = Limits::new(&config.limits);
        let app = Arc::new(App {
            limits,
            config,
            public_url,
            instance,
            builtins,
            pool,
            publisher,
            metrics,
            decision_log,
            vault,
            traces: traces.clone(),
            statements,
            access,
            stopping: stopping.clone(),
        });
        let router = crate::http::router(app);
        let mut told = stopping;
        let server = tokio::spawn(async move {
            // Small events must not wait for the acknowledgement of those before them.
            let listener = listener.tap_io(|stream| {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection may delay what is sent");
                }
            });
            // Made ready once: a router that is served as it is makes all its routes anew for each connection.
            axum::serve(listener, router.into_make_service())
                .with_graceful_shutdown(async move {
                    // An error is the sender's end, which is an end too.
                    let _ = told.wait_for(|stopping| *stopping).await;
                })
                .await
        });
        Ok(Gateway { address, metrics_address, stop, server, watchers, metrics_server, keeping, traces })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where Prometheus reads, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Ends streams, finishes requests, and stops.
    pub async fn stop(mut self) -> Result<(), ServeError> {
        self.stop.send_replace(true);
        let ended = tokio::time::timeout(DRAIN, &mut self.server).await;
        if let Some(keeping) = &mut self.keeping
            && tokio::time::timeout(DRAIN, keeping).await.is_err()
        {
            tracing::warn!("some decisions were not kept in time");
        }
        self.watchers.iter().chain(&self.metrics_server).for_each(tokio::task::JoinHandle::abort);
        if let Some(traces) = self.traces.take() {
            // It waits for its thread.
            let _ = tokio::task::spawn_blocking(move || traces.stop()).await;
        }
        match ended {
            Ok(Ok(result)) => result.map_err(ServeError::Server),
            Ok(Err(error)) => Err(ServeError::Server(std::io::Error::other(error))),
            Err(_) => {
                tracing::warn!("some connections did not end in time and are dropped");
                self.server.abort();
                Ok(())
            }
        }
    }
}
