//! Verifies tokens, and keeps the keys of their issuers.

use crate::fetch::Fetcher;
use crate::keys::{Key, read_set};
use crate::settings::{IssuerSettings, Settings, Template};
use crate::token::Token;
use postern_vocab::{is_reserved_id, split_subject};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long keys are used before they are asked for again: what the issuer says, within these bounds.
const REFRESH: (Duration, Duration) = (Duration::from_secs(5 * 60), Duration::from_secs(24 * 60 * 60));
/// Keys that could not be asked for again are good for no longer.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// A key that nobody knows makes us ask once, and then not before this: anybody can send such tokens.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// Between looks at which keys are to be asked for again.
const LOOK: Duration = Duration::from_secs(15);

/// Whose name a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose facts it is about.
    pub organization: String,
    /// Who asks: `<type>:<id>`.
    pub subject: String,
    /// The token's end, in microseconds since 1970.
    pub expires_at: i64,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It was good once.
    Expired,
    /// It was never good here. The reason is for the log, not for whoever sent it.
    Invalid(&'static str),
    /// Its issuer's keys cannot be had.
    Unavailable,
}

/// The issuers that are trusted.
pub struct Issuers {
    issuers: Vec<Issuer>,
    fetcher: Fetcher,
    /// The shortest time between two attempts at an issuer's keys.
    ask_again: Duration,
}

struct Issuer {
    settings: IssuerSettings,
    subject: Template,
    keys: Mutex<Keys>,
    // One asks, and whoever needs the same waits.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Keys {
    /// With when they came, and when they are to be asked for again.
    held: Option<(Arc<Vec<Key>>, Instant, Instant)>,
    tried_at: Option<Instant>,
}

impl Issuers {
    /// # Errors
    /// None of the system's certificates can be read, and an issuer needs them.
    pub fn new(settings: Settings) -> Result<Self, std::io::Error> {
        let https = |address: &String| address.starts_with("https:");
        let any = settings
            .issuers
            .iter()
            .any(|issuer| https(&issuer.issuer) || issuer.jwks_uri.as_ref().is_some_and(https));
        let issuer = |settings: IssuerSettings| {
            let subject = Template::parse(&settings.subject).map_err(std::io::Error::other)?;
            let (keys, turn) = (Mutex::default(), tokio::sync::Mutex::default());
            Ok::<_, std::io::Error>(Issuer { settings, subject, keys, turn })
        };
        let issuers = settings.issuers.into_iter().map(issuer).collect::<Result<_, _>>()?;
        Ok(Issuers { issuers, fetcher: Fetcher::new(any)?, ask_again: ASK_AGAIN })
    }

    /// The same, where keys are asked for again after another time than 30 seconds.
    pub fn asking_again_after(self, ask_again: Duration) -> Self {
        Issuers { ask_again, ..self }
    }

