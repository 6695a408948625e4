//! Subjects, groups among them, with their aliases.

use super::{Item, Range, bounds, iso, moment};
use crate::store::StoreError;
use postern_world::Life;
use sqlx::PgConnection;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT subject.subject_id::text, jsonb_build_object('id', subject.subject_id,
                'aliases', ARRAY(SELECT substr(alias_id, strpos(alias_id, ':') + 1) FROM subject_aliases AS alias
                    WHERE alias.organization_id = subject.organization_id AND alias.subject_id = subject.subject_id
                    ORDER BY alias_id),
                'attributes', subject.attributes, 'active', subject.active, 'not_before', ",
            iso!("subject.not_before"),
            ", 'expires_at', ",
            iso!("subject.expires_at"),
            ")::text FROM subjects AS subject WHERE subject.organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by id; of one type if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    kind: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = sqlx::query(select!(
        "AND ($2::text IS NULL OR subject.subject_id > $2)
         AND ($3::text IS NULL OR starts_with(subject.subject_id, $3 || ':'))
         ORDER BY subject.subject_id LIMIT $4"
    ))
    .bind(organization)
    .bind(&range.after)
    .bind(kind)
    .bind(range.limit);
    Item::all(connection, statement).await
}

/// One subject, by its id.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
) -> Result<Option<Item>, StoreError> {
    let statement = sqlx::query(select!("AND subject.subject_id = $2")).bind(organization).bind(id);
    Item::one(connection, statement).await
}

/// The id of the subject that has an id as an alias.
pub async fn of_alias(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT subject_id::text FROM subject_aliases WHERE organization_id = $1 AND alias_id = $2",
    )
    .bind(organization)
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Writes a subject with its aliases (without their type), new or in the place of the one of this id.
pub async fn put(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
    aliases: &[String],
    attributes: &str,
    life: Life,
) -> Result<(), StoreError> {
    let (not_before, expires_at) = bounds(life);
    sqlx::query(concat!(
        "INSERT INTO subjects (organization_id, subject_id, attributes, active, not_before, expires_at)
         VALUES ($1, $2, $3::jsonb, $4, ",
        moment!("$5"),
        ", ",
        moment!("$6"),
        ") ON CONFLICT (organization_id, subject_id) DO UPDATE SET attributes = EXCLUDED.attributes,
            active = EXCLUDED.active, not_before = EXCLUDED.not_before, expires_at = EXCLUDED.expires_at"
    ))
    .bind(organization)
    .bind(id)
    .bind(attributes)
    .bind(life.active)
    .bind(not_before)
    .bind(expires_at)
    .execute(&mut *connection)
    .await?;
    let kind = id.split_once(':').map_or("", |(kind, _)| kind);
    let aliases: Vec<String> = aliases.iter().map(|alias| format!("{kind}:{alias}")).collect();
    sqlx::query(
        "WITH gone AS (DELETE FROM subject_aliases
             WHERE organization_id = $1 AND subject_id = $2 AND alias_id <> ALL ($3))
         INSERT INTO subject_aliases (organization_id, alias_id, subject_id)
         SELECT $1, wanted, $2 FROM unnest($3) AS wanted
         WHERE NOT EXISTS (SELECT FROM subject_aliases AS alias
             WHERE alias.organization_id = $1 AND alias.alias_id = wanted AND alias.subject_id = $2)",
    )
    .bind(organization)
    .bind(id)
    .bind(aliases)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a subject with everything that it holds and belongs to: what named it would otherwise still count.
pub async fn delete(connection: &mut PgConnection, organization: &str, id: &str) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM grants WHERE organization_id = $1 AND subject_id = $2",
        "DELETE FROM assignments WHERE organization_id = $1 AND subject_id = $2",
        "DELETE FROM memberships WHERE organization_id = $1 AND subject_id = $2",
        "DELETE FROM subjects WHERE organization_id = $1 AND subject_id = $2",
    ] {
        sqlx::query(statement).bind(organization).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The subjects of these ids, and every one that belongs to a group among them, over however many groups and whether
/// the memberships count now or not.
pub async fn with_members(
    connection: &mut PgConnection,
    organization: &str,
    ids: &[String],
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "WITH RECURSIVE reached AS (
            SELECT unnest($2) COLLATE \"C\" AS subject_id
            UNION
            SELECT membership.subject_id::text COLLATE \"C\" FROM reached
            JOIN memberships AS membership
                ON membership.organization_id = $1 AND membership.group_id = reached.subject_id)
         SELECT subject_id FROM reached ORDER BY subject_id",
    )
    .bind(organization)
    .bind(ids)
    .fetch_all(connection)
    .await?)
}
