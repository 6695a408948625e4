//! Webhooks: who is told of what is written.

use super::permission::{AUDIT_READ, WEBHOOK_MANAGE};
use super::refused::refusal;
use super::roles::expect;
use super::{Make, Need, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::manage::Item;
use crate::store::manage::webhooks::{self, WebhookRow};
use crate::webhooks::target::is_url;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

/// LIMIT: characters of an address and of a description.
const TEXT_MAX: usize = 2048;
/// What can be told: the revision, and what stands before the point of an operation of the audit.
pub const EVENTS: &[&str] = &[
    "*",
    "assignment",
    "edge",
    "grant",
    "invitation",
    "membership",
    "organization",
    "preset",
    "resource",
    "revision",
    "role",
    "role_alias",
    "scope",
    "secret",
    "share",
    "subject",
    "webhook",
];

/// What callers say of a webhook.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookFields {
    url: String,
    #[serde(default)]
    description: String,
    events: Vec<String>,
    #[serde(default = "super::input::yes")]
    active: bool,
}

impl WebhookFields {
    fn checked(&self, write: &Write<'_>) -> Result<WebhookRow<'_>, Refusal> {
        let wrong = |what: String| Err(Problem::INVALID_REQUEST.because(what));
        if self.url.len() > TEXT_MAX || !is_url(&self.url) {
            return wrong(
                "url: write https://host/path, in at most 2,048 bytes, without a password".to_owned(),
            );
        }
        if self.description.len() > TEXT_MAX || self.description.contains('\0') {
            return wrong("description: at most 2,048 bytes, without U+0000".to_owned());
        }
        if let Some(index) = self.events.iter().position(|event| !EVENTS.contains(&event.as_str())) {
            return wrong(format!("events/{index}: it is none of `{}`", EVENTS.join("`, `")));
        }
        if self.events.is_empty() {
            return wrong("events: it is empty".to_owned());
        }
        // Who hears of what was written reads the audit.
        if self.events.iter().any(|event| event != "revision") {
            write.require(&Need { any_of: &[AUDIT_READ], at: None })?;
        }
        if !write.app.config.webhook_targets.iter().any(|target| target.allows(&self.url)) {
            return Err(Problem::WEBHOOK_NOT_ALLOWED.into());
        }
        let WebhookFields { url, description, events, active } = self;
        Ok(WebhookRow { url, description, events, active: *active })
    }
}

impl Make for WebhookFields {
    const COLLECTION: &'static str = "webhooks";

    /// Makes a webhook, which hears of what is written from this on.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        write.may_manage_webhooks()?;
        let row = self.checked(&write)?;
        let (id, secret) = (Uuid::now_v7(), fresh_secret()?);
        let (connection, organization) = write.tables();
        webhooks::insert(connection, organization, id, &row, &secret).await.map_err(refusal)?;
        let after = write.webhook(id).await?;
        write.commit("webhook.create", &after.id.clone(), None, Some(after)).await
    }
}

impl Write<'_> {
    fn may_manage_webhooks(&self) -> Result<(), Refusal> {
        self.require(&Need { any_of: &[WEBHOOK_MANAGE], at: None })
    }

    /// Changes a webhook that is as `tags` say. It is tried again at once.
    pub async fn update_webhook(
        mut self,
        id: Uuid,
        tags: &[String],
        fields: &WebhookFields,
    ) -> Result<Written, Refusal> {
        self.may_manage_webhooks()?;
        let before = self.webhook(id).await?;
        expect(&before, tags)?;
        let row = fields.checked(&self)?;
        let (connection, organization) = self.tables();
        webhooks::update(connection, organization, id, &row).await.map_err(refusal)?;
        let after = self.webhook(id).await?;
        self.commit("webhook.update", &after.id.clone(), Some(before), Some(after)).await
    }

    /// Deletes a webhook that is as `tags` say.
    pub async fn delete_webhook(mut self, id: Uuid, tags: &[String]) -> Result<Written, Refusal> {
        self.may_manage_webhooks()?;
        let before = self.webhook(id).await?;
        expect(&before, tags)?;
        let (connection, organization) = self.tables();
        webhooks::delete(connection, organization, id).await.map_err(refusal)?;
        self.commit("webhook.delete", &before.id.clone(), Some(before), None).await
    }

    /// Gives a webhook another secret; for a day the one that there was signs as well.
    pub async fn rotate_webhook(mut self, id: Uuid) -> Result<Written, Refusal> {
        self.may_manage_webhooks()?;
        let item = self.webhook(id).await?;
        let secret = fresh_secret()?;
        let (connection, organization) = self.tables();
        webhooks::rotate(connection, organization, id, &secret).await.map_err(refusal)?;
        self.commit("webhook.rotate", &item.id.clone(), None, Some(item)).await
    }

    /// Has a webhook told once more what was given up, and at once what waits. The answer tells how many were given up.
    pub async fn retry_webhook(mut self, id: Uuid) -> Result<Written, Refusal> {
        self.may_manage_webhooks()?;
        let item = self.webhook(id).await?;
        let (connection, organization) = self.tables();
        let again = webhooks::again(connection, organization, id).await.map_err(refusal)?;
        let told = Item { id: item.id.clone(), text: json!({"again": again}).to_string() };
        self.commit("webhook.retry", &item.id, None, Some(told)).await
    }

    async fn webhook(&mut self, id: Uuid) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        let item = webhooks::get(connection, organization, id).await.map_err(refusal)?;
        Ok(item.ok_or(Problem::ITEM_NOT_FOUND)?)
    }
}

fn fresh_secret() -> Result<[u8; 32], Refusal> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| {
        tracing::error!(%error, "the operating system gives no random bytes");
        Refusal::from(Problem::INTERNAL)
    })?;
    Ok(secret)
}
