//! Subjects and groups.

use super::input;
use super::permission::{ROLE_MANAGE, USER_MANAGE};
use super::refused::refusal;
use super::roles::expect;
use super::{Make, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::store::manage::{Item, invitations, subjects};
use postern_world::Life;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What callers say of a subject.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectFields {
    /// In the body where it is made, in the path where it is changed.
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default = "input::yes")]
    active: bool,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

impl SubjectFields {
    fn life(&self, id: &str) -> Result<Life, Refusal> {
        let kind = id.split_once(':').map_or("", |(kind, _)| kind);
        for alias in &self.aliases {
            input::subject(&format!("{kind}:{alias}"), "aliases")?;
        }
        let texts = self.attributes.iter().flat_map(|(name, value)| [name, value]);
        if texts.into_iter().any(|text| text.contains('\0')) {
            return Err(Problem::INVALID_REQUEST.because("attributes: the database takes no U+0000"));
        }
        input::life(self.active, self.not_before.as_deref(), self.expires_at.as_deref())
    }

    fn attributes(&self) -> String {
        serde_json::json!(self.attributes).to_string()
    }
}

impl Make for SubjectFields {
    const COLLECTION: &'static str = "subjects";

    /// Lists a subject or a group.
    async fn make(&self, mut write: Write<'_>) -> Result<Written, Refusal> {
        let id = self.id.as_deref().unwrap_or_default();
        input::subject(id, "id")?;
        // Facts may have named it before: to list it can end what it held.
        write.manage(id, None, ROLE_MANAGE, USER_MANAGE).await?;
        let life = self.life(id)?;
        let (connection, organization) = write.tables();
        if subjects::get(connection, organization, id).await.map_err(refusal)?.is_some() {
            return Err(Problem::ID_TAKEN.into());
        }
        write.affects([id.to_owned()], []).await?;
        let after = write.put_subject(id, self, life).await?;
        write.commit("subject.create", id, None, Some(after)).await
    }
}

impl Write<'_> {
    /// Changes a subject that is as `tags` say.
    pub async fn update_subject(
        mut self,
        id: &str,
        tags: &[String],
        fields: &SubjectFields,
    ) -> Result<Written, Refusal> {
        self.manage(id, None, ROLE_MANAGE, USER_MANAGE).await?;
        let before = self.subject(id).await?;
        expect(&before, tags)?;
        if fields.id.as_deref().is_some_and(|other| other != id) {
            return Err(Problem::INVALID_REQUEST.because("id: a subject keeps its id"));
        }
        let life = fields.life(id)?;
        if self.is_caller(id) && !(life.active && life.not_before.is_none() && life.expires_at.is_none()) {
            return Err(Problem::OWN_END.into());
        }
        self.affects([id.to_owned()], []).await?;
        let after = self.put_subject(id, fields, life).await?;
        let (was, is) = (before.json(), after.json());
        if ["active", "not_before", "expires_at"].iter().any(|bound| was[bound] != is[bound]) {
            self.nothing_hidden()?;
        }
        if after == before {
            return Ok(self.unchanged(after));
        }
        self.commit("subject.update", id, Some(before), Some(after)).await
    }

    /// Deletes a subject with everything that it holds and belongs to. A group's members lose what they had through it.
    pub async fn delete_subject(mut self, id: &str, tags: &[String]) -> Result<Written, Refusal> {
        self.manage(id, None, ROLE_MANAGE, USER_MANAGE).await?;
        let before = self.subject(id).await?;
        expect(&before, tags)?;
        if self.is_caller(id) {
            return Err(Problem::OWN_END.into());
        }
        // Its own members, as they are now.
        let (connection, organization) = self.tables();
        let members =
            subjects::with_members(connection, organization, &[id.to_owned()]).await.map_err(refusal)?;
        // It only loses itself.
        let members = members.into_iter().filter(|member| member != id);
        self.affects(members, []).await?;
        self.nothing_kept_back()?;
        let (connection, organization) = self.tables();
        invitations::cancel_of(connection, organization, id).await.map_err(refusal)?;
        subjects::delete(connection, organization, id).await.map_err(refusal)?;
        self.commit("subject.delete", id, Some(before), None).await
    }

    async fn subject(&mut self, id: &str) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        let item = subjects::get(connection, organization, id).await.map_err(refusal)?;
        Ok(item.ok_or(Problem::ITEM_NOT_FOUND)?)
    }

    async fn put_subject(&mut self, id: &str, fields: &SubjectFields, life: Life) -> Result<Item, Refusal> {
        let (connection, organization) = self.tables();
        let put =
            subjects::put(connection, organization, id, &fields.aliases, &fields.attributes(), life).await;
        put.map_err(refusal)?;
        self.subject(id).await
    }
}
