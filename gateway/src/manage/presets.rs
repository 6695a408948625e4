//! Presets: which roles a new scope of a type gets. They say what others are given later, at places that are not there
//! yet; so only those write them who may do everything. A role is made from a preset once: what the preset says later
//! changes it only where somebody asks for that, having seen what it would change.

use super::guard::By;
use super::permission::{ROLE_MANAGE, USER_MANAGE};
use super::refused::refusal;
use super::roles::expect;
use super::{Make, Need, Write, Written, input, role_names};
use crate::problem::{Problem, Refusal};
use crate::store::manage::presets::{self, PresetRow};
use crate::store::manage::{Item, catalog, roles, scopes};
use serde::Deserialize;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What callers say of a preset.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetFields {
    name: String,
    /// Of the scopes; a change may leave it away, and cannot change it.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    permissions: Vec<String>,
    #[serde(default)]
    role_name: Option<String>,
    #[serde(default)]
    auto_assign: bool,
    #[serde(default)]
    for_creator: bool,
}

/// Who holds one of these manages others.
const MANAGES: &[&str] = &[ROLE_MANAGE, USER_MANAGE];

impl Make for PresetFields {
    const COLLECTION: &'static str = "presets";

    /// Makes a preset.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        write.writes_presets()?;
        let kind = self.kind.as_deref().ok_or_else(|| {
            Problem::INVALID_REQUEST
                .because("type: it is missing; name the type of the scopes that get the role")
        })?;
        let (connection, organization) = write.tables();
        match scopes::scope_type(connection, organization, kind).await.map_err(refusal)? {
            None => return Err(Problem::UNKNOWN_TYPE.into()),
            Some(declared) if !declared.scope => return Err(Problem::NOT_A_SCOPE.into()),
            Some(_) => {}
        }
        let id = Uuid::now_v7();
        let after = write.put_preset(id, kind, self).await?;
        write.commit("preset.create", &id.to_string(), None, Some(after)).await
    }
}

