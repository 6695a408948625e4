//! What webhooks are to be told, and how far each is.

use super::StoreError;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// What is told of an event of the audit.
macro_rules! body {
    () => {
        "jsonb_build_object('id', 'evt_' || event.audit_event_id, 'type', event.operation,
            'organization', event.organization_id, 'revision', event.revision::text,
            'occurred_at', to_char(event.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
            'data', jsonb_build_object('actor', event.actor, 'target', event.target, 'before', event.before,
                'after', event.after, 'request_id', event.request_id))::text"
    };
}

/// A webhook, by whose and which.
pub type Which = (String, Uuid);

/// Those of all organizations for which there may be something to do.
pub async fn due(connection: &mut PgConnection, at_most: i64) -> Result<Vec<Which>, StoreError> {
    let rows = sqlx::query("SELECT organization_id, webhook_id FROM webhooks_due($1)").bind(at_most);
    let rows = rows.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A webhook that this gateway has in hand.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Where it is told.
    pub url: String,
    /// What signs, and for a while what signed before.
    pub secrets: Vec<Vec<u8>>,
    /// Attempts since the last delivery that was taken.
    pub attempts: u32,
}

/// Takes a webhook in hand for so many seconds, unless it is not due or another gateway has it.
pub async fn claim(
    connection: &mut PgConnection,
    (organization, id): (&str, Uuid),
    seconds: f64,
) -> Result<Option<Claimed>, StoreError> {
    let row = sqlx::query(
        "UPDATE webhooks SET claimed_until = now() + make_interval(secs => $3)
         WHERE organization_id = $1 AND webhook_id = $2 AND active AND due_at <= now()
           AND (claimed_until IS NULL OR claimed_until <= now())
         RETURNING url, secret, CASE WHEN former_until > now() THEN former_secret END, attempts",
    );
    let row = row.bind(organization).bind(id).bind(seconds).fetch_optional(connection).await?;
    let claimed = |row: PgRow| -> Result<Claimed, StoreError> {
        let secrets = [Some(row.try_get(1)?), row.try_get(2)?].into_iter().flatten().collect();
        let attempts: i32 = row.try_get(3)?;
        Ok(Claimed { url: row.try_get(0)?, secrets, attempts: attempts.unsigned_abs() })
    };
    row.map(claimed).transpose()
}

/// What a webhook is told next.
#[derive(Clone, Debug)]
pub enum Next {
    /// An event of the audit, by its number, as JSON, and whether it was given up before.
    Event {
        /// Its number.
        id: i64,
        /// What is told.
        body: String,
        /// A dead letter.
        again: bool,
    },
    /// The newest revision.
    Revision(u64),
}

