//! What is told of secrets: rows beside resources of type `secret`. Their values are in [`crate::store::secrets`].

use super::{Item, Range, iso};
use crate::store::StoreError;
use crate::vault::seal::Sealed;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// The grants by which somebody reads a secret because of its visibility: plain ones of `secret:read` alone at it, which
/// are no share's. Whoever made them, they are what the visibility is.
macro_rules! readers {
    ($organization:literal, $secret:literal) => {
        concat!(
            "FROM grants AS reader WHERE reader.organization_id = ",
            $organization,
            " AND reader.at_type = 'secret' AND reader.at_id = ",
            $secret,
            " AND reader.effect = 'allow' AND NOT reader.shared AND NOT reader.own AND reader.active
                AND reader.conditions = '{}' AND reader.require = '{}'
                AND reader.not_before IS NULL AND reader.expires_at IS NULL
                AND ARRAY(SELECT permission::text FROM grant_permissions AS entry
                    WHERE entry.organization_id = reader.organization_id AND entry.grant_id = reader.grant_id)
                    = ARRAY['secret:read']"
        )
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT secret.secret_id::text, jsonb_build_object('id', secret.secret_id, 'name', secret.name,
                'kind', secret.kind, 'description', secret.description, 'owner', resource.owner_id,
                'visibility', (SELECT CASE
                    WHEN count(*) = 0 THEN jsonb_build_object('to', 'user')
                    WHEN bool_and(reader.subject_id = 'user:all' AND reader.session_id IS NULL)
                        THEN jsonb_build_object('to', 'organization')
                    WHEN bool_and(reader.group_id IS NOT NULL AND reader.session_id IS NULL)
                        THEN jsonb_build_object('to', 'group',
                            'groups', jsonb_agg(DISTINCT reader.group_id ORDER BY reader.group_id))
                    WHEN count(*) = 1 AND bool_and(reader.group_id IS NOT NULL)
                        THEN jsonb_build_object('to', 'session', 'session', min(reader.session_id),
                            'participants', min(reader.group_id))
                    ELSE jsonb_build_object('to', 'other', 'readers', jsonb_agg(DISTINCT
                        jsonb_build_object('subject', reader.subject_id, 'session', reader.session_id)))
                    END ",
            readers!("secret.organization_id", "secret.secret_id"),
            "), 'active', resource.active, 'not_before', ",
            iso!("resource.not_before"),
            ", 'expires_at', ",
            iso!("resource.expires_at"),
            ", 'version', secret.version, 'changed_at', ",
            iso!("secret.changed_at"),
            ")::text FROM secrets AS secret JOIN resources AS resource
                ON resource.organization_id = secret.organization_id
                AND resource.resource_type = 'secret' AND resource.resource_id = secret.secret_id
             WHERE secret.organization_id = $1 ",
            $rest
        )
    };
}

/// A part of the list, by id; of one name if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    name: Option<&str>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = sqlx::query(select!(
        "AND ($2::text IS NULL OR secret.secret_id > $2) AND ($4::text IS NULL OR secret.name = $4)
         ORDER BY secret.secret_id LIMIT $3"
    ));
    Item::all(connection, statement.bind(organization).bind(&range.after).bind(range.limit).bind(name)).await
}

/// One secret, as it is told.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: &str,
) -> Result<Option<Item>, StoreError> {
    let statement = sqlx::query(select!("AND secret.secret_id = $2"));
    Item::one(connection, statement.bind(organization).bind(id)).await
}

/// What is written of a secret beside its resource and its value.
#[derive(Clone, Copy, Debug)]
pub struct SecretRow<'s> {
    /// As people see it.
    pub name: &'s str,
    /// What sort of value it has.
    pub kind: &'s str,
    /// For people.
    pub description: &'s str,
}

/// Writes a secret whose resource is listed.
pub async fn insert(
    connection: &mut PgConnection,
    (organization, id): (&str, &str),
    row: &SecretRow<'_>,
    sealed: &Sealed,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO secrets (organization_id, secret_id, name, kind, description, key_id, sealed_key, sealed_value)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(organization)
    .bind(id)
    .bind(row.name)
    .bind(row.kind)
    .bind(row.description)
    .bind(&sealed.key_id)
    .bind(&sealed.key)
    .bind(&sealed.value)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what is told of a secret.
pub async fn update(
    connection: &mut PgConnection,
    (organization, id): (&str, &str),
    row: &SecretRow<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE secrets SET name = $3, kind = $4, description = $5 WHERE organization_id = $1 AND secret_id = $2",
    )
    .bind(organization)
    .bind(id)
    .bind(row.name)
    .bind(row.kind)
    .bind(row.description)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a secret another value.
pub async fn set_value(
    connection: &mut PgConnection,
    (organization, id): (&str, &str),
    sealed: &Sealed,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE secrets SET key_id = $3, sealed_key = $4, sealed_value = $5, version = version + 1, changed_at = now()
         WHERE organization_id = $1 AND secret_id = $2",
    )
    .bind(organization)
    .bind(id)
    .bind(&sealed.key_id)
    .bind(&sealed.key)
    .bind(&sealed.value)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a secret with its value. Its resource is left.
pub async fn delete(
    connection: &mut PgConnection,
    (organization, id): (&str, &str),
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM secrets WHERE organization_id = $1 AND secret_id = $2")
        .bind(organization)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// The readers of a secret's visibility: each a grant, its holder and its session.
pub async fn readers(
    connection: &mut PgConnection,
    (organization, id): (&str, &str),
) -> Result<Vec<(Uuid, String, Option<String>)>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT reader.grant_id, reader.subject_id::text, reader.session_id ",
        readers!("$1", "$2"),
        " ORDER BY reader.grant_id"
    ));
    let rows = rows.bind(organization).bind(id).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

/// What the owner of a secret may do with it, as the catalog says: a permission list.
pub async fn owner_permissions(
    connection: &mut PgConnection,
    organization: &str,
) -> Result<Vec<String>, StoreError> {
    let entries = sqlx::query_scalar(
        "SELECT permission::text FROM owner_permissions WHERE organization_id = $1 AND resource_type = 'secret'",
    );
    Ok(entries.bind(organization).fetch_all(connection).await?)
}
