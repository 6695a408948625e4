//! Who calls: API keys and subject tokens, checked against the database, and against what is known of them while it
//! cannot be asked.

use crate::clock::{now_micros, now_seconds};
use crate::manage::{Actor, Caller};
use crate::problem::Problem;
use crate::publish::Publisher;
use crate::store::credentials::{self, ApiKey, SigningKey};
use crate::store::{Pool, StoreError, heads, installation_keys};
use crate::token::{self, TokenError};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use postern_issuers::{Issuers, Refused};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// What every API key begins with, for people and for scanners that look for secrets.
pub const KEY_PREFIX: &str = "postern_key_";
/// What every key of the installation begins with.
pub const INSTALLATION_KEY_PREFIX: &str = "postern_installation_key_";
/// LIMIT: keys that are remembered for the time when the database cannot be asked.
const KNOWN_MAX: usize = 10_000;
/// A request does not wait longer for the database before what is known of the key has to do.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// An enforcement point that may read its organization's snapshot.
#[derive(Clone, Debug)]
pub struct KeyCaller {
    /// Its organization.
    pub organization: String,
    /// What its key is called, and the key's first characters.
    pub key: (String, String),
    /// The key may have an end, in microseconds since 1970.
    pub expires_at: Option<i64>,
    /// What it proved itself with.
    pub credential: Credential,
}

/// A subject that may read its own slice.
#[derive(Clone, Debug)]
pub struct SubjectCaller {
    /// Its organization.
    pub organization: String,
    /// `<type>:<id>`
    pub subject: String,
    /// The token's end, in microseconds since 1970.
    pub expires_at: i64,
    /// What it proved itself with.
    pub credential: Credential,
}

/// What can be checked again while a stream is open.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The SHA-256 of an API key.
    Key([u8; 32]),
    /// The signing key of a token.
    SignedBy(Uuid),
    /// A token of another issuer: good until its end.
    Issued,
}

/// The SHA-256 of an API key: what the database knows of it.
pub fn key_digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Checks credentials.
pub struct Access {
    pool: Pool,
    publisher: Arc<Publisher>,
    keys: Known<[u8; 32], KnownKey>,
    signing_keys: Known<Uuid, SigningKey>,
    issuers: Option<Arc<Issuers>>,
    // Whether the database answered lately: spares requests the wait for a time-out.
    database_up: watch::Receiver<bool>,
}

/// An API key, with what the head said of its organization's credentials before it was looked up.
#[derive(Clone)]
struct KnownKey {
    key: ApiKey,
    mark: Option<i64>,
}

impl Access {
    /// Looks credentials up in the database of the pool. `issuers`: others whose tokens are taken as well.
    pub fn new(pool: Pool, publisher: Arc<Publisher>, issuers: Option<Arc<Issuers>>) -> Self {
        let database_up = publisher.database_up();
        let (keys, signing_keys) = (Known::default(), Known::default());
        Access { pool, publisher, keys, signing_keys, issuers, database_up }
    }

    /// The caller whose API key the request carries.
    pub async fn key_caller(&self, headers: &HeaderMap) -> Result<KeyCaller, Problem> {
        let key = bearer(headers)?;
        if !key.starts_with(KEY_PREFIX) {
            return Err(Problem::INVALID_KEY);
        }
        let digest = key_digest(key);
        let found = self.api_key(&digest).await?.ok_or(Problem::INVALID_KEY)?;
        // It stands for one subject, and the whole snapshot is about all of them.
        if found.subject.is_some() {
            return Err(Problem::PERSONAL_KEY);
        }
        Ok(KeyCaller {
            organization: found.organization,
            key: (found.name, found.prefix),
            expires_at: found.expires_at,
            credential: Credential::Key(digest),
        })
    }

