//! Statements of which bytes are in force, and since when that is known: `docs/statements.md`.
//!
//! The keys lie in the database, so that all gateways sign with the same ones; each gateway reads them again and again.

use crate::clock::{now_micros, now_seconds, steady_micros};
use crate::publish::{Sendable, State};
use crate::store::statement_keys::{self, StatementKey};
use crate::store::{Pool, StoreError};
use axum::http::HeaderValue;
use postern_statement::{KeySet, SecretKey, Statement};
use sqlx::PgConnection;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Between looks at the keys. A key that was withdrawn signs no longer than this.
const KEYS_AGAIN: Duration = Duration::from_secs(5);

/// A new key.
pub struct FreshKey {
    /// Its `kid`.
    pub id: String,
    /// Its private part.
    pub seed: [u8; 32],
}

impl FreshKey {
    /// A key of the operating system's random bytes.
    ///
    /// # Errors
    /// The operating system has none to give.
    pub fn new() -> Result<Self, std::io::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| std::io::Error::other(error.to_string()))?;
        let id = SecretKey::from_seed(&seed).public().id().to_owned();
        Ok(FreshKey { id, seed })
    }
}

/// What signs.
pub struct Statements {
    keys: Mutex<Arc<Keys>>,
    validity_seconds: i64,
}

struct Keys {
    /// The ones that may sign, and from when on, as [`now_micros`]; the newest first.
    signing: Vec<(i64, SecretKey)>,
    published: String,
}

/// Which of an organization's states a statement is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Whose facts.
    pub organization: &'a str,
    /// Of a slice: whose.
    pub subject: Option<&'a str>,
    /// The history of the revisions.
    pub epoch: &'a str,
    /// The newest revision at which the bytes were right.
    pub as_of: u64,
}

/// What a statement says of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Of the bytes.
    pub revision: u64,
    /// Their SHA-256.
    pub digest: [u8; 32],
}

impl Statements {
    /// Reads the keys, and makes the first one.
    ///
    /// `validity`: how long a statement says something about the present.
    pub async fn start(connection: &mut PgConnection, validity: Duration) -> Result<Arc<Self>, StoreError> {
        let fresh = FreshKey::new().map_err(|source| StoreError::Inconsistent {
            table: "statement_keys",
            what: format!("no key can be made: {source}"),
        })?;
        statement_keys::make_first(connection, &fresh.id, &fresh.seed).await?;
        let keys = Keys::new(statement_keys::read(connection).await?);
        let validity_seconds = i64::try_from(validity.as_secs()).unwrap_or(i64::MAX);
        Ok(Arc::new(Statements { keys: Mutex::new(Arc::new(keys)), validity_seconds }))
    }

    /// Reads the keys again and again, until the program ends.
    pub async fn follow_keys(self: Arc<Self>, pool: Pool) {
        loop {
            tokio::time::sleep(KEYS_AGAIN).await;
            let read = async {
                let mut connection = pool.of_none().await?;
                statement_keys::read(&mut connection).await
            };
            match read.await {
                Ok(keys) => {
                    *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Keys::new(keys))
                }
                // What is held stays in force; that the database is away is told elsewhere.
                Err(error) => tracing::debug!(%error, "the statement keys could not be read"),
            }
        }
    }

    /// The public keys, as a JWK Set.
    pub fn published(&self) -> String {
        self.keys().published.clone()
    }

    /// The statement that these bytes were in force at `known_at` ([`steady_micros`]). `None`: no key may sign.
    pub fn sign(&self, about: About<'_>, named: Named, known_at: i64) -> Option<String> {
        let keys = self.keys();
        let now = now_micros();
        let (_, key) = keys.signing.iter().find(|(from, _)| *from <= now)?;
        let iat = wall_seconds(known_at);
        Some(key.sign(&Statement {
            organization: about.organization.to_owned(),
            subject: about.subject.map(str::to_owned),
            epoch: about.epoch.to_owned(),
            revision: named.revision,
            as_of: about.as_of.max(named.revision),
            hash: hex::encode(named.digest),
            iat,
            exp: iat.saturating_add(self.validity_seconds),
        }))
    }

    /// The same for bytes of a state, as a header. Signed once a second for all who ask.
    pub fn header(
        &self,
        (organization, subject): (&str, Option<&str>),
        state: &State,
        sendable: &Sendable,
        known_at: i64,
    ) -> Option<HeaderValue> {
        sendable.stated(wall_seconds(known_at), || {
            let about = About { organization, subject, epoch: state.epoch(), as_of: state.revision() };
            HeaderValue::try_from(self.sign(about, sendable.named(), known_at)?).ok()
        })
    }

    fn keys(&self) -> Arc<Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Keys {
    fn new(keys: Vec<StatementKey>) -> Self {
        let secret = |key: &StatementKey| SecretKey::from_seed(&key.seed);
        let published = KeySet::of(keys.iter().map(|key| secret(key).public())).to_json();
        let now = now_micros();
        let mut signing: Vec<_> = keys
            .iter()
            .map(|key| (now.saturating_add(key.signs_in.saturating_mul(1_000_000)), secret(key)))
            .collect();
        signing.sort_by_key(|(from, _)| std::cmp::Reverse(*from));
        Keys { signing, published }
    }
}

/// The second of a moment that the steady clock told.
pub fn wall_seconds(steady: i64) -> i64 {
    let age_micros = steady_micros().saturating_sub(steady).max(0);
    // A clock that jumps forward makes it later than it was, but never later than now.
    now_micros().saturating_sub(age_micros).div_euclid(1_000_000).min(now_seconds())
}
