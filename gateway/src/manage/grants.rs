//! Grants and exclusions: given and taken.

use super::edges::resource;
use super::guard::By;
use super::input::{self, At};
use super::permission::ROLE_MANAGE;
use super::refused::refusal;
use super::rights::borrowed;
use super::{Make, Place, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::facts::GrantFact;
use crate::store::manage::places::{self, Known};
use crate::store::manage::{Item, grants, roles};
use serde::Deserialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Whether a grant gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Effect {
    Allow,
    Exclude,
}

/// What callers say of a grant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// A subject, a group, a role, or `user:all`.
    subject: String,
    effect: Effect,
    permissions: Vec<String>,
    // Has to be there: a member that was forgotten must not mean the whole organization.
    #[serde(deserialize_with = "Option::deserialize")]
    at: Option<At>,
    #[serde(default, rename = "where")]
    conditions: BTreeMap<String, String>,
    #[serde(default)]
    require: BTreeMap<String, String>,
    #[serde(default)]
    own: bool,
    #[serde(default)]
    session: Option<String>,
    #[serde(default = "input::yes")]
    active: bool,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

/// LIMIT: bytes of a session's id, as the database has it.
const SESSION_BYTES_MAX: usize = 512;

impl Make for NewGrant {
    const COLLECTION: &'static str = "grants";

    /// Makes a grant or an exclusion. One that is there is left as it is.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        let life = input::life(self.active, self.not_before.as_deref(), self.expires_at.as_deref())?;
        input::dimensions(&self.conditions, "where", false)?;
        input::dimensions(&self.require, "require", false)?;
        let session = self.session.as_deref();
        if session.is_some_and(|id| id.is_empty() || id.len() > SESSION_BYTES_MAX || id.contains('\0')) {
            return Err(Problem::INVALID_REQUEST.because("session: 1 to 512 bytes, without U+0000"));
        }
        let at: Place = self.at.as_ref().map(|at| at.checked("at")).transpose()?;
        let role = self.subject.starts_with("role:");
        if self.subject != "user:all" && !role {
            input::subject(&self.subject, "subject")?;
        }
        let subject = match role {
            true => write.canonical_role(&self.subject).await?,
            false => write.canonical(&self.subject).await?,
        };
        let holders = write.may_grant(&subject, &at).await?;
        if let Some(at) = &at {
            let (connection, organization) = write.tables();
            match places::known(connection, organization, (&at.0, &at.1)).await.map_err(refusal)? {
                Known::Place => {}
                _ => return Err(Problem::UNKNOWN_SCOPE.into()),
            }
        }
        let (entries, keys) = write.entries(&self.permissions).await?;
        match self.effect {
            Effect::Allow => write.give_below(&keys, By::Holding, borrowed(&at)).await?,
            // It takes something from all who are reached. Nobody takes what they could not give back.
            Effect::Exclude => {
                write.outranks(&holders, borrowed(&at)).await?;
                write.give_below(&keys, By::ExclusionEnded, borrowed(&at)).await?;
            }
        }
        write.affects(holders, [at.clone()]).await?;
        write.shown();
        let permissions: Vec<&str> = entries.iter().map(String::as_str).collect();
        let pairs = |of: &'_ BTreeMap<String, String>| -> Vec<(String, String)> {
            of.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        let (conditions, require) = (pairs(&self.conditions), pairs(&self.require));
        let fact = GrantFact {
            subject: &subject,
            exclude: self.effect == Effect::Exclude,
            permissions: &permissions,
            at: borrowed(&at),
            conditions: &conditions.iter().map(|pair| (&*pair.0, &*pair.1)).collect::<Vec<_>>(),
            require: &require.iter().map(|pair| (&*pair.0, &*pair.1)).collect::<Vec<_>>(),
            own: self.own,
            session,
            life,
        };
        let (connection, organization) = write.tables();
        if let Some(there) = grants::same(connection, organization, &fact).await.map_err(refusal)? {
            return Ok(write.unchanged(there));
        }
        let id = Uuid::now_v7();
        grants::insert(connection, organization, id, &fact, false).await.map_err(refusal)?;
        let after = grants::get(connection, organization, id).await.map_err(refusal)?;
        let after = after.ok_or(Problem::INTERNAL)?;
        write.commit("grant.create", &after.id.clone(), None, Some(after)).await
    }
}

impl Write<'_> {
    /// Takes a grant or an exclusion away. To end an exclusion is to give what it took.
    pub async fn delete_grant(mut self, id: Uuid) -> Result<Written, Refusal> {
        let (connection, organization) = self.tables();
        let before = grants::get(connection, organization, id).await.map_err(refusal)?;
        let json = before.as_ref().map(Item::json).unwrap_or_default();
        let at = resource(&json["at"]);
        let subject = json["subject"].as_str().unwrap_or_default();
        let Some(before) = before else {
            // Who may not write here is told so, whether it is there or not.
            self.may(&[ROLE_MANAGE], None)?;
            return Err(Problem::ITEM_NOT_FOUND.into());
        };
        let holders = self.may_grant(subject, &at).await?;
        if json["share"] == true {
            return Err(Problem::PART_OF_SHARE.into());
        }
        if json["effect"] == "exclude" {
            let list: Vec<String> = json["permissions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.as_str())
                .map(str::to_owned)
                .collect();
            // One that came by SQL may have no entries.
            if !list.is_empty() {
                let (_, keys) = self.entries(&list).await?;
                self.give_below(&keys, By::ExclusionEnded, borrowed(&at)).await?;
            }
        }
        self.affects(holders, [at]).await?;
        self.shown();
        let (connection, organization) = self.tables();
        grants::delete(connection, organization, id).await.map_err(refusal)?;
        self.commit("grant.delete", &before.id.clone(), Some(before), None).await
    }

    /// Refuses a caller who may not write what this subject or role holds at a place. Who that is about: the subject, or
    /// whoever is assigned the role.
    async fn may_grant(&mut self, subject: &str, at: &Place) -> Result<Vec<String>, Refusal> {
        if !subject.starts_with("role:") {
            self.manage(subject, borrowed(at), ROLE_MANAGE, ROLE_MANAGE).await?;
            return Ok(vec![subject.to_owned()]);
        }
        // It holds wherever the role is assigned, as the role's own permissions do.
        self.may(&[ROLE_MANAGE], None)?;
        let (connection, organization) = self.tables();
        let role = roles::get(connection, organization, subject).await.map_err(refusal)?;
        let role = role.ok_or(Problem::UNKNOWN_ROLE)?;
        if role.json()["immutable"] == true {
            return Err(Problem::BUILTIN_ROLE_IMMUTABLE.into());
        }
        let held = roles::holders(connection, organization, subject).await.map_err(refusal)?;
        Ok(held.into_iter().map(|held| held.subject).collect())
    }
}