impl Write<'_> {
    /// Changes a preset that is as `tags` say. Whether it is deleted, and the roles that were made from it, stay as they
    /// are.
    pub async fn update_preset(
        mut self,
        id: Uuid,
        tags: &[String],
        fields: &PresetFields,
    ) -> Result<Written, Refusal> {
        let before = self.preset(id, tags).await?;
        let json = before.json();
        let kind = json["type"].as_str().unwrap_or_default();
        if fields.kind.as_deref().is_some_and(|other| other != kind) {
            return Err(
                Problem::INVALID_REQUEST.because("type: a preset keeps its type; make another preset")
            );
        }
        let after = self.put_preset(id, kind, fields).await?;
        if after == before {
            return Ok(self.unchanged(after));
        }
        self.commit("preset.update", &id.to_string(), Some(before), Some(after)).await
    }

    /// Deletes a preset so that it can be restored: new scopes do not get its role.
    pub async fn delete_preset(self, id: Uuid, tags: &[String]) -> Result<Written, Refusal> {
        self.set_preset_deleted(id, tags, true).await
    }

    /// Restores a deleted preset.
    pub async fn restore_preset(self, id: Uuid, tags: &[String]) -> Result<Written, Refusal> {
        self.set_preset_deleted(id, tags, false).await
    }

    async fn set_preset_deleted(
        mut self,
        id: Uuid,
        tags: &[String],
        deleted: bool,
    ) -> Result<Written, Refusal> {
        let before = self.preset(id, tags).await?;
        let (connection, organization) = self.tables();
        presets::set_deleted(connection, organization, id, deleted).await.map_err(refusal)?;
        let after = presets::get(connection, organization, id).await.map_err(refusal)?;
        let after = after.ok_or(Problem::INTERNAL)?;
        if after == before {
            return Ok(self.unchanged(after));
        }
        let operation = if deleted { "preset.delete" } else { "preset.restore" };
        self.commit(operation, &id.to_string(), Some(before), Some(after)).await
    }

    /// Deletes a preset for good. The roles that were made from it stay.
    pub async fn purge_preset(mut self, id: Uuid, tags: &[String]) -> Result<Written, Refusal> {
        let before = self.preset(id, tags).await?;
        let (connection, organization) = self.tables();
        presets::purge(connection, organization, id).await.map_err(refusal)?;
        self.commit("preset.purge", &id.to_string(), Some(before), None).await
    }

    /// Gives the roles that were made from a preset its permissions; nothing else of them changes. `tags` are of the
    /// preview: only what was seen is done.
    pub async fn sync_preset(mut self, id: Uuid, tags: &[String]) -> Result<Written, Refusal> {
        let preset = self.preset(id, &["*".to_owned()]).await?.json();
        let (connection, organization) = self.tables();
        let preview = presets::differences(connection, organization, id).await.map_err(refusal)?;
        expect(&preview, tags)?;
        if !preset["deleted_at"].is_null() {
            return Err(Problem::PRESET_DELETED.into());
        }
        let json = preview.json();
        let changed: Vec<&serde_json::Value> = json["roles"].as_array().into_iter().flatten().collect();
        if changed.is_empty() {
            return Ok(self.unchanged(preview));
        }
        let list: Vec<String> = texts(&preset["permissions"]);
        // A role keeps how it is assigned from when it was made, which its preset may have dropped since.
        if let Some(what) = self.manages_others(&list).await?
            && let Some(role) = changed.iter().find(|role| role["auto_assign"] == true)
        {
            let role = role["id"].as_str().unwrap_or_default();
            return Err(Problem::ADMIN_AUTO_ASSIGN.because(format!(
                "`{role}` is assigned to whoever joins its scope, and would get `{what}`: delete it first"
            )));
        }
        let mut before = Vec::new();
        for role in &changed {
            let (connection, organization) = self.tables();
            let role = role["id"].as_str().unwrap_or_default();
            before.extend(roles::get(connection, organization, role).await.map_err(refusal)?);
        }
        let (connection, organization) = self.tables();
        presets::apply(connection, organization, id).await.map_err(refusal)?;
        for was in before {
            let (connection, organization) = self.tables();
            let is = roles::get(connection, organization, &was.id).await.map_err(refusal)?;
            self.take_down("role.sync", &was.id, Some(&was), is.as_ref()).await?;
        }
        let (connection, organization) = self.tables();
        let after = presets::differences(connection, organization, id).await.map_err(refusal)?;
        self.commit("preset.sync", &id.to_string(), Some(preview), Some(after)).await
    }

    fn writes_presets(&self) -> Result<(), Refusal> {
        self.require(&Need { any_of: &[ROLE_MANAGE], at: None })?;
        self.needs_everything(
            "a preset decides what others are given at scopes to come: whoever may do everything has to write it",
        )
    }

    /// A preset that is as `tags` say, for who may write it.
    async fn preset(&mut self, id: Uuid, tags: &[String]) -> Result<Item, Refusal> {
        self.writes_presets()?;
        let (connection, organization) = self.tables();
        let preset = presets::get(connection, organization, id).await.map_err(refusal)?;
        let preset = preset.ok_or(Problem::ITEM_NOT_FOUND)?;
        expect(&preset, tags)?;
        Ok(preset)
    }

    async fn put_preset(&mut self, id: Uuid, kind: &str, fields: &PresetFields) -> Result<Item, Refusal> {
        let (name, name_key) = input::name(&fields.name)?;
        let (connection, organization) = self.tables();
        if presets::named(connection, organization, &name_key, id).await.map_err(refusal)? {
            return Err(Problem::NAME_TAKEN.into());
        }
        let role_name = fields.role_name.as_deref();
        role_name.map(role_names::check).transpose()?;
        let catalog = catalog::requirements(connection, organization).await.map_err(refusal)?;
        let (entries, _) = input::permissions(&fields.permissions, &catalog)?;
        if fields.auto_assign {
            if let Some(what) = self.manages_others(&entries).await? {
                return Err(Problem::ADMIN_AUTO_ASSIGN.because(format!(
                    "auto_assign: who holds `{what}` manages others, and is given that by somebody: leave one of them out"
                )));
            }
            let called = [Some(name_key.as_str()), role_name].into_iter().flatten();
            if called.map(str::to_lowercase).any(|name| name.trim_end().ends_with("admin")) {
                return Err(Problem::ADMIN_AUTO_ASSIGN.because(
                    "auto_assign: by its name it is an administrator's role, which is given by somebody: call it something else",
                ));
            }
        }
        let row = PresetRow {
            id,
            name: &name,
            name_key: &name_key,
            kind,
            role_name,
            auto_assign: fields.auto_assign,
            for_creator: fields.for_creator,
            permissions: &entries,
        };
        let (connection, organization) = self.tables();
        presets::put(connection, organization, &row).await.map_err(refusal)?;
        let preset = presets::get(connection, organization, id).await.map_err(refusal)?;
        Ok(preset.ok_or(Problem::INTERNAL)?)
    }

    /// Whether who holds what a list stands for manages others: by which permission. A wildcard counts for what the
    /// catalog may have later.
    pub(super) async fn manages_others(&mut self, list: &[String]) -> Result<Option<String>, Refusal> {
        let wide = |key: &&&str| {
            let kind = key.rsplit_once(':').map_or("", |(kind, _)| kind);
            list.iter().any(|entry| entry == "*" || entry.strip_suffix(":*") == Some(kind))
        };
        if let Some(key) = MANAGES.iter().find(wide) {
            return Ok(Some((*key).to_owned()));
        }
        let listed: BTreeSet<String> = list.iter().cloned().collect();
        let (connection, organization) = self.tables();
        let catalog = catalog::requirements(connection, organization).await.map_err(refusal)?;
        let keys = listed.iter().flat_map(|entry| input::stands_for(entry, &catalog)).cloned().collect();
        let held = self.following(&keys, By::Holding).await?;
        Ok(MANAGES.iter().find(|key| held.contains(**key)).map(|key| (*key).to_owned()))
    }
}

/// The texts of a list.
pub(super) fn texts(list: &serde_json::Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|entry| entry.as_str()).map(str::to_owned).collect()
}
