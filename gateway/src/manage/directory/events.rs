//! What happened in a directory, told as events with ids: in whatever order they come, and however often, what is newest
//! stands in the end (`systems.md` GR-47).

use super::drift::Listed;
use super::{Members, Resource, bare, refusal};
use crate::manage::Write;
use crate::problem::Refusal;
use crate::scim::Invalid;
use crate::store::manage::directory;
use serde_json::{Map, Value};

/// LIMIT: bytes of an event's id.
const ID_BYTES_MAX: usize = 255;

/// One event: a user or a group is so now, or is gone.
#[derive(Clone, Debug)]
pub struct Event {
    /// Of two about the same user or group, the one that is greater by bytes is the newer.
    pub id: String,
    is_user: bool,
    /// As the directory calls it.
    external_id: String,
    /// How it is; `None`: gone.
    becomes: Option<(Resource, Option<Vec<String>>)>,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done. Members that are not here yet are members as soon as they come.
    Applied {
        /// The subject that it is about.
        subject: Option<String>,
        /// What the directory calls those who are not here yet.
        unknown_members: Vec<String>,
    },
    /// As things are already.
    Unchanged,
    /// A newer one about the same user or group, or this one, was there before.
    Older,
}

impl Event {
    /// Reads one.
    ///
    /// # Errors
    /// It is none; what is wrong, for people.
    pub fn of(value: Value) -> Result<Event, Invalid> {
        let wrong = |what: &str| Invalid::new("invalidValue", what);
        let Value::Object(mut event) = value else {
            return Err(wrong("an event is an object: {\"id\", \"resource\"} or {\"id\", \"deleted\"}"));
        };
        let id = match event.remove("id") {
            Some(Value::String(id)) if (1..=ID_BYTES_MAX).contains(&id.len()) && !id.contains('\0') => id,
            _ => return Err(wrong("id: write a text of 1 to 255 bytes, of which a later one is greater")),
        };
        let (resource, deleted) = (event.remove("resource"), event.remove("deleted"));
        if let Some(other) = event.keys().next() {
            return Err(wrong(&format!("`{other}` is no member of an event")));
        }
        match (resource, deleted) {
            (Some(Value::Object(resource)), None) => Event::put(id, resource),
            (None, Some(Value::Object(gone))) => Event::gone(id, &gone),
            _ => Err(wrong("write either `resource`, a SCIM user or group, or `deleted`, what is gone")),
        }
    }

    fn put(id: String, resource: Map<String, Value>) -> Result<Event, Invalid> {
        let states_members = resource.keys().any(|name| name.eq_ignore_ascii_case("members"));
        let Listed { id: own, mut resource, is_user, members, .. } = Listed::of(resource)?;
        let external_id = resource.external_id.clone().or(own);
        let external_id = external_id
            .filter(|id| !id.is_empty() && !id.contains('\0'))
            .ok_or_else(|| Invalid::new("invalidValue", "externalId: write what the directory calls it"))?;
        resource.external_id = Some(external_id.clone());
        Ok(Event { id, is_user, external_id, becomes: Some((resource, states_members.then_some(members))) })
    }

    fn gone(id: String, gone: &Map<String, Value>) -> Result<Event, Invalid> {
        let text = |name: &str| gone.get(name).and_then(Value::as_str).filter(|text| !text.contains('\0'));
        let is_user = match text("resourceType") {
            Some("User") => true,
            Some("Group") => false,
            _ => return Err(Invalid::new("invalidValue", "deleted.resourceType: write `User` or `Group`")),
        };
        let external_id = text("externalId").filter(|id| !id.is_empty()).map(str::to_owned);
        let external_id = external_id.ok_or_else(|| {
            Invalid::new("invalidValue", "deleted.externalId: write what the directory calls it")
        })?;
        Ok(Event { id, is_user, external_id, becomes: None })
    }
}