    /// Whose name a token is at `now`, microseconds since 1970.
    ///
    /// Cost: a signature; a request to the issuer where its keys are not known, or this one is not among them, at most
    /// every 30 seconds.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn verify(&self, token: &str, now: i64) -> Result<Identity, Refused> {
        let token = Token::read(token)?;
        let named = token.text("iss").ok_or(Refused::Invalid("it names no issuer"))?;
        let issuer = self.issuers.iter().find(|issuer| issuer.settings.issuer == named);
        let issuer = issuer.ok_or(Refused::Invalid("its issuer is none that is trusted"))?;
        // Before anybody is asked: what would be refused anyway costs the issuer nothing.
        let expires_at = token.check(&issuer.settings, now)?;
        let organization = match (&issuer.settings.organization, &issuer.settings.organization_claim) {
            (Some(organization), _) => Some(organization.clone()),
            (None, Some(claim)) => token.text(claim).filter(|id| !id.is_empty()).map(str::to_owned),
            (None, None) => None,
        };
        let organization = organization.ok_or(Refused::Invalid("it names no organization"))?;
        let subject = issuer.subject.fill(|claim| token.text(claim));
        let subject = subject.ok_or(Refused::Invalid("a claim of its subject is missing"))?;
        let can_ask = split_subject(&subject).is_some_and(|(_, id)| !is_reserved_id(id))
            && subject.len() <= postern_vocab::limits::TEXT_BYTES_MAX;
        if !can_ask {
            return Err(Refused::Invalid("its subject is none that can ask"));
        }
        let seen = issuer.held();
        match seen.as_deref().map(|keys| signed(&token, keys)) {
            Some(Signed::Good) => {}
            Some(Signed::Bad) => return Err(Refused::Invalid("its signature is wrong")),
            Some(Signed::KeyUnknown) | None => {
                self.ask(issuer, seen.as_ref()).await;
                match issuer.held().map(|keys| signed(&token, &keys)) {
                    Some(Signed::Good) => {}
                    Some(Signed::Bad) => return Err(Refused::Invalid("its signature is wrong")),
                    Some(Signed::KeyUnknown) => {
                        return Err(Refused::Invalid("its key is none that its issuer publishes"));
                    }
                    None => return Err(Refused::Unavailable),
                }
            }
        }
        // Said of what the issuer signed only.
        if now < expires_at {
            Ok(Identity { organization, subject, expires_at })
        } else {
            Err(Refused::Expired)
        }
    }

    /// Keeps keys fresh, without end.
    pub async fn follow(self: Arc<Self>) {
        loop {
            for issuer in &self.issuers {
                if issuer.is_due() {
                    self.ask(issuer, issuer.held().as_ref()).await;
                }
            }
            tokio::time::sleep(LOOK.min(self.ask_again)).await;
        }
    }

    /// Asks for an issuer's keys, unless that was done a moment ago, or somebody did while we waited. `seen`: those that
    /// will not do.
    async fn ask(&self, issuer: &Issuer, seen: Option<&Arc<Vec<Key>>>) {
        let _turn = issuer.turn.lock().await;
        let newer = match (issuer.held(), seen) {
            (Some(held), Some(seen)) => !Arc::ptr_eq(&held, seen),
            (held, None) => held.is_some(),
            (None, Some(_)) => false,
        };
        if newer || !issuer.may_try(self.ask_again) {
            return;
        }
        match self.fetch(&issuer.settings).await {
            Ok((keys, refresh)) => {
                let now = Instant::now();
                tracing::debug!(
                    issuer = issuer.settings.issuer,
                    keys = keys.len(),
                    "an issuer's keys were read"
                );
                issuer.lock().held = Some((Arc::new(keys), now, now + refresh));
            }
            Err(error) => {
                let held = issuer.held().is_some();
                tracing::warn!(
                    issuer = issuer.settings.issuer,
                    error,
                    held,
                    "an issuer's keys could not be read"
                );
            }
        }
    }

    async fn fetch(&self, settings: &IssuerSettings) -> Result<(Vec<Key>, Duration), String> {
        let address = match &settings.jwks_uri {
            Some(address) => address.clone(),
            None => self.fetcher.jwks_uri(&settings.issuer).await?,
        };
        let set = self.fetcher.get(&address).await?;
        let keys = read_set(&set.text).map_err(|what| format!("{address}: {what}"))?;
        Ok((keys, set.max_age.unwrap_or(REFRESH.0).clamp(REFRESH.0, REFRESH.1)))
    }
}

impl Issuer {
    fn lock(&self) -> std::sync::MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys that are known and not too old.
    fn held(&self) -> Option<Arc<Vec<Key>>> {
        let keys = self.lock();
        keys.held.as_ref().filter(|(_, came, _)| came.elapsed() < KEPT).map(|(keys, _, _)| keys.clone())
    }

    /// Whether the last attempt is long enough ago; then this is one.
    fn may_try(&self, again: Duration) -> bool {
        let mut keys = self.lock();
        let may = keys.tried_at.is_none_or(|tried| tried.elapsed() >= again);
        if may {
            keys.tried_at = Some(Instant::now());
        }
        may
    }

    fn is_due(&self) -> bool {
        self.lock().held.as_ref().is_none_or(|(_, _, again)| Instant::now() >= *again)
    }
}

enum Signed {
    Good,
    Bad,
    KeyUnknown,
}

/// Whether one of the keys signed it: the one that it names; without a name the only one that fits.
fn signed(token: &Token<'_>, keys: &[Key]) -> Signed {
    let named = keys.iter().filter(|key| match &token.key_id {
        Some(id) => key.id.as_ref() == Some(id),
        None => true,
    });
    let fitting: Vec<&Key> = named.filter(|key| key.fits(token.algorithm)).collect();
    let [key] = fitting[..] else { return Signed::KeyUnknown };
    match key.verifies(token.algorithm, token.message, &token.signature) {
        true => Signed::Good,
        false => Signed::Bad,
    }
}
