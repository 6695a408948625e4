//! What directories see: subjects of type `user` and groups, with what was said of them beyond the facts.

use super::iso;
use crate::store::StoreError;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// A user or a group, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `user:…` or `group:…`
    pub subject: String,
    /// Whether the subject counts.
    pub active: bool,
    /// As the directory calls it.
    pub external_id: Option<String>,
    /// Of a user: as it was written, or else its first alias or id.
    pub user_name: String,
    /// Whether a directory has written it.
    pub written: bool,
    /// Further attributes: a JSON object.
    pub resource: String,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub modified_at: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT subject.subject_id::text, subject.active, entry.external_id, coalesce(entry.user_name,
                (SELECT min(substr(alias_id, strpos(alias_id, ':') + 1)) FROM subject_aliases AS alias
                    WHERE alias.organization_id = subject.organization_id AND alias.subject_id = subject.subject_id),
                substr(subject.subject_id, strpos(subject.subject_id, ':') + 1)),
                entry.subject_id IS NOT NULL, coalesce(entry.resource, '{}')::text, ",
            iso!("entry.created_at"),
            ", ",
            iso!("entry.modified_at"),
            " FROM subjects AS subject LEFT JOIN directory_entries AS entry USING (organization_id, subject_id)
             WHERE organization_id = $1 ",
            $rest
        )
    };
}

fn entry(row: &PgRow) -> Result<Entry, StoreError> {
    Ok(Entry {
        subject: row.try_get(0)?,
        active: row.try_get(1)?,
        external_id: row.try_get(2)?,
        user_name: row.try_get(3)?,
        written: row.try_get(4)?,
        resource: row.try_get(5)?,
        created_at: row.try_get(6)?,
        modified_at: row.try_get(7)?,
    })
}

/// One of them.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
) -> Result<Option<Entry>, StoreError> {
    let row = sqlx::query(select!("AND subject_id = $2")).bind(organization).bind(subject);
    row.fetch_optional(connection).await?.as_ref().map(entry).transpose()
}

/// Which of a list.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// `user:` or `group:`.
    pub kind: &'w str,
    /// Only these.
    pub among: Option<&'w [String]>,
    /// Only those that count, or do not.
    pub active: Option<bool>,
    /// How many are left out, and how many are wanted at most.
    pub part: (i64, i64),
}

/// A part of a list, by id, and how many there are.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    wanted: &Wanted<'_>,
) -> Result<(i64, Vec<Entry>), StoreError> {
    let total = sqlx::query_scalar(
        "SELECT count(*) FROM subjects WHERE organization_id = $1 AND starts_with(subject_id, $2)
            AND ($3::text[] IS NULL OR subject_id = ANY ($3)) AND ($4::boolean IS NULL OR active = $4)",
    );
    let total = total.bind(organization).bind(wanted.kind).bind(wanted.among).bind(wanted.active);
    let total = total.fetch_one(&mut *connection).await?;
    let rows = sqlx::query(select!(
        "AND starts_with(subject_id, $2) AND ($3::text[] IS NULL OR subject_id = ANY ($3))
         AND ($4::boolean IS NULL OR subject.active = $4) ORDER BY subject_id OFFSET $5 LIMIT $6"
    ))
    .bind(organization)
    .bind(wanted.kind)
    .bind(wanted.among)
    .bind(wanted.active)
    .bind(wanted.part.0)
    .bind(wanted.part.1)
    .fetch_all(connection)
    .await?;
    Ok((total, rows.iter().map(entry).collect::<Result<_, _>>()?))
}

/// The users of a name: as it was written, whatever its case, or as an alias or an id.
pub async fn of_user_name(
    connection: &mut PgConnection,
    organization: &str,
    (name, folded): (&str, &str),
) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar(
        "SELECT subject_id::text FROM directory_entries WHERE organization_id = $1 AND user_name_key = $3
         UNION SELECT subject_id::text FROM subject_aliases AS alias
            WHERE organization_id = $1 AND alias_id = 'user:' || $2 AND NOT EXISTS (SELECT FROM directory_entries AS entry
                WHERE entry.organization_id = $1 AND entry.subject_id = alias.subject_id)
         UNION SELECT subject_id::text FROM subjects AS subject
            WHERE organization_id = $1 AND subject_id = 'user:' || $2 AND NOT EXISTS (SELECT FROM directory_entries AS entry
                WHERE entry.organization_id = $1 AND entry.subject_id = subject.subject_id)",
    );
    Ok(ids.bind(organization).bind(name).bind(folded).fetch_all(connection).await?)
}

/// Those that the directory calls so.
pub async fn of_external_id(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
) -> Result<Vec<String>, StoreError> {
    let statement =
        "SELECT subject_id::text FROM directory_entries WHERE organization_id = $1 AND external_id = $2";
    Ok(sqlx::query_scalar(statement).bind(organization).bind(id).fetch_all(connection).await?)
}

/// The groups of a name; of one without, its id.
pub async fn of_display_name(
    connection: &mut PgConnection,
    organization: &str,
    name: &str,
) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar(
        "SELECT subject_id::text FROM directory_entries
            WHERE organization_id = $1 AND user_name IS NULL AND resource ->> 'displayName' = $2
         UNION SELECT subject_id::text FROM subjects AS subject
            WHERE organization_id = $1 AND subject_id = 'group:' || $2 AND NOT EXISTS (SELECT FROM directory_entries AS entry
                WHERE entry.organization_id = $1 AND entry.subject_id = subject.subject_id)",
    );
    Ok(ids.bind(organization).bind(name).fetch_all(connection).await?)
}

