//! Invitations: offers of an assignment or a share that wait for an answer.

use super::{Item, Range, iso, moment};
use crate::store::StoreError;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// What callers see as its state: one that has ended unanswered is `expired`.
macro_rules! state {
    () => {
        "CASE WHEN state = 'pending' AND expires_at <= now() THEN 'expired' ELSE state END"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT invitation_id::text, jsonb_build_object('id', invitation_id, 'subject', subject_id,
                'assignment', CASE WHEN kind = 'assignment' THEN offer END,
                'share', CASE WHEN kind = 'share' THEN offer END,
                'invited_by', invited_by, 'state', ",
            state!(),
            ", 'created_at', ",
            iso!("created_at"),
            ", 'expires_at', ",
            iso!("expires_at"),
            ", 'answered_at', ",
            iso!("answered_at"),
            ", 'made', made_id)::text FROM invitations WHERE organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by id; of one subject or state if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    subject: Option<&str>,
    state: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = concat!(
        select!(
            "AND ($2::uuid IS NULL OR invitation_id > $2) AND ($4::text IS NULL OR subject_id = $4)
             AND ($5::text IS NULL OR $5 = "
        ),
        state!(),
        ") ORDER BY invitations.invitation_id LIMIT $3"
    );
    Item::page(connection, statement, organization, range, &[subject, state]).await
}

/// An invitation.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// As callers see it.
    pub item: Item,
    /// Whom it is for.
    pub subject: String,
    /// Of a share; otherwise of an assignment.
    pub share: bool,
    /// What the collection of its kind takes.
    pub offer: String,
    /// A subject, or a key's name for the audit.
    pub invited_by: String,
    /// Whether it is a key's name.
    pub by_key: bool,
    /// As callers see it.
    pub state: String,
}

/// One invitation.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Invitation>, StoreError> {
    let item = Item::by_id(connection, select!("AND invitation_id = $2"), organization, id).await?;
    let Some(item) = item else { return Ok(None) };
    let row = sqlx::query(concat!(
        "SELECT subject_id::text, kind = 'share', offer::text, invited_by, invited_by_key, ",
        state!(),
        " FROM invitations WHERE organization_id = $1 AND invitation_id = $2"
    ));
    let row = row.bind(organization).bind(id).fetch_one(connection).await?;
    Ok(Some(Invitation {
        item,
        subject: row.try_get(0)?,
        share: row.try_get(1)?,
        offer: row.try_get(2)?,
        invited_by: row.try_get(3)?,
        by_key: row.try_get(4)?,
        state: row.try_get(5)?,
    }))
}

/// The invitation to this that waits for an answer.
pub async fn pending(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
    (share, offer): (bool, &str),
) -> Result<Option<Item>, StoreError> {
    let statement = sqlx::query(select!(
        "AND subject_id = $2 AND (kind = 'share') = $3 AND offer = $4::jsonb AND state = 'pending'
         AND expires_at > now() ORDER BY invitations.invitation_id LIMIT 1"
    ));
    Item::one(connection, statement.bind(organization).bind(subject).bind(share).bind(offer)).await
}

/// What is written of an invitation.
#[derive(Clone, Debug)]
pub struct NewRow<'i> {
    /// Whom it is for.
    pub subject: &'i str,
    /// Of a share; otherwise of an assignment.
    pub share: bool,
    /// JSON: what the collection of its kind takes.
    pub offer: &'i str,
    /// A subject, or a key's name for the audit.
    pub invited_by: &'i str,
    /// Whether it is a key's name.
    pub by_key: bool,
    /// Its end, in microseconds since 1970.
    pub expires_at: i64,
}

/// Makes an invitation.
pub async fn insert(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
    row: &NewRow<'_>,
) -> Result<(), StoreError> {
    sqlx::query(concat!(
        "INSERT INTO invitations (organization_id, invitation_id, subject_id, kind, offer, invited_by, invited_by_key,
            expires_at)
         VALUES ($1, $2, $3, CASE WHEN $4 THEN 'share' ELSE 'assignment' END, $5::jsonb, $6, $7, ",
        moment!("$8"),
        ")"
    ))
    .bind(organization)
    .bind(id)
    .bind(row.subject)
    .bind(row.share)
    .bind(row.offer)
    .bind(row.invited_by)
    .bind(row.by_key)
    .bind(row.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Answers an invitation that waits; `made`: the id of what was made, where it is accepted.
pub async fn answer(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
    (state, made): (&str, Option<Uuid>),
) -> Result<Option<Item>, StoreError> {
    sqlx::query(
        "UPDATE invitations SET state = $3, made_id = $4, answered_at = now()
         WHERE organization_id = $1 AND invitation_id = $2 AND state = 'pending'",
    )
    .bind(organization)
    .bind(id)
    .bind(state)
    .bind(made)
    .execute(&mut *connection)
    .await?;
    Item::by_id(connection, select!("AND invitation_id = $2"), organization, id).await
}

/// Cancels what waits for the answer of a subject that goes: who gets its id later is somebody else.
pub async fn cancel_of(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE invitations SET state = 'cancelled', answered_at = now()
         WHERE organization_id = $1 AND subject_id = $2 AND state = 'pending'",
    )
    .bind(organization)
    .bind(subject)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a key with which one may write for whoever runs the gateway, of which these are the first characters, is good.
pub async fn writing_key_lives(connection: &mut PgConnection, prefix: &str) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("SELECT writing_key_lives($1)").bind(prefix).fetch_one(connection).await?)
}