impl Write<'_> {
    /// Does what an event says, if none that is newer was done: together with the event's id, or not at all.
    pub async fn follow(mut self, event: &Event) -> Result<Outcome, Refusal> {
        let (connection, organization) = self.tables();
        let of = (event.is_user, event.external_id.as_str());
        let none = Vec::new();
        let said = match &event.becomes {
            Some((_, members)) => members.as_ref(),
            None => Some(&none),
        };
        let said = said.map(Vec::as_slice);
        if !directory::advance(connection, organization, of, &event.id, said).await.map_err(refusal)? {
            return Ok(Outcome::Older);
        }
        let there = self.directory_subject(event).await?;
        let mut unknown_members = Vec::new();
        let (subject, changed) = match (&event.becomes, there) {
            (None, None) => (None, false),
            (None, Some(subject)) => {
                self.unlist_directory(&subject).await?;
                (Some(subject), true)
            }
            (Some((resource, members)), there) => {
                let members = match members {
                    Some(called) => Some(self.directory_members(called, &mut unknown_members).await?),
                    None => None,
                };
                match there {
                    None => {
                        let (subject, _) = self.list_directory(resource, members.unwrap_or_default()).await?;
                        self.join_told(event, &subject).await?;
                        (Some(subject), true)
                    }
                    Some(subject) => {
                        let changing = self.changing(&subject, &[]).await?;
                        let members: Vec<Members> = members.into_iter().map(Members::Are).collect();
                        let (_, _, changed) = self.make_directory(changing, resource, &members).await?;
                        (Some(subject), changed)
                    }
                }
            }
        };
        // Also where nothing changed: what is older must not count after it.
        self.finish(None, None).await?;
        Ok(match changed {
            true => Outcome::Applied { subject, unknown_members },
            false => Outcome::Unchanged,
        })
    }

    /// Who comes after the groups that named it belongs to them now.
    async fn join_told(&mut self, event: &Event, subject: &str) -> Result<(), Refusal> {
        let (connection, organization) = self.tables();
        let groups = directory::groups_told_of(connection, organization, &event.external_id).await;
        let member = Members::Add(vec![bare(subject).to_owned()]);
        for group in groups.map_err(refusal)?.iter().filter(|group| *group != subject) {
            self.change_members(group, &member).await?;
        }
        Ok(())
    }

    /// Which one here an event is about: by what the directory calls it, or else, of one that it never wrote, by its name.
    async fn directory_subject(&mut self, event: &Event) -> Result<Option<String>, Refusal> {
        let kind = if event.is_user { "user:" } else { "group:" };
        let (connection, organization) = self.tables();
        let called = directory::of_external_id(connection, organization, &event.external_id).await;
        if let Some(subject) = called.map_err(refusal)?.into_iter().find(|subject| subject.starts_with(kind))
        {
            return Ok(Some(subject));
        }
        let Some((resource, _)) = &event.becomes else { return Ok(None) };
        let named = match (&resource.user_name, resource.rest.get("displayName").and_then(Value::as_str)) {
            (Some(name), _) => {
                let folded = name.to_lowercase();
                directory::of_user_name(connection, organization, (name, &folded)).await.map_err(refusal)?
            }
            (None, Some(name)) => {
                directory::of_display_name(connection, organization, name).await.map_err(refusal)?
            }
            (None, None) => Vec::new(),
        };
        for subject in named {
            let entry = directory::get(connection, organization, &subject).await.map_err(refusal)?;
            if entry.is_some_and(|entry| entry.external_id.is_none()) {
                return Ok(Some(subject));
            }
        }
        Ok(None)
    }

    /// The ids here of members, by what the directory calls them.
    async fn directory_members(
        &mut self,
        called: &[String],
        unknown: &mut Vec<String>,
    ) -> Result<Vec<String>, Refusal> {
        let (connection, organization) = self.tables();
        let mut members = Vec::new();
        for id in called {
            let found = directory::of_external_id(connection, organization, id).await.map_err(refusal)?;
            match found.first() {
                Some(subject) => members.push(bare(subject).to_owned()),
                None => unknown.push(id.clone()),
            }
        }
        Ok(members)
    }
}
