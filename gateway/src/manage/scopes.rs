//! Scopes: made with the roles that their type's presets say, joined, deleted and restored, purged.

use super::guard::By;
use super::input;
use super::permission::{RESOURCE_MANAGE, ROLE_MANAGE, USER_MANAGE};
use super::presets::texts;
use super::refused::refusal;
use super::resources::{Listed, ParentFields, target};
use super::rights::{borrowed, cannot_grant};
use super::role_names::Named;
use super::roles::expect;
use super::{Actor, Make, ResourceFields, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::facts::AssignmentFact;
use crate::store::manage::roles::{self, RoleRow};
use crate::store::manage::{Item, assignments, presets, scopes};
use postern_world::Life;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What callers say of a scope that they make.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeFields {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(default)]
    parents: Option<Vec<ParentFields>>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    /// Who it is made for: the caller, where nobody is named.
    #[serde(default)]
    creator: Option<String>,
}

/// What callers say of somebody who joins a scope.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    subject: String,
}

/// An assignment that is made by itself counts from now on.
const ALWAYS: Life = Life { active: true, not_before: None, expires_at: None };

impl Make for ScopeFields {
    const COLLECTION: &'static str = "scopes";

    fn segments(item: &Item) -> Vec<String> {
        ResourceFields::segments(item)
    }

    /// Makes a scope, one role for each preset of its type, and its creator's assignments.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        let at = (self.kind.as_str(), self.id.as_str());
        let fields =
            ResourceFields::of_scope(at, self.parents.clone(), self.owner.clone(), self.attributes.clone());
        let listed = write.list_resource(&fields).await?;
        let (connection, organization) = write.tables();
        let declared = scopes::scope_type(connection, organization, at.0).await.map_err(refusal)?;
        let declared = declared.filter(|declared| declared.scope).ok_or(Problem::NOT_A_SCOPE)?;
        let creator = write.creator(self.creator.as_deref(), declared.narrows).await?;
        let (connection, organization) = write.tables();
        let presets = presets::of_type(connection, organization, at.0).await.map_err(refusal)?;
        for preset in presets {
            let name = self.attributes.get("name").map(String::as_str);
            write.make_role(&listed, name, &preset, creator.as_deref()).await?;
        }
        let after = write.scope(at).await?;
        write.commit("scope.create", &target(at), None, Some(after)).await
    }
}

