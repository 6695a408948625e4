//! AuthZEN over HTTP: the gateway beside the path that it replaces, a service of the same framework that asks the same
//! Postgres three times for every decision.
//!
//! Everything runs in this process but Postgres, and everything shares the machine. Requests go over loopback.

mod load;
mod questions;
mod table;
mod three_queries;

use anyhow::{Context as _, Result};
use hyper::header::HeaderValue;
use load::Target;
use postern_gateway::access::{KEY_PREFIX, key_digest};
use postern_gateway::app::Gateway;
use postern_gateway::config::Config;
use postern_gateway::embedded::{Options, Server};
use postern_gateway::store;
use postern_gateway::store::credentials::{NewApiKey, create_api_key};
use postern_world::World;
use questions::{Asked, prepare};
use sqlx::Connection;
use std::sync::Arc;
use std::time::Duration;
use table::Measured;

const USERS: usize = 10_000;
const ORGANIZATION: &str = "workload";
/// Of the pool of each server.
const POOL: u32 = 10;
/// Of the clients.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// How long a path is measured in one turn. Short, so that the path beside it meets the same machine.
const LENGTH: Duration = Duration::from_millis(500);
/// Turns of each path in each round, for each number of connections.
const TURNS: usize = 4;

/// The whole measurement, as tables in Markdown.
pub(crate) fn run(rounds: usize) -> Result<String> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = std::env::temp_dir().join(format!("postern-bench-authzen-{}", std::process::id()));
    let options = Options {
        data_dir: folder.clone(),
        bin_dir: std::env::var_os("POSTERN_PG_BIN").map(Into::into),
        durable: false,
    };
    let result = runtime.block_on(with_postgres(&options, rounds));
    let _ = std::fs::remove_dir_all(folder);
    Ok(table::tables(USERS, &result?))
}

async fn with_postgres(options: &Options, rounds: usize) -> Result<Vec<Measured>> {
    let server = Server::start(options).await.context("the embedded Postgres")?;
    let result = with_servers(server.url(), rounds).await;
    server.stop().await;
    result
}

async fn with_servers(url: &str, rounds: usize) -> Result<Vec<Measured>> {
    let (world, asked) = prepare(USERS)?;
    // As long as a real one. The database is gone before anybody could use it.
    let key = format!("{KEY_PREFIX}{:043}", 0);
    fill(url, &world, &key).await?;
    let gateway = Gateway::start(config()?, url).await?;
    let replaced = three_queries::Running::start(url, POOL, &key, ORGANIZATION).await?;
    let mut paths = paths(&gateway, &replaced, &key, asked)?;
    let result = measure(&mut paths, rounds).await;
    replaced.stop().await;
    gateway.stop().await?;
    result.map(|()| paths)
}

/// Fills the database.
async fn fill(url: &str, world: &World, key: &str) -> Result<()> {
    store::migrate(url).await?;
    let mut connection = store::connect(url).await?;
    store::import::import(&mut connection, world, false).await?;
    let new = NewApiKey {
        organization: ORGANIZATION,
        name: "benchmark",
        prefix: &key[..18],
        digest: &key_digest(key),
        can_write: false,
        subject: None,
        ttl_seconds: None,
    };
    let made = create_api_key(&mut connection, &new).await?;
    made.context("the organization is gone")?;
    // As the server itself does soon after so many changes: a plan without statistics is nobody's measure.
    sqlx::query("VACUUM ANALYZE").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// The defaults of `postern serve`, on a port that is free.
fn config() -> Result<Config> {
    Ok(Config {
        listen: "127.0.0.1:0".parse()?,
        poll: Duration::from_millis(50),
        connections: POOL,
        allowed_origins: Vec::new(),
        default_organization: Some(ORGANIZATION.to_owned()),
        catalog: World::default(),
        public_url: None,
        mapping: Default::default(),
        stale_after: Duration::from_secs(60),
        metrics_listen: None,
        shared_caches: false,
        decision_log: Default::default(),
        otlp_endpoint: None,
        limits: Default::default(),
        issuers: None,
        web_page: None,
        vault_keys: None,
        webhook_targets: Vec::new(),
        console: None,
    })
}

/// What is measured, in the order of the table.
fn paths(
    gateway: &Gateway,
    replaced: &three_queries::Running,
    key: &str,
    asked: Asked,
) -> Result<Vec<Measured>> {
    let authorization = HeaderValue::try_from(format!("Bearer {key}"))?;
    let (single, batches) = (Arc::new(asked.single), Arc::new(asked.batches));
    let at = |address, path, asks: &Arc<_>, decides| Target {
        address,
        path,
        authorization: authorization.clone(),
        asks: Arc::clone(asks),
        decides,
    };
    let (gateway, replaced) = (gateway.address(), replaced.address);
    let targets = [
        (table::FLOOR, at(replaced, three_queries::FLOOR, &single, false)),
        (table::REPLACED, at(replaced, three_queries::DECIDE, &single, true)),
        (table::SINGLE, at(gateway, "/access/v1/evaluation", &single, true)),
        (table::BATCH, at(gateway, "/access/v1/evaluations", &batches, true)),
    ];
    let measured = targets.map(|(name, target)| Measured {
        name,
        target,
        cells: CONNECTIONS.map(|connections| table::Cell { connections, turns: Vec::new() }),
    });
    Ok(measured.into())
}

async fn measure(paths: &mut [Measured], rounds: usize) -> Result<()> {
    for path in &*paths {
        load::verify(&path.target).await.with_context(|| path.name)?;
    }
    for _ in 0..rounds * TURNS {
        for column in 0..CONNECTIONS.len() {
            for path in &mut *paths {
                let cell = &mut path.cells[column];
                let turn = load::turn(&path.target, cell.connections, LENGTH).await;
                cell.turns.push(turn.with_context(|| path.name)?);
            }
        }
    }
    Ok(())
}
