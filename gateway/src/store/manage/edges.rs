//! Edges from resources to their parents.

use super::{Item, Range, Statement};
use crate::store::StoreError;
use sqlx::PgConnection;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT resource_parent_id::text, jsonb_build_object('id', resource_parent_id,
                'child', jsonb_build_object('type', child_type, 'id', child_id),
                'parent', jsonb_build_object('type', parent_type, 'id', parent_id), 'relation', relation,
                'cap', ARRAY(SELECT DISTINCT action COLLATE \"C\" FROM unnest(cap) AS action ORDER BY 1),
                'share', share_grant_id)::text
             FROM resource_parents WHERE organization_id = $1 ",
            $rest
        )
    };
}

/// What an edge says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EdgeRow {
    /// Type and id.
    pub child: (String, String),
    /// Type and id.
    pub parent: (String, String),
    /// `None`: everything flows (`auto`). Else the actions that do (`ref`), sorted and each once.
    pub cap: Option<Vec<String>>,
}

impl EdgeRow {
    fn relation(&self) -> &'static str {
        if self.cap.is_some() { "ref" } else { "auto" }
    }

    /// Whether nothing flows over it, so that it changes no decision.
    pub fn is_inert(&self) -> bool {
        self.cap.as_ref().is_some_and(Vec::is_empty)
    }
}

/// A part of the list, by id; of one child or parent if wanted.
pub async fn list(
    connection: &mut PgConnection,
    organization: &str,
    child: Option<(&str, &str)>,
    parent: Option<(&str, &str)>,
    range: &Range,
) -> Result<Vec<Item>, StoreError> {
    let statement = select!(
        "AND ($2::uuid IS NULL OR resource_parent_id > $2)
         AND ($4::text IS NULL OR (child_type, child_id) = ($4, $5))
         AND ($6::text IS NULL OR (parent_type, parent_id) = ($6, $7))
         ORDER BY resource_parents.resource_parent_id LIMIT $3"
    );
    Item::page(
        connection,
        statement,
        organization,
        range,
        &[child.map(|at| at.0), child.map(|at| at.1), parent.map(|at| at.0), parent.map(|at| at.1)],
    )
    .await
}

/// One edge.
pub async fn get(
    connection: &mut PgConnection,
    organization: &str,
    id: Uuid,
) -> Result<Option<Item>, StoreError> {
    Item::by_id(connection, select!("AND resource_parent_id = $2"), organization, id).await
}

/// Makes an edge, unless one that says the same is there; whether it was made. An edge of a share is another one: it
/// goes with its share.
pub async fn insert(
    connection: &mut PgConnection,
    organization: &str,
    edge: &EdgeRow,
) -> Result<bool, StoreError> {
    if same(connection, organization, edge).await?.is_some() {
        return Ok(false);
    }
    add(connection, organization, edge, None).await?;
    Ok(true)
}

/// Makes an edge, of a share or of none, whatever else is there.
pub async fn add(
    connection: &mut PgConnection,
    organization: &str,
    edge: &EdgeRow,
    share: Option<Uuid>,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO resource_parents
            (organization_id, child_type, child_id, parent_type, parent_id, relation, cap, share_grant_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    bind(statement, organization, edge).bind(share).execute(connection).await?;
    Ok(())
}

/// The edge that says this and belongs to no share. What a cap lists twice or in another order is the same.
pub async fn same(
    connection: &mut PgConnection,
    organization: &str,
    edge: &EdgeRow,
) -> Result<Option<Item>, StoreError> {
    let statement = sqlx::query(select!(
        "AND (child_type, child_id, parent_type, parent_id) = ($2, $3, $4, $5) AND relation = $6
         AND cap @> $7 AND cap <@ $7 AND share_grant_id IS NULL ORDER BY resource_parents.resource_parent_id LIMIT 1"
    ));
    Item::one(connection, bind(statement, organization, edge)).await
}

/// Deletes an edge.
pub async fn delete(connection: &mut PgConnection, organization: &str, id: Uuid) -> Result<(), StoreError> {
    let statement = "DELETE FROM resource_parents WHERE organization_id = $1 AND resource_parent_id = $2";
    super::execute_by_id(connection, statement, organization, id).await
}

/// Deletes every edge that says this and belongs to no share.
pub async fn delete_same(
    connection: &mut PgConnection,
    organization: &str,
    edge: &EdgeRow,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "DELETE FROM resource_parents WHERE organization_id = $1
            AND (child_type, child_id, parent_type, parent_id) = ($2, $3, $4, $5) AND relation = $6
            AND cap @> $7 AND cap <@ $7 AND share_grant_id IS NULL",
    );
    bind(statement, organization, edge).execute(connection).await?;
    Ok(())
}

/// The seven parameters that say what an edge is.
fn bind<'q>(statement: Statement<'q>, organization: &'q str, edge: &'q EdgeRow) -> Statement<'q> {
    statement
        .bind(organization)
        .bind(&edge.child.0)
        .bind(&edge.child.1)
        .bind(&edge.parent.0)
        .bind(&edge.parent.1)
        .bind(edge.relation())
        .bind(edge.cap.as_deref().unwrap_or_default())
}