impl Write<'_> {
    /// Who is assigned roles at a new scope because of having made it. At a type that narrows an assignment takes what is
    /// held from above; so there it is only who is named, and nobody by the way.
    async fn creator(&mut self, named: Option<&str>, narrows: bool) -> Result<Option<String>, Refusal> {
        let caller = match &self.caller.actor {
            Actor::Subject(subject) => Some(subject.clone()),
            Actor::Operator(_) => None,
        };
        let caller = match caller {
            Some(subject) => Some(self.canonical(&subject).await?),
            None => None,
        };
        let Some(named) = named else { return Ok(caller.filter(|_| !narrows)) };
        input::subject(named, "creator")?;
        let creator = self.canonical(named).await?;
        if caller.as_ref() != Some(&creator) {
            self.needs_everything(
                "creator: a scope is made for somebody else by those only who may do everything; leave it away",
            )?;
        }
        Ok(Some(creator))
    }

    /// Makes the role of a preset for a new scope, and assigns it to the creator if the preset says so.
    ///
    /// What the preset gives was decided by whoever wrote it, who may do everything. The creator need hold only what comes
    /// by joining: that is for everybody, and says nothing of those who make scopes.
    async fn make_role(
        &mut self,
        scope: &Listed,
        scope_name: Option<&str>,
        preset: &Item,
        creator: Option<&str>,
    ) -> Result<(), Refusal> {
        let (at, json) = (scope.at(), preset.json());
        let uuid = Uuid::now_v7();
        let id = format!("role:organization:{uuid}");
        let called = (json["name"].as_str().unwrap_or_default(), json["role_name"].as_str());
        let named = Named { kind: at.0, id: at.1, name: scope_name };
        let (name, name_key) = self.name_of_scope_role(called, &named, uuid).await?;
        let permissions = texts(&json["permissions"]);
        // SQL, or a catalog that has changed, can have made it an administrator's since it was saved.
        let auto_assign = json["auto_assign"] == true && self.manages_others(&permissions).await?.is_none();
        let row = RoleRow {
            id: &id,
            name: &name,
            name_key: &name_key,
            permissions: &permissions,
            active: true,
            builtin: None,
            immutable: false,
        };
        let preset: Uuid = preset.id.parse().map_err(|_| Problem::INTERNAL)?;
        let (connection, organization) = self.tables();
        roles::put(connection, organization, &row).await.map_err(refusal)?;
        scopes::bind_role(connection, organization, &id, at, preset, auto_assign).await.map_err(refusal)?;
        let made = roles::get(connection, organization, &id).await.map_err(refusal)?;
        self.take_down("role.create", &id, None, made.as_ref()).await?;
        let entitled = json["for_creator"] == true;
        if let Some(creator) = creator.filter(|_| entitled || auto_assign) {
            if !entitled {
                self.holds_where_put(scope, &id).await?;
            }
            self.assign_at(creator, &id, at).await?;
        }
        Ok(())
    }

    /// Refuses a caller who does not hold what a role gives at every place where a new scope is put, and so at the scope.
    async fn holds_where_put(&mut self, scope: &Listed, role: &str) -> Result<(), Refusal> {
        if self.everything {
            return Ok(());
        }
        let keys = self.role_keys(role).await?.unwrap_or_default();
        let given = self.following(&keys, By::Holding).await?;
        let rights = self.rights();
        for place in &scope.put {
            if let Some(lacking) = given.iter().find(|key| !rights.holds(key, borrowed(place))) {
                return Err(cannot_grant(lacking, borrowed(place)));
            }
        }
        Ok(())
    }

    /// Assigns a role at a scope; the assignment, and whether it was made.
    async fn assign_at(
        &mut self,
        subject: &str,
        role: &str,
        at: (&str, &str),
    ) -> Result<(Item, bool), Refusal> {
        let fact = AssignmentFact { subject, role, at: Some(at), life: ALWAYS };
        let (connection, organization) = self.tables();
        let made = assignments::insert(connection, organization, &fact).await.map_err(refusal)?;
        let item = assignments::same(connection, organization, &fact).await.map_err(refusal)?;
        let item = item.ok_or(Problem::INTERNAL)?;
        if made {
            self.take_down("assignment.create", &item.id, None, Some(&item)).await?;
        }
        Ok((item, made))
    }

    /// Assigns somebody the roles of a scope that come by joining it. Those that are assigned stay as they are.
    pub async fn join_scope(mut self, at: (&str, &str), fields: &NewMember) -> Result<Written, Refusal> {
        if fields.subject != "user:all" {
            input::subject(&fields.subject, "subject")?;
        }
        let subject = self.canonical(&fields.subject).await?;
        self.manage(&subject, Some(at), ROLE_MANAGE, USER_MANAGE).await?;
        let scope = self.scope(at).await?;
        if !scope.json()["deleted_at"].is_null() {
            return Err(Problem::SCOPE_DELETED.into());
        }
        let place = Some((at.0.to_owned(), at.1.to_owned()));
        self.affects([subject.clone()], [place.clone()]).await?;
        let (connection, organization) = self.tables();
        let roles = scopes::roles_to_join(connection, organization, at).await.map_err(refusal)?;
        let (mut items, mut changed) = (Vec::new(), false);
        for role in &roles {
            let (connection, organization) = self.tables();
            let item = roles::get(connection, organization, role).await.map_err(refusal)?;
            let list = texts(&item.ok_or(Problem::INTERNAL)?.json()["permissions"]);
            // One that became an administrator's by SQL is given by somebody, to somebody.
            if self.manages_others(&list).await?.is_some() {
                continue;
            }
            let keys: BTreeSet<String> = self.role_keys(role).await?.unwrap_or_default();
            self.give(&keys, [&place]).await?;
            let (item, made) = self.assign_at(&subject, role, at).await?;
            changed |= made;
            items.push(item.json());
        }
        let joined = json!({"subject": subject, "scope": {"type": at.0, "id": at.1}, "assignments": items});
        let joined = Item { id: subject, text: joined.to_string() };
        if !changed {
            return Ok(self.unchanged(joined));
        }
        self.commit("scope.join", &target(at), None, Some(joined)).await
    }

    /// Deletes a scope so that it can be restored: until then it is inactive, with everything that hangs on it.
    pub async fn delete_scope(mut self, at: (&str, &str), tags: &[String]) -> Result<Written, Refusal> {
        let before = self.scope_to_end(at, tags).await?;
        let (connection, organization) = self.tables();
        scopes::soft_delete(connection, organization, at).await.map_err(refusal)?;
        self.scope_changed("scope.delete", at, before).await
    }

    /// Makes a deleted scope what it was.
    pub async fn restore_scope(mut self, at: (&str, &str), tags: &[String]) -> Result<Written, Refusal> {
        let before = self.scope_to_end(at, tags).await?;
        let (connection, organization) = self.tables();
        scopes::restore(connection, organization, at).await.map_err(refusal)?;
        self.scope_changed("scope.restore", at, before).await
    }

    /// Deletes a scope for good, with its edges, what stands at it, and the roles that exist only for it. The answer
    /// counts them.
    pub async fn purge_scope(mut self, at: (&str, &str), tags: &[String]) -> Result<Written, Refusal> {
        let before = self.scope_to_end(at, tags).await?;
        let json = before.json();
        let of_scope: Vec<&Value> = json["roles"].as_array().into_iter().flatten().collect();
        let mut gone = Vec::new();
        for role in of_scope {
            let (connection, organization) = self.tables();
            let role = role["id"].as_str().unwrap_or_default();
            gone.extend(roles::get(connection, organization, role).await.map_err(refusal)?);
        }
        let (connection, organization) = self.tables();
        let counts = scopes::purge(connection, organization, at).await.map_err(refusal)?;
        for role in gone {
            self.take_down("role.delete", &role.id, Some(&role), None).await?;
        }
        self.commit("scope.purge", &target(at), Some(before), Some(counts)).await
    }

    /// A scope that is as `tags` say, for who may end it: somebody who holds everything at it and below it.
    async fn scope_to_end(&mut self, at: (&str, &str), tags: &[String]) -> Result<Item, Refusal> {
        self.may(&[RESOURCE_MANAGE], Some(at))?;
        let scope = self.scope(at).await?;
        expect(&scope, tags)?;
        self.whole_below(at).await?;
        Ok(scope)
    }

    async fn scope_changed(
        mut self,
        operation: &str,
        at: (&str, &str),
        before: Item,
    ) -> Result<Written, Refusal> {
        let after = self.scope(at).await?;
        if after == before {
            return Ok(self.unchanged(after));
        }
        self.commit(operation, &target(at), Some(before), Some(after)).await
    }

    async fn scope(&mut self, at: (&str, &str)) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        let item = scopes::get(connection, organization, at).await.map_err(refusal)?;
        Ok(item.ok_or(Problem::ITEM_NOT_FOUND)?)
    }
}
