//! Webhooks: others are told of what was written, and of new revisions (`docs/webhooks.md`).
//!
//! What is told is the audit, which is written in the transaction of the change: what was not committed is never told,
//! and what was is told until it is taken. Each webhook knows how far it has come; of several gateways one has it in hand.

pub mod target;

use crate::clock::now_seconds;
use crate::metrics::Metrics;
use crate::store::webhooks::{self, Claimed, Next, Which};
use crate::store::{Pool, StoreError};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use postern_issuers::HttpsConnector;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use target::Target;
use tokio::sync::Semaphore;

/// Between looks for what is due.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// For the head of an answer.
const ANSWER: Duration = Duration::from_secs(15);
/// How long a gateway has a webhook in hand after each step: another one goes on where it ended without a word.
const IN_HAND: f64 = 60.0;
/// LIMIT: webhooks that are told something at the same time.
const AT_ONCE: usize = 64;
/// LIMIT: deliveries to one webhook before the others' turn.
const IN_A_ROW: usize = 100;
/// After the first attempt that failed; twice as long after each one more, up to an hour.
const FIRST_WAIT: f64 = 1.0;
/// The longest wait.
const LONGEST_WAIT: f64 = 3_600.0;
/// What is older is given up when it is refused once more: three days.
const GIVE_UP_AFTER: f64 = 259_200.0;
/// What a secret begins with, as people see it.
pub const SECRET_PREFIX: &str = "whsec_";

/// What tells webhooks.
pub struct Webhooks {
    targets: Vec<Target>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    pool: Pool,
    metrics: Arc<Metrics>,
    at_once: Arc<Semaphore>,
}

/// How a delivery went.
enum Sent {
    Taken,
    /// It says that it is there no more.
    Gone,
    /// Why, and how long it wants to be left alone.
    Refused(String, Option<f64>),
}

