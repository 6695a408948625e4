//! The operations of webhooks, for the list of all (`http::operations`).

use super::operations::{CHANGE, CHANGES, ONCE, PAGE, at};
use super::{create, webhooks};
use crate::http::operations::{Answer, CHANGED, Credential, DECIDED, ITEM, MADE, Operation, operation};
use crate::manage::WebhookFields;
use crate::problem::Problem;
use axum::routing::{delete, get, post, put};

pub(super) fn webhooks() -> Vec<Operation> {
    let managers = Credential::Manager(webhooks::READERS);
    vec![
        operation(
            ("GET", at("webhooks"), "listWebhooks"),
            "Who is told of what is written.",
            managers,
            (200, Answer::Page("Webhook")),
            get(webhooks::list),
        )
        .with(PAGE),
        operation(
            ("POST", at("webhooks"), "createWebhook"),
            "Has an address told of what is written from now on.",
            managers,
            (201, Answer::Json("Webhook")),
            post(create::<WebhookFields>),
        )
        .tells(MADE)
        .takes("WebhookFields")
        .with(ONCE)
        .refuses(&[Problem::WEBHOOK_NOT_ALLOWED, Problem::IDEMPOTENCY_KEY_REUSED]),
        operation(
            ("GET", at("webhooks/{id}"), "readWebhook"),
            "A webhook.",
            managers,
            (200, Answer::Json("Webhook")),
            get(webhooks::read),
        )
        .tells(ITEM)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("PUT", at("webhooks/{id}"), "updateWebhook"),
            "Changes a webhook, which is tried again at once.",
            managers,
            (200, Answer::Json("Webhook")),
            put(webhooks::update),
        )
        .tells(CHANGED)
        .takes("WebhookFields")
        .with(CHANGE)
        .refuses(&CHANGES)
        .refuses(&[Problem::WEBHOOK_NOT_ALLOWED]),
        operation(
            ("DELETE", at("webhooks/{id}"), "deleteWebhook"),
            "Deletes a webhook, with what it was not told.",
            managers,
            (204, Answer::Empty),
            delete(webhooks::delete),
        )
        .tells(DECIDED)
        .with(CHANGE)
        .refuses(&CHANGES),
        operation(
            ("GET", at("webhooks/{id}/deliveries"), "readWebhookDeliveries"),
            "How deliveries go, and what was given up.",
            managers,
            (200, Answer::Json("Deliveries")),
            get(webhooks::deliveries),
        )
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("GET", at("webhooks/{id}/secret"), "readWebhookSecret"),
            "What deliveries are signed with; for credentials that may write.",
            managers,
            (200, Answer::Json("WebhookSecret")),
            get(webhooks::secret),
        )
        .refuses(&[Problem::ITEM_NOT_FOUND, Problem::READ_ONLY_KEY]),
        operation(
            ("POST", at("webhooks/{id}/rotate"), "rotateWebhookSecret"),
            "Gives a webhook another secret; for a day the one that there was signs as well.",
            managers,
            (200, Answer::Json("Webhook")),
            post(webhooks::rotate),
        )
        .tells(CHANGED)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("POST", at("webhooks/{id}/retry"), "retryWebhook"),
            "Has a webhook told once more what was given up, and at once what waits.",
            managers,
            (200, Answer::Json("WebhookRetry")),
            post(webhooks::retry),
        )
        .tells(CHANGED)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
    ]
}
