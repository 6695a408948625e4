//! Assignments: given and taken.

use super::input::{self, At};
use super::permission::{ROLE_MANAGE, USER_MANAGE};
use super::refused::refusal;
use super::{Make, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::facts::AssignmentFact;
use crate::store::manage::places::Known;
use crate::store::manage::{Item, assignments, places, subjects};
use serde::Deserialize;
use uuid::Uuid;

/// What callers say of an assignment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAssignment {
    pub(super) subject: String,
    role: String,
    // Has to be there: a member that was forgotten must not mean the whole organization.
    #[serde(deserialize_with = "Option::deserialize")]
    at: Option<At>,
    #[serde(default = "input::yes")]
    active: bool,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

impl Make for NewAssignment {
    const COLLECTION: &'static str = "assignments";

    /// Assigns a role. An assignment that is there is left as it is.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        let given = self.give(&mut write).await?;
        write.commit_given(given).await
    }
}

impl NewAssignment {
    /// Assigns the role, up to the comparison of what everybody may do.
    pub(super) async fn give(&self, write: &mut Write<'_>) -> Result<Given, Refusal> {
        let at = self.at.as_ref().map(|at| (at.kind.as_str(), at.id.as_str()));
        let life = input::life(self.active, self.not_before.as_deref(), self.expires_at.as_deref())?;
        if self.subject != "user:all" {
            input::subject(&self.subject, "subject")?;
        }
        let subject = write.canonical(&self.subject).await?;
        write.manage(&subject, at, ROLE_MANAGE, USER_MANAGE).await?;
        if let Some(at) = at {
            let (connection, organization) = write.tables();
            match places::known(connection, organization, at).await.map_err(refusal)? {
                Known::Place if at.1 != "*" && !at.1.is_empty() => {}
                _ => return Err(Problem::UNKNOWN_SCOPE.into()),
            }
        }
        let role = write.canonical_role(&self.role).await?;
        let keys = write.role_keys(&role).await?.ok_or(Problem::UNKNOWN_ROLE)?;
        let place = self.at.clone().map(|at| (at.kind, at.id));
        write.give(&keys, [&place]).await?;
        write.affects([subject.clone()], [place]).await?;
        let fact = AssignmentFact { subject: &subject, role: &role, at, life };
        let (connection, organization) = write.tables();
        let made = assignments::insert(connection, organization, &fact).await.map_err(refusal)?;
        let after = assignments::same(connection, organization, &fact).await.map_err(refusal)?;
        let after = after.ok_or(Problem::INTERNAL)?;
        if made {
            write.given(&after.id);
        }
        Ok(Given { item: after, made, operation: "assignment.create" })
    }
}

/// What somebody was given.
pub(super) struct Given {
    pub item: Item,
    /// It was not there before.
    pub made: bool,
    /// As the audit has it.
    pub operation: &'static str,
}

impl Write<'_> {
    /// Commits what was given.
    pub(super) async fn commit_given(
        self,
        Given { item, made, operation }: Given,
    ) -> Result<Written, Refusal> {
        match made {
            true => self.commit(operation, &item.id.clone(), None, Some(item)).await,
            false => Ok(self.unchanged(item)),
        }
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
        self.commit("assignment.delete", &before.id.clone(), Some(before), None).await
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