impl Webhooks {
    /// Tells those that are at one of the targets.
    ///
    /// # Errors
    /// None of the system's certificates can be read.
    pub fn new(targets: Vec<Target>, pool: Pool, metrics: Arc<Metrics>) -> Result<Arc<Self>, std::io::Error> {
        let connector = postern_issuers::https_connector(true)?;
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Arc::new(Webhooks { targets, client, pool, metrics, at_once }))
    }

    /// Tells what is due, until the program ends.
    pub async fn follow(self: Arc<Self>) {
        loop {
            if let Err(error) = self.look().await {
                // That the database is away is told elsewhere.
                tracing::debug!(%error, "webhooks could not be looked up");
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn look(self: &Arc<Self>) -> Result<(), StoreError> {
        let room = i64::try_from(self.at_once.available_permits()).unwrap_or(i64::MAX);
        let mut connection = self.pool.of_none().await?;
        let due = webhooks::due(&mut connection, room).await?;
        drop(connection);
        for which in due {
            let Ok(permit) = self.at_once.clone().try_acquire_owned() else { return Ok(()) };
            let all = self.clone();
            tokio::spawn(async move {
                if let Err(error) = all.deliver(&which).await {
                    tracing::debug!(%error, webhook = %which.1, "a webhook could not be looked after");
                }
                drop(permit);
            });
        }
        Ok(())
    }

    /// Tells one webhook what waits for it, up to the first that it does not take.
    async fn deliver(&self, which: &Which) -> Result<(), StoreError> {
        let of = (which.0.as_str(), which.1);
        let Some(mut claimed) = webhooks::claim(&mut *self.pool.of(of.0).await?, of, IN_HAND).await? else {
            return Ok(());
        };
        for _ in 0..IN_A_ROW {
            let mut connection = self.pool.of(of.0).await?;
            let Some(next) = webhooks::next(&mut connection, of).await? else { break };
            // Nobody else's request waits for a connection while this one waits for an answer.
            drop(connection);
            let sent = self.send(of, &claimed, &next).await;
            let mut transaction = self.pool.begin(of.0).await?;
            match sent {
                Sent::Taken => {
                    self.metrics.webhook(true);
                    claimed.attempts = 0;
                    webhooks::taken(&mut transaction, of, &next, IN_HAND).await?;
                    transaction.commit().await?;
                }
                Sent::Gone => {
                    self.metrics.webhook(false);
                    tracing::warn!(organization = of.0, webhook = %of.1, "a webhook says that it is gone: it is told no more");
                    webhooks::end(&mut transaction, of).await?;
                    transaction.commit().await?;
                    break;
                }
                Sent::Refused(error, wanted) => {
                    self.metrics.webhook(false);
                    let wait = wait_after(claimed.attempts).max(wanted.unwrap_or_default()).min(LONGEST_WAIT);
                    tracing::info!(organization = of.0, webhook = %of.1, %error, wait, "a webhook did not take what it was told");
                    let given_up =
                        webhooks::refused(&mut transaction, of, (&error, wait, GIVE_UP_AFTER)).await?;
                    transaction.commit().await?;
                    if given_up > 0 {
                        tracing::warn!(organization = of.0, webhook = %of.1, given_up, "events were given up");
                    }
                    return Ok(());
                }
            }
        }
        webhooks::release(&mut *self.pool.of(of.0).await?, of).await
    }

    async fn send(&self, (organization, _): (&str, uuid::Uuid), to: &Claimed, next: &Next) -> Sent {
        let (id, body) = message(organization, next);
        if !self.targets.iter().any(|target| target.allows(&to.url)) {
            return Sent::Refused("no --webhook-to allows its address".to_owned(), None);
        }
        let request = Request::post(&to.url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("postern/", env!("CARGO_PKG_VERSION")));
        let now = now_seconds();
        let request = request
            .header("webhook-id", &id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", signatures(&to.secrets, &id, now, &body))
            .body(Full::new(Bytes::from(body)));
        let Ok(request) = request else {
            return Sent::Refused("its address cannot be asked".to_owned(), None);
        };
        let response = match tokio::time::timeout(ANSWER, self.client.request(request)).await {
            Err(_) => return Sent::Refused("it does not answer in time".to_owned(), None),
            Ok(Err(error)) => {
                let cause =
                    std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
                return Sent::Refused(format!("{error}{cause}"), None);
            }
            Ok(Ok(response)) => response,
        };
        match response.status() {
            status if status.is_success() => Sent::Taken,
            StatusCode::GONE => Sent::Gone,
            status => {
                let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let wanted = header.and_then(|seconds| seconds.parse::<u32>().ok()).map(f64::from);
                Sent::Refused(format!("it answers with status {}", status.as_u16()), wanted)
            }
        }
    }
}

/// Seconds until the next attempt: twice as long each time.
fn wait_after(attempts: u32) -> f64 {
    (FIRST_WAIT * 2_f64.powi(attempts.min(20).cast_signed())).min(LONGEST_WAIT)
}

/// The id of a message, which is the same each time, and its body.
fn message(organization: &str, next: &Next) -> (String, String) {
    match next {
        Next::Event { id, body, .. } => (format!("evt_{id}"), body.clone()),
        Next::Revision(revision) => {
            let mark = hex::encode(&Sha256::digest(organization)[..8]);
            let id = format!("rev_{mark}_{revision}");
            let body = json!({"id": id, "type": "revision", "organization": organization, "revision": revision.to_string()});
            (id.clone(), body.to_string())
        }
    }
}

/// As Standard Webhooks has it: `v1,` and the base64 of HMAC-SHA256 over id, time and body, once for each secret.
fn signatures(secrets: &[Vec<u8>], id: &str, now: i64, body: &str) -> String {
    let signature = |secret: &Vec<u8>| {
        let mac = Hmac::<Sha256>::new_from_slice(secret).ok()?.chain_update(format!("{id}.{now}.{body}"));
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    secrets.iter().filter_map(signature).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signatures(
            &[secret.clone(), vec![1]],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        let (first, second) = signed.split_once(' ').unwrap();
        assert_eq!(first, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(second.starts_with("v1,") && second != first);
    }

    #[test]
    fn waits_grow_to_an_hour() {
        let waits: Vec<f64> = (0..14).map(wait_after).collect();
        assert_eq!(waits[..4], [1.0, 2.0, 4.0, 8.0]);
        assert_eq!(waits[12..], [3600.0, 3600.0]);
        assert_eq!(wait_after(u32::MAX), 3600.0);
    }
}
