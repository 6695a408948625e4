//! Memberships: who belongs to which group.

use super::input;
use super::permission::{ROLE_MANAGE, USER_MANAGE};
use super::write::refusal;
use super::{Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::manage::{Item, memberships};
use serde::Deserialize;
use uuid::Uuid;

/// What callers say of a membership.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMembership {
    subject: String,
    group: String,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

fn yes() -> bool {
    true
}

impl Write<'_> {
    /// Adds a subject or a group to a group. A membership that is there is left as it is.
    pub async fn create_membership(mut self, fields: &NewMembership) -> Result<Written, Refusal> {
        let life = input::life(fields.active, fields.not_before.as_deref(), fields.expires_at.as_deref())?;
        input::subject(&fields.subject, "subject")?;
        input::subject(&fields.group, "group")?;
        let (subject, group) = (self.canonical(&fields.subject).await?, self.canonical(&fields.group).await?);
        self.manage(&subject, None, ROLE_MANAGE, USER_MANAGE).await?;
        if !group.starts_with("group:") {
            return Err(Problem::UNKNOWN_GROUP.into());
        }
        self.affects([subject.clone()], []).await?;
        let (connection, organization) = self.tables();
        let made = memberships::insert(connection, organization, &subject, &group, life).await;
        let Some(id) = made.map_err(refusal)? else {
            let same = memberships::same(connection, organization, &subject, &group, life).await;
            let item = same.map_err(refusal)?.ok_or(Problem::INTERNAL)?;
            return Ok(self.unchanged(item));
        };
        let after = self.membership(id).await?;
        self.record("membership.create", &after.id, None, Some(&after)).await?;
        self.commit(Some(after)).await
    }

    /// Ends a membership.
    pub async fn delete_membership(mut self, id: Uuid) -> Result<Written, Refusal> {
        let before = self.membership(id).await;
        let json = before.as_ref().map(Item::json).unwrap_or_default();
        let subject = json["subject"].as_str().unwrap_or_default();
        self.manage(subject, None, ROLE_MANAGE, USER_MANAGE).await?;
        let before = before?;
        self.affects([subject.to_owned()], []).await?;
        self.nothing_kept_back()?;
        let (connection, organization) = self.tables();
        memberships::delete(connection, organization, id).await.map_err(refusal)?;
        self.record("membership.delete", &before.id, Some(&before), None).await?;
        self.commit(None).await
    }

    async fn membership(&mut self, id: Uuid) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        let item = memberships::get(connection, organization, id).await.map_err(refusal)?;
        Ok(item.ok_or(Problem::ITEM_NOT_FOUND)?)
    }
}