    /// The caller whose token the request carries.
    pub async fn subject_caller(&self, headers: &HeaderMap) -> Result<SubjectCaller, Problem> {
        let token = bearer(headers)?;
        let refused = |error| match error {
            TokenError::Expired => Problem::EXPIRED_TOKEN,
            TokenError::Invalid => Problem::INVALID_TOKEN,
        };
        let id = match (token::key_id(token), &self.issuers) {
            (Ok(id), _) => id,
            (Err(_), Some(issuers)) => return Box::pin(issued(issuers, token)).await,
            (Err(error), None) => return Err(refused(error)),
        };
        let key = self.signing_key(id).await?.ok_or(Problem::INVALID_TOKEN)?;
        let claims = token::verify(&key, token, now_seconds()).map_err(refused)?;
        Ok(SubjectCaller {
            organization: claims.organization,
            subject: claims.sub,
            expires_at: claims.exp.saturating_mul(1_000_000),
            credential: Credential::SignedBy(id),
        })
    }

    /// Who calls the management interface of an organization: with an API key, or a subject with its token.
    pub async fn manager(
        &self,
        organization: &str,
        headers: &HeaderMap,
        request_id: Option<&str>,
    ) -> Result<Caller, Problem> {
        let token = bearer(headers)?;
        if token.starts_with(INSTALLATION_KEY_PREFIX) {
            let caller = self.installation(organization.to_owned(), headers, request_id).await?;
            let exists = Box::pin(async {
                let mut connection = self.pool.of(organization).await?;
                heads::revision(&mut connection, organization).await
            });
            return match exists.await {
                Ok(Some(_)) => Ok(caller),
                Ok(None) => Err(Problem::ORGANIZATION_GONE),
                Err(error) => Err(unavailable(&error)),
            };
        }
        let (of, actor, can_write) = if token.starts_with(KEY_PREFIX) {
            let key = self.api_key(&key_digest(token)).await?.ok_or(Problem::INVALID_KEY)?;
            let operator = || Actor::Operator(format!("key:{}", key.prefix));
            (key.organization, key.subject.map_or_else(operator, Actor::Subject), key.can_write)
        } else {
            let subject = self.subject_caller(headers).await?;
            (subject.organization, Actor::Subject(subject.subject), true)
        };
        if of != organization {
            return Err(Problem::OTHER_ORGANIZATION);
        }
        let request_id = request_id.map(str::to_owned);
        Ok(Caller { organization: of, actor, can_write, request_id, preview: false })
    }

    /// Whoever runs the installation, with its key: the operator of any organization. Its key is looked up each time.
    pub async fn installation(
        &self,
        organization: String,
        headers: &HeaderMap,
        request_id: Option<&str>,
    ) -> Result<Caller, Problem> {
        let key = bearer(headers)?;
        if !key.starts_with(INSTALLATION_KEY_PREFIX) {
            return Err(Problem::NEEDS_INSTALLATION_KEY);
        }
        let found = Box::pin(async {
            let mut connection = self.pool.of_none().await?;
            installation_keys::find(&mut connection, &key_digest(key)).await
        });
        let found = found.await.map_err(|error| unavailable(&error))?.ok_or(Problem::INVALID_KEY)?;
        let actor = Actor::Operator(format!("key:{}", found.prefix));
        let request_id = request_id.map(str::to_owned);
        Ok(Caller { organization, actor, can_write: found.can_write, request_id, preview: false })
    }

    /// Until when a credential that was good is good still, in microseconds since 1970; `None`: it is not. While the
    /// database cannot be asked, it is.
    pub async fn good_until(&self, credential: &Credential) -> Option<i64> {
        match credential {
            Credential::Key(digest) => match self.api_key(digest).await {
                Ok(None) => None,
                Ok(Some(key)) => Some(key.expires_at.unwrap_or(i64::MAX)),
                Err(_) => Some(i64::MAX),
            },
            Credential::SignedBy(id) => match self.signing_key(*id).await {
                Ok(None) => None,
                _ => Some(i64::MAX),
            },
            Credential::Issued => Some(i64::MAX),
        }
    }

