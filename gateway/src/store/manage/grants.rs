//! Grants and exclusions.

use super::{Item, Range, Statement, bounds, iso, moment};
use crate::store::StoreError;
use crate::store::facts::GrantFact;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT held.grant_id::text, jsonb_build_object('id', held.grant_id, 'subject', held.subject_id,
                'effect', held.effect, 'permissions', ARRAY(SELECT permission::text FROM grant_permissions AS entry
                    WHERE entry.organization_id = held.organization_id AND entry.grant_id = held.grant_id
                    ORDER BY permission),
                'at', CASE WHEN held.at_type IS NOT NULL
                    THEN jsonb_build_object('type', held.at_type, 'id', held.at_id) END,
                'where', held.conditions, 'require', held.require, 'own', held.own, 'session', held.session_id,
                'share', held.shared, 'active', held.active, 'not_before', ",
            iso!("held.not_before"),
            ", 'expires_at', ",
            iso!("held.expires_at"),
            ")::text FROM grants AS held WHERE held.organization_id = $1 ",
            $rest
        )
    };
}

/// Which grants of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'f> {
    /// Of one holder.
    pub subject: Option<&'f str>,
    /// `allow` or `exclude`.
    pub effect: Option<&'f str>,
    /// Standing at one resource.
    pub at: Option<(&'f str, &'f str)>,
}

/// A part of the list, by id.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    filter: &Filter<'_>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = select!(
        "AND ($2::uuid IS NULL OR held.grant_id > $2) AND ($4::text IS NULL OR held.subject_id = $4)
         AND ($5::text IS NULL OR held.effect = $5)
         AND ($6::text IS NULL OR (held.at_type, held.at_id) = ($6, $7)) ORDER BY held.grant_id LIMIT $3"
    );
    Item::page(
        connection,
        statement,
        organization,
        range,
        &[filter.subject, filter.effect, filter.at.map(|at| at.0), filter.at.map(|at| at.1)],
    )
    .await
}

/// One grant.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Item>, StoreError> {
    Item::by_id(connection, select!("AND held.grant_id = $2"), organization, id).await
}

/// Makes a grant under a new id. `shared`: as a share.
pub async fn insert(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
    fact: &GrantFact<'_>,
    shared: bool,
) -> Result<(), StoreError> {
    let (not_before, expires_at) = bounds(fact.life);
    let statement = sqlx::query(concat!(
        "INSERT INTO grants (organization_id, subject_id, effect, at_type, at_id, conditions, require, own,
            session_id, active, not_before, expires_at, grant_id, shared)
         VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9, $10, ",
        moment!("$11"),
        ", ",
        moment!("$12"),
        ", $13, $14)"
    ));
    let (conditions, require) = (dimensions(fact.conditions), dimensions(fact.require));
    bind(statement, organization, fact, &conditions, &require)
        .bind(not_before)
        .bind(expires_at)
        .bind(id)
        .bind(shared)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO grant_permissions (organization_id, grant_id, permission) SELECT $1, $2, unnest($3)",
    )
    .bind(organization)
    .bind(id)
    .bind(fact.permissions)
    .execute(connection)
    .await?;
    Ok(())
}

/// The grant that says this, and is no share. `fact.permissions`: sorted, each once.
pub async fn same(
    connection: &mut PgConnection,
    organization: &str,
    fact: &GrantFact<'_>,
) -> Result<Option<Item>, StoreError> {
    let (not_before, expires_at) = bounds(fact.life);
    let statement = sqlx::query(concat!(
        select!(
            "AND NOT held.shared AND held.subject_id = $2 AND held.effect = $3
             AND (held.at_type, held.at_id) IS NOT DISTINCT FROM ($4, $5) AND held.conditions = $6::jsonb
             AND held.require = $7::jsonb AND held.own = $8 AND held.session_id IS NOT DISTINCT FROM $9
             AND held.active = $10"
        ),
        " AND held.not_before IS NOT DISTINCT FROM ",
        moment!("$11"),
        " AND held.expires_at IS NOT DISTINCT FROM ",
        moment!("$12"),
        " AND ARRAY(SELECT permission::text FROM grant_permissions AS entry
            WHERE entry.organization_id = held.organization_id AND entry.grant_id = held.grant_id
            ORDER BY permission) = $13 ORDER BY held.grant_id LIMIT 1"
    ));
    let (conditions, require) = (dimensions(fact.conditions), dimensions(fact.require));
    let statement = bind(statement, organization, fact, &conditions, &require)
        .bind(not_before)
        .bind(expires_at)
        .bind(fact.permissions);
    Item::one(connection, statement).await
}

fn dimensions(of: &[(&str, &str)]) -> String {
    serde_json::json!(of.iter().copied().collect::<BTreeMap<_, _>>()).to_string()
}

/// The first ten parameters of both.
fn bind<'q>(
    statement: Statement<'q>,
    organization: &'q str,
    fact: &GrantFact<'q>,
    conditions: &'q str,
    require: &'q str,
) -> Statement<'q> {
    statement
        .bind(organization)
        .bind(fact.subject)
        .bind(if fact.exclude { "exclude" } else { "allow" })
        .bind(fact.at.map(|at| at.0))
        .bind(fact.at.map(|at| at.1))
        .bind(conditions)
        .bind(require)
        .bind(fact.own)
        .bind(fact.session)
        .bind(fact.life.active)
}

/// Deletes a grant, and the edge of the share that it is.
pub async fn delete(connection: &mut PgConnection, organization: &str, id: Uuid) -> Result<(), StoreError> {
    let statement = "DELETE FROM grants WHERE organization_id = $1 AND grant_id = $2";
    super::execute_by_id(connection, statement, organization, id).await
}
