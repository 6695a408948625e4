//! Former ids of roles, for the time in which some use them still (GR-1): who names one means the role.

use super::permission::ROLE_MANAGE;
use super::refused::refusal;
use super::{Make, Need, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::manage::{role_aliases, roles};
use serde::Deserialize;

/// LIMIT: bytes of an id.
const ID_BYTES_MAX: usize = 512;

/// What callers say of a former id.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRoleAlias {
    id: String,
    role: String,
}

impl Make for NewRoleAlias {
    const COLLECTION: &'static str = "role-aliases";

    /// Makes an id stand for a role. One that stands for it already is left as it is.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        write.require(&Need { any_of: &[ROLE_MANAGE], at: None })?;
        let slug = self.id.strip_prefix("role:").unwrap_or_default();
        if slug.is_empty() || slug.contains([':', '\0']) || slug == "*" || self.id.len() > ID_BYTES_MAX {
            return Err(Problem::INVALID_REQUEST.because("id: write role:<slug>, in at most 512 bytes"));
        }
        let (connection, organization) = write.tables();
        let role = roles::get(connection, organization, &self.role).await.map_err(refusal)?;
        role.ok_or(Problem::UNKNOWN_ROLE)?;
        if let Some(there) = role_aliases::get(connection, organization, &self.id).await.map_err(refusal)? {
            return match there.json()["role"] == self.role.as_str() {
                true => Ok(write.unchanged(there)),
                false => Err(Problem::ID_TAKEN.into()),
            };
        }
        role_aliases::insert(connection, organization, &self.id, &self.role).await.map_err(refusal)?;
        let after = role_aliases::get(connection, organization, &self.id).await.map_err(refusal)?;
        let after = after.ok_or(Problem::INTERNAL)?;
        write.commit("role_alias.create", &self.id, None, Some(after)).await
    }
}

impl Write<'_> {
    /// Has an id stand for nothing: who names it from now on names no role. What was given under it stays the role's.
    pub async fn delete_role_alias(mut self, id: &str) -> Result<Written, Refusal> {
        self.require(&Need { any_of: &[ROLE_MANAGE], at: None })?;
        let (connection, organization) = self.tables();
        let before = role_aliases::get(connection, organization, id).await.map_err(refusal)?;
        let before = before.ok_or(Problem::ITEM_NOT_FOUND)?;
        role_aliases::delete(connection, organization, id).await.map_err(refusal)?;
        self.commit("role_alias.delete", id, Some(before), None).await
    }

    /// The role that an id stands for, now or formerly; any other id as it is.
    pub(super) async fn canonical_role(&mut self, id: &str) -> Result<String, Refusal> {
        let (connection, organization) = self.tables();
        let role = role_aliases::role_of(connection, organization, id).await.map_err(refusal)?;
        Ok(role.unwrap_or_else(|| id.to_owned()))
    }
}
