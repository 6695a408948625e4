//! Resources: listed, changed and deleted.

use super::input::{self, Relation};
use super::permission::RESOURCE_MANAGE;
use super::refused::refusal;
use super::roles::expect;
use super::{Make, Place, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::facts::ResourceFact;
use crate::store::manage::edges::{self, EdgeRow};
use crate::store::manage::resources;
use crate::store::manage::{Item, places};
use postern_world::Life;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// An edge, as callers write it at its child.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParentFields {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(default)]
    relation: Relation,
    #[serde(default)]
    cap: Vec<String>,
}

/// What callers say of a resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceFields {
    /// In the body where it is made, in the path where it is changed.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    id: Option<String>,
    /// Absent in a change: its edges stay as they are.
    #[serde(default)]
    parents: Option<Vec<ParentFields>>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default = "input::yes")]
    active: bool,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

/// The same, checked.
struct Checked {
    at: (String, String),
    parents: Option<BTreeSet<EdgeRow>>,
    owner: Option<String>,
    life: Life,
}

const UNREGISTERED: &str = "ids of this type need not be listed, and what lists one decides for those who name it: whoever may do everything \
     has to do it";

impl ResourceFields {
    /// Of a scope, which is made as one that counts.
    pub(super) fn of_scope(
        (kind, id): (&str, &str),
        parents: Option<Vec<ParentFields>>,
        owner: Option<String>,
        attributes: BTreeMap<String, String>,
    ) -> Self {
        let (not_before, expires_at) = (None, None);
        let (kind, id) = (Some(kind.to_owned()), Some(id.to_owned()));
        ResourceFields { kind, id, parents, owner, attributes, active: true, not_before, expires_at }
    }

    async fn checked(&self, write: &mut Write<'_>, at: (&str, &str)) -> Result<Checked, Refusal> {
        input::place(at.0, at.1, "")?;
        let at = (at.0.to_owned(), at.1.to_owned());
        let life = input::life(self.active, self.not_before.as_deref(), self.expires_at.as_deref())?;
        input::dimensions(&self.attributes, "attributes", true)?;
        let owner = match &self.owner {
            None => None,
            Some(owner) => {
                input::subject(owner, "owner")?;
                Some(write.canonical(owner).await?)
            }
        };
        let parents = match &self.parents {
            None => None,
            Some(list) if list.len() > input::PARENTS_MAX => {
                return Err(Problem::INVALID_REQUEST.because("parents: more than 1,000"));
            }
            Some(list) => {
                let mut edges = BTreeSet::new();
                for (index, parent) in list.iter().enumerate() {
                    let member = format!("parents/{index}");
                    input::place(&parent.kind, &parent.id, &member)?;
                    let cap = input::cap(parent.relation, &parent.cap, &format!("{member}/"))?;
                    let parent = (parent.kind.clone(), parent.id.clone());
                    edges.insert(EdgeRow { child: at.clone(), parent, cap });
                }
                Some(edges)
            }
        };
        Ok(Checked { at, parents, owner, life })
    }
}

impl Make for ResourceFields {
    const COLLECTION: &'static str = "resources";

    fn segments(item: &Item) -> Vec<String> {
        let json = item.json();
        ["type", "id"].map(|part| json[part].as_str().unwrap_or_default().to_owned()).into()
    }

    /// Lists a resource.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        let listed = write.list_resource(self).await?;
        write.commit("resource.create", &target(listed.at()), None, Some(listed.item)).await
    }
}

/// A resource that was listed a moment ago.
pub(super) struct Listed {
    at: (String, String),
    /// Where it was put: what is held there is held at it.
    pub put: BTreeSet<Place>,
    /// As it is told.
    pub item: Item,
}

impl Listed {
    /// Its type and id.
    pub fn at(&self) -> (&str, &str) {
        (&self.at.0, &self.at.1)
    }
}