/// What is next: what was given up and is wanted again, then the events in their order, then the newest revision. `None`:
/// there is nothing, and it is remembered how far that was looked at.
pub async fn next(
    connection: &mut PgConnection,
    (organization, id): (&str, Uuid),
) -> Result<Option<Next>, StoreError> {
    let letter = sqlx::query(concat!(
        "SELECT event.audit_event_id, ",
        body!(),
        " FROM webhook_dead_letters AS letter JOIN audit_events AS event USING (organization_id, audit_event_id)
         WHERE letter.organization_id = $1 AND letter.webhook_id = $2 AND letter.again
         ORDER BY letter.audit_event_id LIMIT 1"
    ));
    if let Some(row) = letter.bind(organization).bind(id).fetch_optional(&mut *connection).await? {
        return Ok(Some(Next::Event { id: row.try_get(0)?, body: row.try_get(1)?, again: true }));
    }
    // One statement, and so one moment: where none of them is wanted, all up to the last are passed over.
    let row = sqlx::query(concat!(
        "SELECT wanted.audit_event_id, wanted.body, webhook.delivered, last.audit_event_id,
            CASE WHEN 'revision' = ANY (webhook.events) AND head.revision <> webhook.announced
                THEN head.revision::text END
         FROM webhooks AS webhook JOIN organization_heads AS head USING (organization_id)
         LEFT JOIN LATERAL (SELECT event.audit_event_id, ",
        body!(),
        " AS body
            FROM audit_events AS event WHERE event.organization_id = webhook.organization_id
                AND event.audit_event_id > webhook.delivered
                AND event.operation NOT IN ('secret.read', 'secret.denied')
                AND (split_part(event.operation, '.', 1) = ANY (webhook.events) OR '*' = ANY (webhook.events))
            ORDER BY event.audit_event_id LIMIT 1) AS wanted ON true
         LEFT JOIN LATERAL (SELECT event.audit_event_id FROM audit_events AS event
            WHERE event.organization_id = webhook.organization_id
                AND event.operation NOT IN ('secret.read', 'secret.denied')
            ORDER BY event.audit_event_id DESC LIMIT 1) AS last ON true
         WHERE webhook.organization_id = $1 AND webhook.webhook_id = $2"
    ));
    let Some(row) = row.bind(organization).bind(id).fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    if let Some(event) = row.try_get::<Option<i64>, _>(0)? {
        return Ok(Some(Next::Event { id: event, body: row.try_get(1)?, again: false }));
    }
    let (delivered, last): (i64, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
    if let Some(last) = last.filter(|last| *last > delivered) {
        delivered_up_to(connection, (organization, id), last).await?;
    }
    let revision: Option<String> = row.try_get(4)?;
    Ok(revision.map(super::heads::parse_revision).transpose()?.map(Next::Revision))
}

async fn delivered_up_to(
    connection: &mut PgConnection,
    (organization, id): (&str, Uuid),
    event: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE webhooks SET delivered = greatest(delivered, $3) WHERE organization_id = $1 AND webhook_id = $2")
        .bind(organization)
        .bind(id)
        .bind(event)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes down that something was taken, and keeps the webhook in hand for so many seconds more.
pub async fn taken(
    connection: &mut PgConnection,
    (organization, id): (&str, Uuid),
    what: &Next,
    seconds: f64,
) -> Result<(), StoreError> {
    match what {
        Next::Event { id: event, again: true, .. } => {
            sqlx::query(
                "DELETE FROM webhook_dead_letters
                 WHERE organization_id = $1 AND webhook_id = $2 AND audit_event_id = $3",
            )
            .bind(organization)
            .bind(id)
            .bind(event)
            .execute(&mut *connection)
            .await?;
        }
        Next::Event { id: event, .. } => {
            delivered_up_to(&mut *connection, (organization, id), *event).await?;
        }
        Next::Revision(revision) => {
            sqlx::query(
                "UPDATE webhooks SET announced = $3::text::numeric WHERE organization_id = $1 AND webhook_id = $2",
            )
            .bind(organization)
            .bind(id)
            .bind(revision.to_string())
            .execute(&mut *connection)
            .await?;
        }
    }
    sqlx::query(
        "UPDATE webhooks SET attempts = 0, failing_since = NULL, last_error = NULL, last_delivered_at = now(),
            claimed_until = now() + make_interval(secs => $3)
         WHERE organization_id = $1 AND webhook_id = $2",
    )
    .bind(organization)
    .bind(id)
    .bind(seconds)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes down that something was not taken: when it is tried again, and what is too old for that. How many were given up.
pub async fn refused(
    connection: &mut PgConnection,
    (organization, id): (&str, Uuid),
    (error, wait_seconds, give_up_seconds): (&str, f64, f64),
) -> Result<u64, StoreError> {
    // What was wanted again and is refused again is given up again.
    sqlx::query(
        "UPDATE webhook_dead_letters SET again = false, error = $3, given_up_at = now()
         WHERE organization_id = $1 AND webhook_id = $2 AND again",
    )
    .bind(organization)
    .bind(id)
    .bind(error)
    .execute(&mut *connection)
    .await?;
    let given_up = sqlx::query(
        "INSERT INTO webhook_dead_letters (organization_id, webhook_id, audit_event_id, error)
         SELECT webhook.organization_id, webhook.webhook_id, event.audit_event_id, $3
         FROM webhooks AS webhook JOIN audit_events AS event ON event.organization_id = webhook.organization_id
            AND event.audit_event_id > webhook.delivered AND event.operation NOT IN ('secret.read', 'secret.denied')
            AND (split_part(event.operation, '.', 1) = ANY (webhook.events) OR '*' = ANY (webhook.events))
            AND event.occurred_at <= now() - make_interval(secs => $4)
         WHERE webhook.organization_id = $1 AND webhook.webhook_id = $2
         ON CONFLICT DO NOTHING RETURNING audit_event_id",
    );
    let given_up = given_up.bind(organization).bind(id).bind(error).bind(give_up_seconds);
    let given_up = given_up.fetch_all(&mut *connection).await?;
    let last = given_up.iter().map(|row| row.try_get::<i64, _>(0)).max_by_key(|id| id.as_ref().ok().copied());
    if let Some(last) = last.transpose()? {
        delivered_up_to(&mut *connection, (organization, id), last).await?;
    }
    sqlx::query(
        "UPDATE webhooks SET attempts = attempts + 1, failing_since = coalesce(failing_since, now()), last_error = $3,
            due_at = now() + make_interval(secs => $4), claimed_until = NULL
         WHERE organization_id = $1 AND webhook_id = $2",
    )
    .bind(organization)
    .bind(id)
    .bind(error)
    .bind(wait_seconds)
    .execute(connection)
    .await?;
    Ok(given_up.len() as u64)
}

/// Has a webhook told nothing more: it is not there any more, and says so.
pub async fn end(connection: &mut PgConnection, (organization, id): (&str, Uuid)) -> Result<(), StoreError> {
    sqlx::query("UPDATE webhooks SET active = false WHERE organization_id = $1 AND webhook_id = $2")
        .bind(organization)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets a webhook out of hand.
pub async fn release(
    connection: &mut PgConnection,
    (organization, id): (&str, Uuid),
) -> Result<(), StoreError> {
    sqlx::query("UPDATE webhooks SET claimed_until = NULL WHERE organization_id = $1 AND webhook_id = $2")
        .bind(organization)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}
