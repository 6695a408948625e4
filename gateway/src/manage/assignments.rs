//! Assignments: given and taken.

use super::input;
use super::permission::{ROLE_MANAGE, USER_MANAGE};
use super::write::refusal;
use super::{Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::manage::places::Known;
use crate::store::manage::{Item, assignments, places, subjects};
use serde::Deserialize;
use uuid::Uuid;

/// Where something stands, as callers write it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

/// What callers say of an assignment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAssignment {
    subject: String,
    role: String,
    // Has to be there: a member that was forgotten must not mean the whole organization.
    #[serde(deserialize_with = "Option::deserialize")]
    at: Option<At>,
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
    /// Assigns a role. An assignment that is there is left as it is.
    pub async fn create_assignment(mut self, fields: &NewAssignment) -> Result<Written, Refusal> {
        let at = fields.at.as_ref().map(|at| (at.kind.as_str(), at.id.as_str()));
        let life = input::life(fields.active, fields.not_before.as_deref(), fields.expires_at.as_deref())?;
        if fields.subject != "user:all" {
            input::subject(&fields.subject, "subject")?;
        }
        let subject = self.canonical(&fields.subject).await?;
        self.manage(&subject, at, ROLE_MANAGE, USER_MANAGE).await?;
        if let Some(at) = at {
            let (connection, organization) = self.tables();
            match places::known(connection, organization, at).await.map_err(refusal)? {
                Known::Place if at.1 != "*" && !at.1.is_empty() => {}
                _ => return Err(Problem::UNKNOWN_SCOPE.into()),
            }
        }
        let keys = self.role_keys(&fields.role).await?.ok_or(Problem::UNKNOWN_ROLE)?;
        self.give(&keys, at).await?;
        self.affects([subject.clone()], [fields.at.clone().map(|at| (at.kind, at.id))]).await?;
        let (connection, organization) = self.tables();
        let made = assignments::insert(connection, organization, &subject, &fields.role, at, life).await;
        let Some(id) = made.map_err(refusal)? else {
            let same = assignments::same(connection, organization, &subject, &fields.role, at, life).await;
            let item = same.map_err(refusal)?.ok_or(Problem::INTERNAL)?;
            return Ok(self.unchanged(item));
        };
        let after = self.assignment(id).await?;
        self.given(&after.id);
        self.record("assignment.create", &after.id, None, Some(&after)).await?;
        self.commit(Some(after)).await
    }

    /// Takes an assignment away.
    pub async fn delete_assignment(mut self, id: Uuid) -> Result<Written, Refusal> {
        let before = self.assignment(id).await;
        let json = before.as_ref().map(Item::json).unwrap_or_default();
        let text = |member: &str| json[member].as_str().unwrap_or_default();
        let place = json["at"].as_object().map(|at| {
            let part =
                |name: &str| at.get(name).and_then(|part| part.as_str()).unwrap_or_default().to_owned();
            (part("type"), part("id"))
        });
        let at = super::rights::borrowed(&place);
        // Who may not write here is told so, whether it is there or not.
        self.manage(text("subject"), at, ROLE_MANAGE, USER_MANAGE).await?;
        let before = before?;
        self.affects([text("subject").to_owned()], [place.clone()]).await?;
        self.nothing_kept_back()?;
        let (connection, organization) = self.tables();
        assignments::delete(connection, organization, id).await.map_err(refusal)?;
        self.record("assignment.delete", &before.id, Some(&before), None).await?;
        self.commit(None).await
    }

    async fn assignment(&mut self, id: Uuid) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        let item = assignments::get(connection, organization, id).await.map_err(refusal)?;
        Ok(item.ok_or(Problem::ITEM_NOT_FOUND)?)
    }

    /// The subject that an alias stands for; any other id as it is.
    pub(super) async fn canonical(&mut self, subject: &str) -> Result<String, Refusal> {
        let (connection, organization) = self.tables();
        let listed = subjects::of_alias(connection, organization, subject).await.map_err(refusal)?;
        Ok(listed.unwrap_or_else(|| subject.to_owned()))
    }
}
