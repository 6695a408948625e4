//! Memberships: who belongs to which group.

use super::input;
use super::permission::{ROLE_MANAGE, USER_MANAGE};
use super::refused::refusal;
use super::{Make, Write, Written};
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
    #[serde(default = "input::yes")]
    active: bool,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

impl Make for NewMembership {
    const COLLECTION: &'static str = "memberships";

    /// Adds a subject or a group to a group. A membership that is there is left as it is.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        let life = input::life(self.active, self.not_before.as_deref(), self.expires_at.as_deref())?;
        input::subject(&self.subject, "subject")?;
        input::subject(&self.group, "group")?;
        let (subject, group) = (write.canonical(&self.subject).await?, write.canonical(&self.group).await?);
        write.manage(&subject, None, ROLE_MANAGE, USER_MANAGE).await?;
        if !group.starts_with("group:") {
            return Err(Problem::UNKNOWN_GROUP.into());
        }
        write.affects([subject.clone()], []).await?;
        let (connection, organization) = write.tables();
        let made = memberships::insert(connection, organization, &subject, &group, life).await;
        let made = made.map_err(refusal)?;
        let after = memberships::same(connection, organization, &subject, &group, life).await;
        let after = after.map_err(refusal)?.ok_or(Problem::INTERNAL)?;
        if !made {
            return Ok(write.unchanged(after));
        }
        write.commit("membership.create", &after.id.clone(), None, Some(after)).await
    }
}

impl Write<'_> {
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
        self.commit("membership.delete", &before.id.clone(), Some(before), None).await
    }

    async fn membership(&mut self, id: Uuid) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        let item = memberships::get(connection, organization, id).await.map_err(refusal)?;
        Ok(item.ok_or(Problem::ITEM_NOT_FOUND)?)
    }
}
