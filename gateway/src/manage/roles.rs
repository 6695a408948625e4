//! Roles: made, changed and deleted.

use super::input;
use super::permission::ROLE_MANAGE;
use super::refused::refusal;
use super::{Make, Need, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::manage::roles::{self, RoleRow};
use crate::store::manage::{Item, catalog};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What callers say of a role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleFields {
    name: String,
    permissions: Vec<String>,
    #[serde(default = "input::yes")]
    active: bool,
}

const ORGANIZATION: Need<'static> = Need { any_of: &[ROLE_MANAGE], at: None };

/// What of a stored role decides whether it may be written.
struct Builtin {
    key: Option<String>,
    immutable: bool,
    name: String,
}

impl Builtin {
    fn of(role: &Item) -> Self {
        let role = role.json();
        Builtin {
            key: role["builtin"].as_str().map(str::to_owned),
            immutable: role["immutable"] == true,
            name: role["name"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

impl Make for RoleFields {
    const COLLECTION: &'static str = "roles";

    /// Makes a role.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        write.require(&ORGANIZATION)?;
        let id = format!("role:organization:{}", Uuid::now_v7());
        let (name, name_key) = write.free_name(&self.name, &id).await?;
        let (entries, keys) = write.list(self).await?;
        write.give_at_organization(&keys)?;
        let row = RoleRow {
            id: &id,
            name: &name,
            name_key: &name_key,
            permissions: &entries,
            active: self.active,
            builtin: None,
            immutable: false,
        };
        let after = write.put_role(&row).await?;
        write.commit("role.create", &id, None, Some(after)).await
    }
}

impl Write<'_> {
    /// Changes a role that is as `tags` say.
    pub async fn update_role(
        mut self,
        id: &str,
        tags: &[String],
        fields: &RoleFields,
    ) -> Result<Written, Refusal> {
        self.require(&ORGANIZATION)?;
        let before = self.role(id).await?;
        expect(&before, tags)?;
        let builtin = Builtin::of(&before);
        if builtin.immutable {
            return Err(Problem::BUILTIN_ROLE_IMMUTABLE.into());
        }
        let (name, name_key) = match &builtin.key {
            None => self.free_name(&fields.name, id).await?,
            // A built-in role keeps the name that it is known by.
            Some(_) if input::name(&fields.name)?.1 == input::name(&builtin.name)?.1 => {
                input::name(&builtin.name)?
            }
            Some(_) => return Err(Problem::RESERVED_NAME.into()),
        };
        let (entries, keys) = self.list(fields).await?;
        self.give_at_organization(&keys)?;
        let (connection, organization) = self.tables();
        let held = roles::holders(connection, organization, id).await.map_err(refusal)?;
        self.affects(held.iter().map(|held| held.subject.clone()), held.iter().map(|held| held.at.clone()))
            .await?;
        if !fields.active {
            self.nothing_kept_back()?;
        }
        if before.json()["auto_assign"] == true
            && let Some(what) = self.manages_others(&entries).await?
        {
            return Err(Problem::ADMIN_AUTO_ASSIGN.because(format!(
                "permissions: the role is assigned to whoever joins its scope, and who holds `{what}` manages others"
            )));
        }
        // What is added counts wherever the role is held, now or later; a role that counts again gives all of it.
        let had = self.role_keys(id).await?.filter(|_| before.json()["active"] == true).unwrap_or_default();
        let added: BTreeSet<String> = keys.difference(&had).cloned().collect();
        self.give(&added, held.iter().map(|held| &held.at)).await?;
        let row = RoleRow {
            id,
            name: &name,
            name_key: &name_key,
            permissions: &entries,
            active: fields.active,
            builtin: builtin.key.as_deref(),
            immutable: false,
        };
        let after = self.put_role(&row).await?;
        if after == before {
            return Ok(self.unchanged(after));
        }
        self.commit("role.update", id, Some(before), Some(after)).await
    }

    /// Deletes a role that nobody holds, or whose holders are given another one (PF-34, GR-44).
    pub async fn delete_role(
        mut self,
        id: &str,
        tags: &[String],
        reassign_to: Option<&str>,
    ) -> Result<Written, Refusal> {
        self.require(&ORGANIZATION)?;
        let before = self.role(id).await?;
        expect(&before, tags)?;
        let builtin = Builtin::of(&before);
        if builtin.immutable {
            return Err(Problem::BUILTIN_ROLE_IMMUTABLE.into());
        }
        if builtin.key.is_some() {
            return Err(Problem::BUILTIN_ROLE_NON_DELETABLE.into());
        }
        let (connection, organization) = self.tables();
        let held = roles::holders(connection, organization, id).await.map_err(refusal)?;
        let holders: BTreeSet<&str> =
            held.iter().filter(|held| held.counts).map(|held| held.subject.as_str()).collect();
        self.affects(held.iter().map(|held| held.subject.clone()), held.iter().map(|held| held.at.clone()))
            .await?;
        match reassign_to {
            None if !holders.is_empty() => {
                return Err(Refusal::from(Problem::ROLE_HELD).with("holders", json!(holders.len())));
            }
            None => {}
            Some(other) if other == id => {
                return Err(Problem::UNKNOWN_ROLE.because("reassign_to: it is the role that is deleted"));
            }
            Some(other) => {
                let keys = self.role_keys(other).await?.ok_or(Problem::UNKNOWN_ROLE)?;
                self.give(&keys, held.iter().map(|held| &held.at)).await?;
                let (connection, organization) = self.tables();
                roles::reassign(connection, organization, id, other).await.map_err(refusal)?;
            }
        }
        self.nothing_kept_back()?;
        let (connection, organization) = self.tables();
        roles::delete(connection, organization, id).await.map_err(refusal)?;
        self.commit("role.delete", id, Some(before), None).await
    }

    async fn role(&mut self, id: &str) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        Ok(roles::get(connection, organization, id).await.map_err(refusal)?.ok_or(Problem::ITEM_NOT_FOUND)?)
    }

    /// The keys that a role's list stands for; `None` where there is no such role.
    pub(super) async fn role_keys(&mut self, id: &str) -> Result<Option<BTreeSet<String>>, Refusal> {
        let (connection, organization) = self.tables();
        let Some(role) = roles::get(connection, organization, id).await.map_err(refusal)? else {
            return Ok(None);
        };
        let catalog = catalog::requirements(connection, organization).await.map_err(refusal)?;
        let role = role.json();
        let entries = role["permissions"].as_array().into_iter().flatten().filter_map(|entry| entry.as_str());
        let mut keys = BTreeSet::new();
        for entry in entries {
            keys.extend(input::stands_for(entry, &catalog).cloned());
        }
        Ok(Some(keys))
    }

    /// A name that no other role has, and no built-in one will have.
    async fn free_name(&mut self, text: &str, id: &str) -> Result<(String, String), Refusal> {
        let (name, name_key) = input::name(text)?;
        if self.app.builtins.reserves(&name_key) {
            return Err(Problem::RESERVED_NAME.into());
        }
        let (connection, organization) = self.tables();
        let taken = roles::named(connection, organization, &name_key, id).await.map_err(refusal)?;
        if taken.is_some() { Err(Problem::NAME_TAKEN.into()) } else { Ok((name, name_key)) }
    }

    async fn list(&mut self, fields: &RoleFields) -> Result<(Vec<String>, BTreeSet<String>), Refusal> {
        let (connection, organization) = self.tables();
        let catalog = catalog::requirements(connection, organization).await.map_err(refusal)?;
        input::permissions(&fields.permissions, &catalog)
    }

    /// Whoever writes a role holds everything in it in the whole organization; what is held at a scope does not count
    /// (PF-33).
    fn give_at_organization(&self, keys: &BTreeSet<String>) -> Result<(), Refusal> {
        let rights = self.rights();
        match keys.iter().find(|key| !rights.holds(key, None)) {
            Some(lacking) => Err(super::rights::cannot_grant(lacking, None)),
            None => Ok(()),
        }
    }

    async fn put_role(&mut self, row: &RoleRow<'_>) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        roles::put(connection, organization, row).await.map_err(refusal)?;
        self.role(row.id).await
    }
}

/// Refuses where the item is not one that the caller has seen (RFC 9110 section 13.1.1: strong comparison).
pub(super) fn expect(item: &Item, tags: &[String]) -> Result<(), Refusal> {
    let etag = item.etag();
    match tags.iter().any(|tag| tag == "*" || *tag == etag) {
        true => Ok(()),
        false => Err(Problem::PRECONDITION_FAILED.into()),
    }
}