    async fn api_key(&self, digest: &[u8; 32]) -> Result<Option<ApiKey>, Problem> {
        let known =
            self.keys.get(digest).filter(|known| known.key.expires_at.is_none_or(|end| now_micros() < end));
        let mark = known.as_ref().and_then(|known| self.publisher.credentials_mark(&known.key.organization));
        if let Some(known) = &known
            && mark.is_some()
            && known.mark == mark
        {
            // No key of the organization has been made, changed or revoked since it was looked up.
            return Ok(Some(known.key.clone()));
        }
        // Rare, and large: beside it, the future of each request would be copied around with this in it.
        let lookup = Box::pin(async {
            let mut connection = self.pool.of_none().await?;
            let key = credentials::api_key(&mut connection, digest).await?;
            Ok(key.map(|key| KnownKey { key, mark }))
        });
        Ok(self.look_up(&self.keys, *digest, known, lookup).await?.map(|known| known.key))
    }

    async fn signing_key(&self, id: Uuid) -> Result<Option<SigningKey>, Problem> {
        let known = self.signing_keys.get(&id);
        let lookup = Box::pin(async {
            let mut connection = self.pool.of_none().await?;
            credentials::signing_key(&mut connection, id).await
        });
        self.look_up(&self.signing_keys, id, known, lookup).await
    }

    /// Asks the database, which may have revoked a key a moment ago; what is known counts only when it does not answer.
    async fn look_up<K: Hash + Eq, V: Clone>(
        &self,
        memory: &Known<K, V>,
        id: K,
        known: Option<V>,
        lookup: impl Future<Output = Result<Option<V>, StoreError>>,
    ) -> Result<Option<V>, Problem> {
        if !*self.database_up.borrow()
            && let Some(known) = known
        {
            return Ok(Some(known));
        }
        match tokio::time::timeout(LOOKUP_TIMEOUT, lookup).await {
            Ok(Ok(found)) => {
                memory.set(id, found.clone());
                Ok(found)
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "a credential could not be looked up");
                known.map(Some).ok_or(Problem::UNAVAILABLE)
            }
            Err(_) => known.map(Some).ok_or(Problem::UNAVAILABLE),
        }
    }
}

/// The subject whom another issuer names.
async fn issued(issuers: &Issuers, token: &str) -> Result<SubjectCaller, Problem> {
    let identity = issuers.verify(token, now_micros()).await.map_err(|refused| match refused {
        Refused::Expired => Problem::EXPIRED_TOKEN,
        Refused::Invalid(why) => {
            tracing::debug!(why, "a token is refused");
            Problem::INVALID_TOKEN
        }
        Refused::Unavailable => Problem::ISSUER_UNAVAILABLE,
    })?;
    Ok(SubjectCaller {
        organization: identity.organization,
        subject: identity.subject,
        expires_at: identity.expires_at,
        credential: Credential::Issued,
    })
}

fn unavailable(error: &StoreError) -> Problem {
    tracing::warn!(%error, "a credential could not be looked up");
    Problem::UNAVAILABLE
}

/// The token of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Problem::MISSING_CREDENTIALS)?;
    let text = value.to_str().map_err(|_| Problem::MALFORMED_CREDENTIALS)?;
    let (scheme, token) = text.split_once(' ').ok_or(Problem::MALFORMED_CREDENTIALS)?;
    let token = token.trim();
    let good = scheme.eq_ignore_ascii_case("bearer")
        && !token.is_empty()
        && token.len() <= token::TOKEN_BYTES_MAX
        && !token.contains(' ')
        && values.next().is_none();
    if good { Ok(token) } else { Err(Problem::MALFORMED_CREDENTIALS) }
}

/// Credentials that were good when they were last looked up.
struct Known<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        Known(Mutex::new(HashMap::new()))
    }
}

impl<K: Hash + Eq, V: Clone> Known<K, V> {
    fn get(&self, id: &K) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn set(&self, id: K, value: Option<V>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match value {
            // Forgetting all is no loss while the database answers, and this is only reached while it does.
            Some(_) if known.len() >= KNOWN_MAX && !known.contains_key(&id) => known.clear(),
            _ => {}
        }
        match value {
            Some(value) => known.insert(id, value),
            None => known.remove(&id),
        };
    }
}