impl Write<'_> {
    /// Lists a resource whose writer may, without taking it down.
    pub(super) async fn list_resource(&mut self, fields: &ResourceFields) -> Result<Listed, Refusal> {
        let at = (fields.kind.as_deref().unwrap_or_default(), fields.id.as_deref().unwrap_or_default());
        let new = fields.checked(self, at).await?;
        let parents = new.parents.clone().unwrap_or_default();
        // Where it is put: in the whole organization unless everything flows down to it from somewhere.
        let mut put: BTreeSet<Place> = parents.iter().map(|edge| Some(edge.parent.clone())).collect();
        if !parents.iter().any(|edge| edge.cap.is_none()) {
            put.insert(None);
        }
        for place in &put {
            self.may(&[RESOURCE_MANAGE], super::rights::borrowed(place))?;
        }
        let (connection, organization) = self.tables();
        match places::registered(connection, organization, at.0).await.map_err(refusal)? {
            None => return Err(Problem::UNKNOWN_TYPE.into()),
            Some(true) => {}
            Some(false) => self.needs_everything(UNREGISTERED)?,
        }
        let (connection, organization) = self.tables();
        if resources::get(connection, organization, at).await.map_err(refusal)?.is_some() {
            return Err(Problem::ID_TAKEN.because(
                "this organization lists the resource already; a deleted scope until it is purged",
            ));
        }
        if !resources::hanging(connection, organization, at).await.map_err(refusal)?.is_none() {
            self.needs_everything(
                "something was given at this resource before it was listed, and would come into force: whoever may \
                 do everything has to list it",
            )?;
        }
        // What its people hold where it is put, they hold at it. Only what it says itself can give more than that.
        let names: Vec<String> = fields.attributes.keys().cloned().collect();
        if self.counts(at.0, new.owner.is_some(), &names).await? {
            self.whole(&put)?;
        }
        let item = self.put_resource(fields, &new, &parents, &BTreeSet::new()).await?;
        Ok(Listed { at: new.at, put, item })
    }

    /// Changes a resource that is as `tags` say.
    pub async fn update_resource(
        mut self,
        at: (&str, &str),
        tags: &[String],
        fields: &ResourceFields,
    ) -> Result<Written, Refusal> {
        self.may(&[RESOURCE_MANAGE], Some(at))?;
        let before = self.resource(at).await?;
        expect(&before, tags)?;
        let other = |said: &Option<String>, is: &str| said.as_deref().is_some_and(|said| said != is);
        if other(&fields.kind, at.0) || other(&fields.id, at.1) {
            return Err(Problem::INVALID_REQUEST.because("id: a resource keeps its type and id"));
        }
        let new = fields.checked(&mut self, at).await?;
        let was = before.json();
        let had = edges_of(&was, at);
        let wanted = new.parents.clone().unwrap_or_else(|| had.clone());
        let added: BTreeSet<EdgeRow> = wanted.difference(&had).cloned().collect();
        let removed: BTreeSet<EdgeRow> = had.difference(&wanted).cloned().collect();
        for edge in &added {
            self.may(&[RESOURCE_MANAGE], Some((&edge.parent.0, &edge.parent.1)))?;
        }
        let owner_changes = was["owner"].as_str() != new.owner.as_deref();
        let names = changed(&was["attributes"], &fields.attributes);
        if self.counts(at.0, owner_changes, &names).await? {
            self.whole(&[Some(new.at.clone())])?;
        }
        let after = self.put_resource(fields, &new, &added, &removed).await?;
        let is = after.json();
        let life_changes = ["active", "not_before", "expires_at"].iter().any(|bound| was[bound] != is[bound]);
        if life_changes || added.iter().chain(&removed).any(|edge| !edge.is_inert()) {
            self.whole_below(at).await?;
        }
        if after == before {
            return Ok(self.unchanged(after));
        }
        self.commit("resource.update", &target(at), Some(before), Some(after)).await
    }

    /// Deletes a resource, with what hangs on it if that is asked for.
    pub async fn delete_resource(
        mut self,
        at: (&str, &str),
        tags: &[String],
        cascade: bool,
    ) -> Result<Written, Refusal> {
        self.may(&[RESOURCE_MANAGE], Some(at))?;
        let before = self.resource(at).await?;
        expect(&before, tags)?;
        let (connection, organization) = self.tables();
        if places::registered(connection, organization, at.0).await.map_err(refusal)? == Some(false) {
            self.needs_everything(UNREGISTERED)?;
        }
        self.whole_below(at).await?;
        let (connection, organization) = self.tables();
        let hanging = resources::hanging(connection, organization, at).await.map_err(refusal)?;
        if !cascade && !hanging.is_none() {
            return Err(Refusal::from(Problem::RESOURCE_IN_USE)
                .with("children", json!(hanging.children))
                .with("assignments", json!(hanging.assignments))
                .with("grants", json!(hanging.grants))
                .with("roles", json!(hanging.roles)));
        }
        resources::delete(connection, organization, at).await.map_err(refusal)?;
        self.commit("resource.delete", &target(at), Some(before), None).await
    }

    async fn resource(&mut self, at: (&str, &str)) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        let item = resources::get(connection, organization, at).await.map_err(refusal)?;
        Ok(item.ok_or(Problem::ITEM_NOT_FOUND)?)
    }

    /// Whether a decision can depend on the owner, where that changes, or on one of these attributes.
    async fn counts(&mut self, kind: &str, owner: bool, attributes: &[String]) -> Result<bool, Refusal> {
        let (connection, organization) = self.tables();
        if owner && resources::owner_counts(connection, organization, kind).await.map_err(refusal)? {
            return Ok(true);
        }
        resources::attributes_count(connection, organization, attributes).await.map_err(refusal)
    }

    async fn put_resource(
        &mut self,
        fields: &ResourceFields,
        new: &Checked,
        added: &BTreeSet<EdgeRow>,
        removed: &BTreeSet<EdgeRow>,
    ) -> Result<Item, Refusal> {
        if let Some(group) = new.owner.as_ref().filter(|owner| owner.starts_with("group:")) {
            let (connection, organization) = self.tables();
            let listed = crate::store::manage::subjects::get(connection, organization, group).await;
            if listed.map_err(refusal)?.is_none() {
                return Err(Problem::UNKNOWN_GROUP.into());
            }
        }
        let at = (new.at.0.as_str(), new.at.1.as_str());
        let fact = ResourceFact {
            kind: at.0,
            id: at.1,
            owner: new.owner.as_deref(),
            attributes: &[],
            life: new.life,
        };
        let attributes = json!(fields.attributes).to_string();
        let (connection, organization) = self.tables();
        resources::put(connection, organization, &fact, &attributes).await.map_err(refusal)?;
        for edge in removed {
            edges::delete_same(connection, organization, edge).await.map_err(refusal)?;
        }
        for edge in added {
            self.listed((&edge.parent.0, &edge.parent.1), "parents").await?;
            let (connection, organization) = self.tables();
            edges::insert(connection, organization, edge).await.map_err(refusal)?;
        }
        self.resource(at).await
    }
}

/// What the audit calls a resource.
pub(super) fn target(at: (&str, &str)) -> String {
    format!("{}:{}", at.0, at.1)
}

/// The edges that a resource has, as its item tells them.
fn edges_of(item: &Value, at: (&str, &str)) -> BTreeSet<EdgeRow> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let edge = |parent: &Value| EdgeRow {
        child: (at.0.to_owned(), at.1.to_owned()),
        parent: (text(&parent["type"]), text(&parent["id"])),
        cap: (parent["relation"] == "ref")
            .then(|| parent["cap"].as_array().into_iter().flatten().map(text).collect()),
    };
    item["parents"].as_array().into_iter().flatten().map(edge).collect()
}

/// The names of the attributes that are not as they were.
fn changed(was: &Value, is: &BTreeMap<String, String>) -> Vec<String> {
    let before = was.as_object();
    let gone = before.into_iter().flatten().map(|(name, _)| name).filter(|name| !is.contains_key(*name));
    let other = is.iter().filter(|(name, value)| was[name.as_str()].as_str() != Some(value.as_str()));
    gone.chain(other.map(|(name, _)| name)).cloned().collect()
}
