//! Edges from resources to their parents, one by one.

use super::input::{self, At, Relation};
use super::permission::RESOURCE_MANAGE;
use super::refused::refusal;
use super::{Make, Place, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::manage::Item;
use crate::store::manage::edges::{self, EdgeRow};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// What callers say of an edge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEdge {
    child: At,
    parent: At,
    #[serde(default)]
    relation: Relation,
    #[serde(default)]
    cap: Vec<String>,
}

impl Make for NewEdge {
    const COLLECTION: &'static str = "edges";

    /// Puts a resource below another one. An edge that is there is left as it is.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        let (child, parent) = (self.child.checked("child")?, self.parent.checked("parent")?);
        let edge = EdgeRow { child, parent, cap: input::cap(self.relation, &self.cap, "")? };
        let (child, parent) = ((&*edge.child.0, &*edge.child.1), (&*edge.parent.0, &*edge.parent.1));
        write.may(&[RESOURCE_MANAGE], Some(child))?;
        write.may(&[RESOURCE_MANAGE], Some(parent))?;
        write.listed(child, "child").await?;
        write.listed(parent, "parent").await?;
        if !edge.is_inert() {
            write.whole_below(child).await?;
        }
        let (connection, organization) = write.tables();
        let made = edges::insert(connection, organization, &edge).await.map_err(refusal)?;
        let after = edges::same(connection, organization, &edge).await.map_err(refusal)?;
        let after = after.ok_or(Problem::INTERNAL)?;
        if !made {
            return Ok(write.unchanged(after));
        }
        write.commit("edge.create", &after.id.clone(), None, Some(after)).await
    }
}

impl Write<'_> {
    /// Takes a resource away from below another one.
    pub async fn delete_edge(mut self, id: Uuid) -> Result<Written, Refusal> {
        let (connection, organization) = self.tables();
        let before = edges::get(connection, organization, id).await.map_err(refusal)?;
        let json = before.as_ref().map(Item::json).unwrap_or_default();
        let child = resource(&json["child"]);
        // Who may not write here is told so, whether it is there or not.
        self.may(&[RESOURCE_MANAGE], super::rights::borrowed(&child))?;
        let (Some(before), Some(child)) = (before, child) else { return Err(Problem::ITEM_NOT_FOUND.into()) };
        if !json["share"].is_null() {
            return Err(Problem::PART_OF_SHARE.into());
        }
        if !(json["relation"] == "ref" && json["cap"].as_array().is_some_and(Vec::is_empty)) {
            self.whole_below((&child.0, &child.1)).await?;
        }
        let (connection, organization) = self.tables();
        edges::delete(connection, organization, id).await.map_err(refusal)?;
        self.commit("edge.delete", &before.id.clone(), Some(before), None).await
    }
}

/// A resource, as an item tells it.
pub(super) fn resource(at: &Value) -> Place {
    Some((at["type"].as_str()?.to_owned(), at["id"].as_str()?.to_owned()))
}