/// The groups of these subjects that a membership counts in: the subject, the group, and its name.
pub async fn groups_of(
    connection: &mut PgConnection,
    organization: &str,
    subjects: &[String],
) -> Result<Vec<[String; 3]>, StoreError> {
    let rows = sqlx::query(
        "SELECT DISTINCT member.subject_id::text, member.group_id::text, coalesce(entry.resource ->> 'displayName',
            substr(member.group_id, 7)) FROM memberships AS member
         LEFT JOIN directory_entries AS entry
            ON entry.organization_id = member.organization_id AND entry.subject_id = member.group_id
         WHERE member.organization_id = $1 AND member.subject_id = ANY ($2) AND member.active ORDER BY 1, 2",
    );
    three(rows.bind(organization).bind(subjects).fetch_all(connection).await?)
}

/// The members of these groups whose membership counts: the group, the member, and its name.
pub async fn members_of(
    connection: &mut PgConnection,
    organization: &str,
    groups: &[String],
) -> Result<Vec<[String; 3]>, StoreError> {
    let rows = sqlx::query(
        "SELECT DISTINCT member.group_id::text, member.subject_id::text, coalesce(entry.resource ->> 'displayName',
            entry.user_name, substr(member.subject_id, strpos(member.subject_id, ':') + 1)) FROM memberships AS member
         LEFT JOIN directory_entries AS entry
            ON entry.organization_id = member.organization_id AND entry.subject_id = member.subject_id
         WHERE member.organization_id = $1 AND member.group_id = ANY ($2) AND member.active
            AND (starts_with(member.subject_id, 'user:') OR starts_with(member.subject_id, 'group:')) ORDER BY 1, 2",
    );
    three(rows.bind(organization).bind(groups).fetch_all(connection).await?)
}

fn three(rows: Vec<PgRow>) -> Result<Vec<[String; 3]>, StoreError> {
    rows.iter().map(|row| Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?])).collect()
}

/// Those of these ids that are listed.
pub async fn listed(
    connection: &mut PgConnection,
    organization: &str,
    ids: &[String],
) -> Result<Vec<String>, StoreError> {
    let statement =
        "SELECT subject_id::text FROM subjects WHERE organization_id = $1 AND subject_id = ANY ($2)";
    Ok(sqlx::query_scalar(statement).bind(organization).bind(ids).fetch_all(connection).await?)
}

/// Writes what a directory says of a subject.
pub async fn put(
    connection: &mut PgConnection,
    (organization, subject): (&str, &str),
    external_id: Option<&str>,
    user_name: Option<(&str, &str)>,
    resource: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO directory_entries AS old (organization_id, subject_id, external_id, user_name, user_name_key, resource)
         VALUES ($1, $2, $3, $4, $5, $6::jsonb) ON CONFLICT (organization_id, subject_id) DO UPDATE SET
            external_id = EXCLUDED.external_id, user_name = EXCLUDED.user_name, user_name_key = EXCLUDED.user_name_key,
            resource = EXCLUDED.resource, modified_at = now()
         WHERE (old.external_id, old.user_name, old.resource)
            IS DISTINCT FROM (EXCLUDED.external_id, EXCLUDED.user_name, EXCLUDED.resource)",
    )
    .bind(organization)
    .bind(subject)
    .bind(external_id)
    .bind(user_name.map(|name| name.0))
    .bind(user_name.map(|name| name.1))
    .bind(resource)
    .execute(connection)
    .await?;
    Ok(())
}

/// The memberships of a subject in a group, whatever their lives.
pub async fn memberships(
    connection: &mut PgConnection,
    organization: &str,
    (subject, group): (&str, &str),
) -> Result<Vec<uuid::Uuid>, StoreError> {
    let statement = "SELECT membership_id FROM memberships WHERE organization_id = $1 AND subject_id = $2 AND group_id = $3";
    Ok(sqlx::query_scalar(statement)
        .bind(organization)
        .bind(subject)
        .bind(group)
        .fetch_all(connection)
        .await?)
}

/// Takes down that an event about a user or a group was done; `false` where it was, or a newer one. For as long as the
/// transaction lasts nobody else does another.
pub async fn advance(
    connection: &mut PgConnection,
    organization: &str,
    (is_user, external_id): (bool, &str),
    event: &str,
    members: Option<&[String]>,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO directory_events AS old (organization_id, of_user, external_id, last_event_id, members)
         VALUES ($1, $2, $3, $4, coalesce($5, '{}'))
         ON CONFLICT (organization_id, of_user, external_id) DO UPDATE
            SET last_event_id = EXCLUDED.last_event_id, members = coalesce($5, old.members)
         WHERE old.last_event_id < EXCLUDED.last_event_id",
    );
    let done = done.bind(organization).bind(is_user).bind(external_id).bind(event).bind(members);
    Ok(done.execute(connection).await?.rows_affected() > 0)
}

/// The groups here to which one belongs by what events said of them, by what the directory calls it.
pub async fn groups_told_of(
    connection: &mut PgConnection,
    organization: &str,
    member: &str,
) -> Result<Vec<String>, StoreError> {
    let groups = sqlx::query_scalar(
        "SELECT entry.subject_id::text FROM directory_events AS event
         JOIN directory_entries AS entry USING (organization_id, external_id)
         WHERE organization_id = $1 AND NOT event.of_user AND $2 = ANY (event.members)
            AND starts_with(entry.subject_id, 'group:') ORDER BY entry.subject_id",
    );
    Ok(groups.bind(organization).bind(member).fetch_all(connection).await?)
}
