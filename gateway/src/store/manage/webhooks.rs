//! Webhooks as they are managed: rows, how their deliveries go, and what was given up. Delivering is in
//! [`crate::store::webhooks`].

use super::{Item, Range, Statement, iso};
use crate::store::StoreError;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT webhook.webhook_id::text, jsonb_build_object('id', webhook.webhook_id, 'url', webhook.url,
                'description', webhook.description, 'events', to_jsonb(webhook.events), 'active', webhook.active)::text
             FROM webhooks AS webhook WHERE webhook.organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by id.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement =
        select!("AND ($2::uuid IS NULL OR webhook.webhook_id > $2) ORDER BY webhook.webhook_id LIMIT $3");
    Item::page(connection, statement, organization, range, &[]).await
}

/// One webhook.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Item>, StoreError> {
    Item::by_id(connection, select!("AND webhook.webhook_id = $2"), organization, id).await
}

/// What is written of a webhook.
#[derive(Clone, Copy, Debug)]
pub struct WebhookRow<'w> {
    /// Where it is told.
    pub url: &'w str,
    /// For people.
    pub description: &'w str,
    /// Of what.
    pub events: &'w [String],
    /// Whether it is told at all.
    pub active: bool,
}

fn bind<'q>(
    statement: Statement<'q>,
    organization: &'q str,
    id: Uuid,
    row: &WebhookRow<'q>,
) -> Statement<'q> {
    let statement = statement.bind(organization).bind(id).bind(row.url);
    statement.bind(row.description).bind(row.events).bind(row.active)
}

/// Makes a webhook, which is told of what is written from now on, and of the revision that there is.
pub async fn insert(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
    row: &WebhookRow<'_>,
    secret: &[u8],
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO webhooks (organization_id, webhook_id, url, description, events, active, secret, announced, delivered)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, (SELECT coalesce(max(audit_event_id), 0) FROM audit_events
            WHERE organization_id = $1 AND operation NOT IN ('secret.read', 'secret.denied')))",
    );
    bind(statement, organization, id, row).bind(secret).execute(connection).await?;
    Ok(())
}

/// Writes a webhook, which is tried again at once.
pub async fn update(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
    row: &WebhookRow<'_>,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE webhooks SET url = $3, description = $4, events = $5, active = $6, due_at = now(), attempts = 0
         WHERE organization_id = $1 AND webhook_id = $2",
    );
    bind(statement, organization, id, row).execute(connection).await?;
    Ok(())
}

/// Deletes a webhook, with what was given up.
pub async fn delete(connection: &mut PgConnection, organization: &str, id: Uuid) -> Result<(), StoreError> {
    let statement = "DELETE FROM webhooks WHERE organization_id = $1 AND webhook_id = $2";
    super::execute_by_id(connection, statement, organization, id).await
}

/// Exchanges the secret; the one that there was signs as well for a day.
pub async fn rotate(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
    secret: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhooks SET former_secret = secret, former_until = now() + interval '24 hours', secret = $3
         WHERE organization_id = $1 AND webhook_id = $2",
    )
    .bind(organization)
    .bind(id)
    .bind(secret)
    .execute(connection)
    .await?;
    Ok(())
}

/// The secret.
pub async fn secret(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Vec<u8>>, StoreError> {
    let statement =
        sqlx::query_scalar("SELECT secret FROM webhooks WHERE organization_id = $1 AND webhook_id = $2");
    Ok(statement.bind(organization).bind(id).fetch_optional(connection).await?)
}

/// How deliveries go, with the first 100 of those that were given up: JSON.
pub async fn deliveries(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Item>, StoreError> {
    let statement = concat!(
        "SELECT webhook.webhook_id::text, jsonb_build_object(
            'waiting', (SELECT count(*) FROM audit_events AS event WHERE event.organization_id = webhook.organization_id
                AND event.audit_event_id > webhook.delivered AND event.operation NOT IN ('secret.read', 'secret.denied')
                AND (split_part(event.operation, '.', 1) = ANY (webhook.events) OR '*' = ANY (webhook.events))),
            'last_delivered_at', ",
        iso!("webhook.last_delivered_at"),
        ", 'failing_since', ",
        iso!("webhook.failing_since"),
        ", 'attempts', webhook.attempts, 'last_error', webhook.last_error, 'next_attempt_at',
            CASE WHEN webhook.attempts > 0 THEN ",
        iso!("webhook.due_at"),
        " END, 'given_up', (SELECT count(*) FROM webhook_dead_letters AS letter
                WHERE letter.organization_id = webhook.organization_id AND letter.webhook_id = webhook.webhook_id),
            'dead_letters', coalesce((SELECT jsonb_agg(dead.letter ORDER BY dead.audit_event_id) FROM (
                SELECT letter.audit_event_id, jsonb_build_object('id', 'evt_' || letter.audit_event_id,
                    'type', event.operation, 'error', letter.error, 'given_up_at', ",
        iso!("letter.given_up_at"),
        ") AS letter FROM webhook_dead_letters AS letter JOIN audit_events AS event USING (organization_id, audit_event_id)
                WHERE letter.organization_id = webhook.organization_id AND letter.webhook_id = webhook.webhook_id
                ORDER BY letter.audit_event_id LIMIT 100) AS dead), '[]'))::text
         FROM webhooks AS webhook WHERE webhook.organization_id = $1 AND webhook.webhook_id = $2"
    );
    Item::by_id(connection, statement, organization, id).await
}

/// Has what was given up tried once more, and what waits at once; how many were given up.
pub async fn again(connection: &mut PgConnection, organization: &str, id: Uuid) -> Result<u64, StoreError> {
    let letters = sqlx::query(
        "UPDATE webhook_dead_letters SET again = true WHERE organization_id = $1 AND webhook_id = $2 RETURNING 1",
    );
    let letters = letters.bind(organization).bind(id).fetch_all(&mut *connection).await?;
    let at_once =
        "UPDATE webhooks SET due_at = now(), attempts = 0 WHERE organization_id = $1 AND webhook_id = $2";
    super::execute_by_id(connection, at_once, organization, id).await?;
    letters.iter().try_for_each(|row| row.try_get::<i32, _>(0).map(drop))?;
    Ok(letters.len() as u64)
}
