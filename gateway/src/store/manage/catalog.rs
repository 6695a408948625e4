//! The catalog.

use super::Item;
use crate::store::StoreError;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// The catalog as callers see it.
pub async fn get(connection: &mut PgConnection, organization: &str) -> Result<Item, StoreError> {
    let text: String = sqlx::query_scalar(
        "SELECT jsonb_build_object(
            'types', coalesce((SELECT jsonb_object_agg(resource_type, jsonb_build_object(
                    'scope', scope, 'narrows', narrows, 'registered', registered,
                    'owner_permissions', ARRAY(SELECT permission::text FROM owner_permissions AS entry
                        WHERE entry.organization_id = kind.organization_id
                          AND entry.resource_type = kind.resource_type ORDER BY permission)))
                FROM resource_types AS kind WHERE organization_id = $1), '{}'),
            'permissions', coalesce((SELECT jsonb_object_agg(permission_key, jsonb_build_object(
                    'description', description, 'works_when_inactive', works_when_inactive,
                    'implied_by', ARRAY(SELECT other_key::text FROM permission_links AS link
                        WHERE link.organization_id = permission.organization_id
                          AND link.permission_key = permission.permission_key AND relation = 'implied_by' ORDER BY other_key), 
                    'excluded_by', ARRAY(SELECT other_key::text FROM permission_links AS link
                        WHERE link.organization_id = permission.organization_id
                          AND link.permission_key = permission.permission_key AND relation = 'excluded_by' ORDER BY other_key),
                    'requires', ARRAY(SELECT other_key::text FROM permission_links AS link
                        WHERE link.organization_id = permission.organization_id
                          AND link.permission_key = permission.permission_key AND relation = 'requires' ORDER BY other_key)))
                FROM permissions AS permission WHERE organization_id = $1), '{}'))::text",
    )
    .bind(organization)
    .fetch_one(connection)
    .await?;
    Ok(Item { id: organization.to_owned(), text })
}

/// Every permission, with those that a role needs as well to be saved with it.
pub async fn requirements(
    connection: &mut PgConnection,
    organization: &str,
) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    let rows = sqlx::query(
        "SELECT permission_key::text, ARRAY(SELECT other_key::text FROM permission_links AS link
            WHERE link.organization_id = $1 AND link.permission_key = permission.permission_key
              AND relation = 'requires' ORDER BY other_key)
         FROM permissions AS permission WHERE organization_id = $1",
    )
    .bind(organization)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Every link from one permission to another of one relation: the permission, and the key that it names.
pub async fn links(
    connection: &mut PgConnection,
    organization: &str,
    relation: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sqlx::query(
        "SELECT permission_key::text, other_key::text FROM permission_links
         WHERE organization_id = $1 AND relation = $2",
    )
    .bind(organization)
    .bind(relation)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
