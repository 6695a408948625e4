//! Asks the database which heads have changed. `docs/decisions/0005-revisions-and-waking.md` says why it asks.

use super::Publisher;
use crate::clock::steady_micros;
use crate::store::StoreError;
use crate::store::heads::{Horizon, changed_since, epoch};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// A connection that says nothing for this long is dead.
const ANSWER: Duration = Duration::from_secs(5);
/// Between attempts to connect.
const RECONNECT: Duration = Duration::from_millis(500);

pub(super) async fn follow(publisher: Arc<Publisher>, options: PgConnectOptions, interval: Duration) {
    loop {
        let lost = match tokio::time::timeout(ANSWER, options.connect()).await {
            Ok(Ok(connection)) => ask(&publisher, connection, interval).await,
            Ok(Err(error)) => error.into(),
            Err(_) => StoreError::from(sqlx::Error::PoolTimedOut),
        };
        if publisher.database_up.send_replace(false) {
            tracing::error!(error = %lost, "the database does not answer; the states held stay in force");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Asks until the connection is lost; why it was.
async fn ask(publisher: &Publisher, mut connection: PgConnection, interval: Duration) -> StoreError {
    // A new connection may be to another server than the last: everything is news.
    let mut horizon = Horizon::start();
    let epoch: Arc<str> = match tokio::time::timeout(ANSWER, epoch(&mut connection)).await {
        Ok(Ok(epoch)) => epoch.into(),
        Ok(Err(error)) => return error,
        Err(_) => return StoreError::from(sqlx::Error::PoolTimedOut),
    };
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let asked_at = steady_micros();
        let (heads, next) = match tokio::time::timeout(ANSWER, changed_since(&mut connection, &horizon)).await
        {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return error,
            Err(_) => return StoreError::from(sqlx::Error::PoolTimedOut),
        };
        horizon = next;
        // The moment before it was asked: what it says was true then or later.
        publisher.changed(&heads, &epoch, asked_at);
        if !publisher.database_up.send_replace(true) {
            tracing::info!("the database answers again");
        }
    }
}
