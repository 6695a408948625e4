//! The catalog and the roles that a program brings along (`--catalog`), brought into every organization when a gateway
//! starts.
//!
//! The file is a world document with a catalog and roles, and nothing else. A role `role:system:<KEY>` is a built-in
//! one. Where it holds `*` it is immutable and repaired at every start; any other is written once, and then belongs to
//! the organization.

use super::input;
use crate::store::manage::audit::{self, Event};
use crate::store::manage::roles::{self, RoleRow};
use crate::store::manage::{catalog, lock};
use crate::store::{StoreError, catalog_file};
use postern_world::{Role, World};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;

/// What the file says. Without a file there is nothing built in.
#[derive(Debug, Default)]
pub struct Builtins {
    world: World,
    roles: Vec<Builtin>,
}

#[derive(Debug)]
struct Builtin {
    key: String,
    name: String,
    name_key: String,
    permissions: Vec<String>,
    immutable: bool,
}

/// What an organization got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Organizations that were looked at.
    pub organizations: usize,
    /// Roles that were made or repaired.
    pub roles: usize,
}

impl Builtins {
    /// Of a document.
    ///
    /// # Errors
    /// What has no place in such a file, as a sentence.
    pub fn new(world: World) -> Result<Self, String> {
        let facts = world.subjects.len()
            + world.memberships.len()
            + world.resources.len()
            + world.assignments.len()
            + world.grants.len();
        if facts > 0 {
            return Err("a catalog file has a catalog and roles, and no other facts".to_owned());
        }
        let roles = world.roles.iter().map(Builtin::of).collect::<Result<_, _>>()?;
        Ok(Builtins { world, roles })
    }

    /// Whether a folded name belongs to a built-in role: its key or its name.
    pub fn reserves(&self, name_key: &str) -> bool {
        self.roles.iter().any(|role| role.name_key == name_key || role.key.to_lowercase() == name_key)
    }

    /// Brings every organization up to date. Gateways that start together wait for each other, and the later ones find
    /// nothing to do.
    pub async fn reconcile(&self, connection: &mut PgConnection) -> Result<Reconciled, StoreError> {
        let mut done = Reconciled::default();
        if self.roles.is_empty() && self.world.catalog.permissions.is_empty() {
            return Ok(done);
        }
        catalog_file::lock(connection).await?;
        for organization in catalog_file::organizations(connection).await? {
            match self.bring_up_to_date(connection, &organization).await {
                Ok(None) => {}
                Ok(Some(roles)) => {
                    done.organizations += 1;
                    done.roles += roles;
                }
                // What one organization's facts do not allow is its own trouble: the others get their roles.
                Err(StoreError::Database(sqlx::Error::Database(error))) => {
                    tracing::error!(%organization, %error, "--catalog could not be brought into the organization");
                }
                Err(error) => return Err(error),
            }
        }
        catalog_file::unlock(connection).await?;
        Ok(done)
    }

    /// How many roles were made or repaired. `None`: the organization was deleted a moment ago.
    pub(super) async fn bring_up_to_date(
        &self,
        connection: &mut PgConnection,
        organization: &str,
    ) -> Result<Option<usize>, StoreError> {
        let mut transaction = connection.begin().await?;
        if lock(&mut transaction, organization).await?.is_none() {
            return Ok(None);
        }
        catalog_file::write(&mut transaction, organization, &self.world.catalog).await?;
        let mut roles = 0;
        for role in &self.roles {
            roles += usize::from(role.write(&mut transaction, organization).await?);
        }
        transaction.commit().await?;
        Ok(Some(roles))
    }
}

impl Builtin {
    fn of(role: &Role) -> Result<Self, String> {
        let key = role.id.strip_prefix("role:system:");
        let key = key.ok_or_else(|| format!("`{}`: a built-in role's id is role:system:<KEY>", role.id))?;
        let (name, name_key) =
            input::name(&role.name).map_err(|_| format!("`{}`: its name is none", role.id))?;
        Ok(Builtin {
            key: key.to_owned(),
            name,
            name_key,
            permissions: role.permissions.clone(),
            immutable: role.permissions.iter().any(|permission| permission == "*"),
        })
    }

    /// Whether anything had to be written.
    async fn write(&self, connection: &mut PgConnection, organization: &str) -> Result<bool, StoreError> {
        let there = roles::builtin(connection, organization, &self.key, &self.name_key).await?;
        // Written once: what people made of it since stays.
        if let Some(there) = &there
            && there.key.is_some()
            && !self.immutable
        {
            return Ok(false);
        }
        let own = format!("role:system:{}", self.key);
        let id = match there {
            // Its holders must not get more by it.
            Some(there) if there.key.is_some() || there.id == own || !self.immutable => there.id,
            Some(there) if gives_everything(connection, organization, &there.id).await? => there.id,
            _ => own,
        };
        let before = roles::get(connection, organization, &id).await?;
        let adopted = before.as_ref().filter(|_| !self.immutable).map(|before| before.json());
        // One that was there under this name, from an import, becomes the built-in one as it is.
        let permissions: Vec<String> = match &adopted {
            Some(role) => role["permissions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|p| p.as_str())
                .map(str::to_owned)
                .collect(),
            None => self.permissions.clone(),
        };
        let row = RoleRow {
            id: &id,
            name: &self.name,
            name_key: &self.name_key,
            permissions: &permissions,
            active: adopted.as_ref().is_none_or(|role| role["active"] == true),
            builtin: Some(&self.key),
            immutable: self.immutable,
        };
        roles::put(connection, organization, &row).await?;
        let after = roles::get(connection, organization, &id).await?;
        if before == after {
            return Ok(false);
        }
        let operation = if before.is_some() { "role.repair" } else { "role.seed" };
        let event = Event {
            actor: "gateway",
            operation,
            target: &id,
            before: before.as_ref().map(|item| item.text.as_str()),
            after: after.as_ref().map(|item| item.text.as_str()),
            request_id: None,
        };
        audit::record(connection, organization, &event).await?;
        Ok(true)
    }
}

/// Whether a role's list stands for the whole catalog.
async fn gives_everything(
    connection: &mut PgConnection,
    organization: &str,
    role: &str,
) -> Result<bool, StoreError> {
    let catalog = catalog::requirements(connection, organization).await?;
    let role = roles::get(connection, organization, role).await?.map(|role| role.json()).unwrap_or_default();
    let entries = role["permissions"].as_array().into_iter().flatten().filter_map(|entry| entry.as_str());
    let keys: BTreeSet<&String> = entries.flat_map(|entry| input::stands_for(entry, &catalog)).collect();
    let mut given: BTreeSet<&String> = keys.clone();
    // Rule 7: a permission that a held one implies is satisfied without being held.
    let implied = catalog::links(connection, organization, "implied_by").await?;
    given.extend(implied.iter().filter(|(_, by)| keys.contains(by)).map(|(permission, _)| permission));
    Ok(role["active"] == true && given.len() == catalog.len())
}
