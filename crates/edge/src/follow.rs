//! Keeps what is held current: follows the gateway's stream, verifies, and comes back after every loss.

use crate::client::{Client, NoAnswer};
use crate::config::Config;
use crate::disk::{Disk, Tagged};
use crate::events::{Event, NoStream, Parser};
use crate::holder::{Holder, NotTaken};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::BodyExt;
use postern_snapshot::{Snapshot, apply};
use postern_statement::{KeySet, Refused, Statement};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A stream that says nothing for this long is dead. The gateway sends something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);
/// Between attempts: first and longest. Each wait is cut by chance, so that agents do not come back all at once.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));
/// Between looks at the keys for one that is not known.
const KEYS_AGAIN: Duration = Duration::from_secs(30);
/// Between looks at the keys without a reason: one that was withdrawn is not believed for ever.
const KEYS_KEPT: Duration = Duration::from_secs(5 * 60);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Answer(#[from] NoAnswer),
    #[error(transparent)]
    Stream(#[from] NoStream),
    #[error("the gateway ended the stream")]
    Ended,
    #[error("the gateway has gone silent")]
    Silent,
    #[error("the stream broke: {0}")]
    Broken(hyper::Error),
    #[error("an event is malformed")]
    Event,
    #[error("what was stated did not come")]
    Unfulfilled,
    #[error("a delta does not apply: {0}")]
    Delta(String),
    #[error("{0}")]
    NotTaken(#[from] NotTaken),
}

impl From<Refused> for Lost {
    fn from(refused: Refused) -> Self {
        Lost::NotTaken(refused.into())
    }
}

/// Follows one organization.
pub(crate) struct Follower {
    config: Arc<Config>,
    holder: Arc<Holder>,
    client: Client,
    disk: Option<Disk>,
    keys: Option<KeySet>,
    keys_read_at: Option<Instant>,
    /// The tag of the bytes in force.
    etag: Option<String>,
}

/// What one connection has brought that is not in force yet.
#[derive(Default)]
struct Coming {
    /// A verified statement that names other bytes than those in force.
    stated: Option<(Statement, String)>,
    /// Bytes that no statement has named yet.
    bytes: Option<(Bytes, String)>,
}

/// The data of the events `state` and `delta`.
#[derive(Deserialize)]
struct Carried {
    bytes: String,
    etag: String,
}

#[derive(Deserialize)]
struct Stated {
    statement: String,
}

impl Follower {
    pub fn new(config: Arc<Config>, holder: Arc<Holder>, client: Client) -> Self {
        let disk = config.state.as_deref().and_then(|folder| {
            let disk = Disk::new(folder);
            disk.inspect_err(
                |error| tracing::error!(folder = %folder.display(), %error, "nothing is kept on disk"),
            )
            .ok()
        });
        let keys = config.keys.clone();
        Follower { config, holder, client, disk, keys, keys_read_at: None, etag: None }
    }

    /// Takes what an earlier run has left, if it verifies.
    pub async fn take_from_disk(&mut self) {
        let Some(disk) = self.disk.clone() else { return };
        if self.keys.is_none() {
            self.keys = disk.keys().and_then(|keys| KeySet::parse(&keys).ok());
        }
        let read = tokio::task::spawn_blocking(move || disk.read()).await;
        let (bytes, tagged) = match read {
            Ok(Ok(Some(read))) => read,
            Ok(Ok(None)) => return,
            Ok(Err(error)) => return tracing::warn!(%error, "what is on disk cannot be read"),
            Err(error) => return tracing::error!(%error, "reading the disk stopped"),
        };
        for Tagged { statement, etag } in tagged {
            let taken = self.verify_with_known(&statement).map_err(NotTaken::from).and_then(|statement| {
                match self.holder.state(&statement) {
                    Ok(true) => Ok(()),
                    _ => self.holder.take(bytes.clone(), &statement),
                }
            });
            match taken {
                Ok(()) => self.etag = Some(etag),
                Err(error) => tracing::warn!(%error, "what is on disk is not taken"),
            }
        }
        if let Some(held) = self.holder.held() {
            tracing::info!(revision = held.revision(), age = ?held.age(), "started from disk");
        }
    }

    /// Follows for ever.
    pub async fn run(&mut self) {
        let mut wait = RETRY.0;
        loop {
            let begun = Instant::now();
            let lost = self.connection().await;
            let error = match lost {
                Ok(never) => match never {},
                Err(error) => error,
            };
            // What did not fit is healed by a whole snapshot, never guessed at.
            // A gateway that is behind another one is no reason for that.
            let older = matches!(error, Lost::NotTaken(NotTaken::Refused(Refused::Older)));
            if !older && !matches!(error, Lost::Answer(_) | Lost::Ended | Lost::Silent | Lost::Broken(_)) {
                self.etag = None;
            }
            tracing::warn!(%error, "not following; what is held stays in force until it is stale");
            if begun.elapsed() > RETRY.1 {
                wait = RETRY.0;
            }
            tokio::time::sleep(wait.mul_f64(0.5 + chance() / 2.0)).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }

    async fn connection(&mut self) -> Result<std::convert::Infallible, Lost> {
        let mut body = self.client.stream(self.etag.as_deref()).await?;
        tracing::info!(organization = %self.config.organization, "following");
        let (mut parser, mut coming) = (Parser::default(), Coming::default());
        loop {
            let frame = tokio::time::timeout(SILENCE, body.frame()).await.map_err(|_| Lost::Silent)?;
            let frame = frame.ok_or(Lost::Ended)?.map_err(Lost::Broken)?;
            let Some(data) = frame.data_ref() else { continue };
            for event in parser.push(data)? {
                self.event(event, &mut coming).await?;
            }
        }
    }

    async fn event(&mut self, event: Event, coming: &mut Coming) -> Result<(), Lost> {
        match event.kind.as_str() {
            "statement" => {
                let Stated { statement: text } =
                    serde_json::from_str(&event.data).map_err(|_| Lost::Event)?;
                let statement = self.verify(&text).await?;
                if self.holder.state(&statement)? {
                    self.keep_statement(text).await;
                } else if coming.stated.replace((statement, text)).is_some() {
                    // A statement is followed by its bytes, before there is another one.
                    return Err(Lost::Unfulfilled);
                }
            }
            "state" => coming.bytes = Some(carried(&event.data)?),
            "delta" => {
                let (delta, etag) = carried(&event.data)?;
                let base = match coming.bytes.take() {
                    Some((bytes, _)) => bytes,
                    None => self.holder.held().map(|held| held.opened.bytes().clone()).ok_or(Lost::Event)?,
                };
                let applied = tokio::task::spawn_blocking(move || {
                    let old = Snapshot::open(&base).map_err(|error| error.to_string())?;
                    apply(&old, &delta).map_err(|error| error.to_string())
                });
                let new = applied.await.map_err(|error| error.to_string()).flatten().map_err(Lost::Delta)?;
                coming.bytes = Some((new.into(), etag));
            }
            // For later versions.
            _ => return Ok(()),
        }
        self.take(coming).await
    }

    /// Puts into force what has come, once a statement names it.
    async fn take(&mut self, coming: &mut Coming) -> Result<(), Lost> {
        let (Some((statement, _)), Some((bytes, etag))) = (&coming.stated, &coming.bytes) else {
            // What was asked for once more, and is in force already.
            let held = self.holder.held();
            if let (Some(held), Some((bytes, etag))) = (held, &coming.bytes)
                && held.opened.bytes() == bytes
            {
                self.etag = Some(etag.clone());
                coming.bytes = None;
            }
            return Ok(());
        };
        let etag = etag.clone();
        let (holder, statement, bytes) = (self.holder.clone(), statement.clone(), bytes.clone());
        // Hashing and opening a large one takes a while, in which others are answered.
        let taken = tokio::task::spawn_blocking(move || holder.take(bytes, &statement)).await;
        match taken.unwrap_or(Err(Refused::OtherBytes.into())) {
            Ok(()) => {}
            // A delta on the way to what is stated.
            Err(NotTaken::Refused(Refused::OtherBytes)) if coming.is_on_the_way() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if let (Some((statement, text)), Some((bytes, _))) = (coming.stated.take(), coming.bytes.take()) {
            tracing::debug!(revision = statement.revision, "in force");
            self.etag = Some(etag.clone());
            self.keep(bytes, Tagged { statement: text, etag }).await;
        }
        Ok(())
    }

    /// Verifies, with the keys fetched again where one is not known.
    async fn verify(&mut self, text: &str) -> Result<Statement, Lost> {
        let read_before = |least: Duration| self.keys_read_at.is_none_or(|at| at.elapsed() >= least);
        let (mut again, old) = (read_before(KEYS_AGAIN), read_before(KEYS_KEPT));
        let pinned = self.config.keys.is_some();
        if !pinned && old && self.keys.is_some() {
            again = false;
            // A gateway that cannot be asked now has not withdrawn anything.
            if let Err(error) = self.read_keys().await {
                tracing::warn!(%error, "the keys could not be read again");
            }
        }
        match self.verify_with_known(text) {
            Err(Refused::UnknownKey) if !pinned && again => {}
            verified => return Ok(verified?),
        }
        self.read_keys().await?;
        Ok(self.verify_with_known(text)?)
    }

    async fn read_keys(&mut self) -> Result<(), Lost> {
        self.keys_read_at = Some(Instant::now());
        let json = self.client.keys().await?;
        self.keys = Some(KeySet::parse(&json)?);
        if let Some(disk) = self.disk.clone() {
            kept(tokio::task::spawn_blocking(move || disk.keep_keys(&json)).await);
        }
        Ok(())
    }

    fn verify_with_known(&self, text: &str) -> Result<Statement, Refused> {
        self.keys.as_ref().ok_or(Refused::UnknownKey)?.verify(text)
    }

    async fn keep(&self, bytes: Bytes, tagged: Tagged) {
        if let Some(disk) = self.disk.clone() {
            kept(tokio::task::spawn_blocking(move || disk.keep(&bytes, &tagged)).await);
        }
    }

    async fn keep_statement(&self, statement: String) {
        if let (Some(disk), Some(etag)) = (self.disk.clone(), self.etag.clone()) {
            kept(tokio::task::spawn_blocking(move || disk.keep_statement(&Tagged { statement, etag })).await);
        }
    }
}

impl Coming {
    /// Whether what has come may be a step to what is stated: its revision is less.
    fn is_on_the_way(&self) -> bool {
        let revision =
            self.bytes.as_ref().and_then(|(bytes, _)| Some(Snapshot::open(bytes).ok()?.revision()));
        match (&self.stated, revision) {
            (Some((statement, _)), Some(revision)) => revision < statement.revision,
            _ => false,
        }
    }
}

fn carried(data: &str) -> Result<(Bytes, String), Lost> {
    let carried: Carried = serde_json::from_str(data).map_err(|_| Lost::Event)?;
    let bytes = STANDARD.decode(carried.bytes).map_err(|_| Lost::Event)?;
    Ok((bytes.into(), carried.etag))
}

/// A full disk keeps nobody from deciding.
fn kept(kept: Result<std::io::Result<()>, tokio::task::JoinError>) {
    match kept {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the disk keeps what it had"),
        Err(error) => tracing::error!(%error, "writing to the disk stopped"),
    }
}

/// Between 0 and 1, good enough to spread attempts.
fn chance() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8) as f64 / u64::MAX as f64
}
