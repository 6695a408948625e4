//! Users and groups as a directory writes them (SCIM 2.0): subjects, their aliases and memberships, and beside these what
//! it wants told back. For whoever runs the gateway: a directory decides who there is, and stands above who manages.

pub mod drift;
pub mod events;

use super::refused::refusal;
use super::{Write, Written, input};
use crate::problem::{Problem, Refusal};
use crate::scim::patch::{Act, Operation};
use crate::scim::{Invalid, unqualified};
use crate::store::manage::directory::{self, Entry};
use crate::store::manage::{Item, invitations, memberships, subjects};
use postern_world::{Life, parse_time};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use uuid::Uuid;

/// LIMIT: bytes of the further attributes of one.
const RESOURCE_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: bytes of a name or an id.
const NAME_BYTES_MAX: usize = 500;
/// What the service says itself, and what it never keeps.
const NOT_KEPT: [&str; 5] = ["schemas", "id", "meta", "groups", "password"];

/// A user or a group, as a directory writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    external_id: Option<String>,
    user_name: Option<String>,
    active: bool,
    /// Further attributes.
    rest: Map<String, Value>,
}

/// How the members of a group change.
#[derive(Clone, Debug, PartialEq)]
pub enum Members {
    /// These come in.
    Add(Vec<String>),
    /// These go.
    Remove(Vec<String>),
    /// Nobody else is in it.
    Are(Vec<String>),
}

fn invalid(what: impl Into<String>) -> Invalid {
    Invalid::new("invalidValue", what)
}

fn text(value: Value, name: &str) -> Result<Option<String>, Invalid> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.contains('\0') => {
            Ok(Some(text))
        }
        _ => Err(invalid(format!("{name}: write a text of 1 to 500 bytes"))),
    }
}

impl Resource {
    /// Reads a user or a group without its members.
    ///
    /// # Errors
    /// `invalidValue`: an attribute that cannot be, or that is missing.
    pub fn of(mut rest: Map<String, Value>, user: bool) -> Result<Resource, Invalid> {
        let names: Vec<String> = rest.keys().cloned().collect();
        let mut take = |wanted: &str| {
            let name = names.iter().find(|name| unqualified(name).eq_ignore_ascii_case(wanted));
            name.and_then(|name| rest.remove(name)).unwrap_or_default()
        };
        NOT_KEPT.iter().for_each(|name| drop(take(name)));
        let external_id = text(take("externalId"), "externalId")?;
        let (mut user_name, mut active) = (None, true);
        if user {
            user_name =
                Some(text(take("userName"), "userName")?.ok_or_else(|| invalid("userName: it is missing"))?);
            active = match take("active") {
                Value::Null => true,
                Value::Bool(active) => active,
                // As one large directory writes it.
                Value::String(text) if text.eq_ignore_ascii_case("true") => true,
                Value::String(text) if text.eq_ignore_ascii_case("false") => false,
                _ => return Err(invalid("active: write true or false")),
            };
        } else {
            let name = text(take("displayName"), "displayName")?;
            let name = name.ok_or_else(|| invalid("displayName: it is missing"))?;
            take("members");
            rest.insert("displayName".to_owned(), name.into());
        }
        let all = Value::Object(rest.clone()).to_string();
        if all.len() > RESOURCE_BYTES_MAX || all.contains("\\u0000") {
            return Err(invalid("more than 65,536 bytes of attributes, or U+0000 among them"));
        }
        Ok(Resource { external_id, user_name, active, rest })
    }

    /// As it was written, or as it can be told of who was not: what a change is a change of.
    pub fn written(entry: &Entry) -> Map<String, Value> {
        let mut all: Map<String, Value> = serde_json::from_str(&entry.resource).unwrap_or_default();
        if let Some(id) = &entry.external_id {
            all.insert("externalId".to_owned(), json!(id));
        }
        match entry.subject.starts_with("user:") {
            true => {
                all.insert("userName".to_owned(), json!(entry.user_name));
                all.insert("active".to_owned(), json!(entry.active));
            }
            false => {
                all.entry("displayName").or_insert_with(|| json!(bare(&entry.subject)));
            }
        }
        all
    }

    /// What its subject is called besides its id.
    fn aliases(&self) -> impl Iterator<Item = String> {
        let of_user = self.user_name.is_some();
        [self.user_name.clone(), self.external_id.clone().filter(|_| of_user)].into_iter().flatten()
    }

    async fn put(&self, write: &mut Write<'_>, subject: &str) -> Result<(), Refusal> {
        let rest = Value::Object(self.rest.clone()).to_string();
        let folded = self.user_name.as_ref().map(|name| name.to_lowercase());
        let (connection, organization) = write.tables();
        let (external_id, name) =
            (self.external_id.as_deref(), self.user_name.as_deref().zip(folded.as_deref()));
        directory::put(connection, (organization, subject), external_id, name, &rest).await.map_err(refusal)
    }
}

/// A tag of what is told of a user or group, as it was when it was read.
pub fn version(entry: &Entry, members: &[[String; 3]]) -> String {
    let told = json!([Resource::written(entry), members.iter().map(|one| &one[1]).collect::<Vec<_>>()]);
    format!("W/\"{}\"", hex::encode(&Sha256::digest(told.to_string())[..8]))
}

/// The id without the type.
pub fn bare(subject: &str) -> &str {
    subject.split_once(':').map_or(subject, |(_, id)| id)
}

/// What an operation of a change says of a group's members; `None`: it is about something else.
///
/// # Errors
/// It is about members, and says nothing that can be done.
pub fn members_of(operation: &Operation) -> Result<Option<Members>, Invalid> {
    let Operation { act, path, value } = operation;
    if !path.attribute.eq_ignore_ascii_case("members") {
        return Ok(None);
    }
    if path.part.is_some() {
        return Err(Invalid::new("invalidPath", "members: write members, or members[value eq \"…\"]"));
    }
    let found = path.filter.iter().map(|equal| match (equal.is_of("value"), equal.text()) {
        (true, Some(id)) => Ok(id.to_owned()),
        _ => Err(Invalid::new("invalidPath", "members: write members[value eq \"…\"]")),
    });
    let found: Vec<String> = found.collect::<Result<_, _>>()?;
    Ok(Some(match (act, found.is_empty(), value.is_null()) {
        (Act::Remove, false, _) => Members::Remove(found),
        (Act::Remove, true, true) => Members::Are(Vec::new()),
        (Act::Remove, true, false) => Members::Remove(ids_of(value)?),
        (Act::Add, true, _) => Members::Add(ids_of(value)?),
        (Act::Replace, true, _) => Members::Are(ids_of(value)?),
        _ => return Err(Invalid::new("invalidPath", "members: what a filter finds is removed only")),
    }))
}

/// The ids of members: `[{"value": "…"}]`, or one of these.
///
/// # Errors
/// It is something else.
pub fn ids_of(value: &Value) -> Result<Vec<String>, Invalid> {
    let all = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(all) => &all[..],
        one => std::slice::from_ref(one),
    };
    let id = |one: &Value| one["value"].as_str().or(one.as_str()).map(str::to_owned);
    let ids: Option<Vec<String>> = all.iter().map(id).collect();
    ids.ok_or_else(|| invalid("members: write [{\"value\": \"<id>\"}]"))
}

/// A user or a group, as it is before a change.
pub struct Changing {
    before: Item,
    /// What the directory said of it.
    pub was: Entry,
}

impl Write<'_> {
    /// Lists a user or a group under a new id; that.
    pub async fn create_directory(
        mut self,
        resource: &Resource,
        members: Vec<String>,
    ) -> Result<(String, Written), Refusal> {
        let (subject, after) = self.list_directory(resource, members).await?;
        Ok((subject, self.finish(None, Some(after)).await?))
    }

    async fn list_directory(
        &mut self,
        resource: &Resource,
        members: Vec<String>,
    ) -> Result<(String, Item), Refusal> {
        let kind = if resource.user_name.is_some() { "user" } else { "group" };
        let subject = format!("{kind}:{}", Uuid::now_v7());
        let aliases = self.aliases_of(resource).await?;
        let (connection, organization) = self.tables();
        let life = Life { active: resource.active, ..Life::default() };
        subjects::put(connection, organization, &subject, &aliases, "{}", life).await.map_err(refusal)?;
        resource.put(self, &subject).await?;
        let after = self.directory_item(&subject).await?.ok_or(Problem::INTERNAL)?;
        self.take_down("subject.create", &subject, None, Some(&after)).await?;
        self.change_members(&subject, &Members::Add(members)).await?;
        Ok((subject, after))
    }

    /// A user or a group that is to be changed.
    ///
    /// # Errors
    /// There is none, or it is another by now than the tags say.
    pub async fn changing(&mut self, subject: &str, tags: &[String]) -> Result<Changing, Refusal> {
        let before = self.directory_item(subject).await?.ok_or(Problem::ITEM_NOT_FOUND)?;
        Ok(Changing { before, was: self.directory_entry(subject, tags).await? })
    }

    /// Makes a user or a group another; of a group also its members.
    pub async fn change_directory(
        mut self,
        changing: Changing,
        resource: &Resource,
        members: &[Members],
    ) -> Result<Written, Refusal> {
        let (before, after, changed) = self.make_directory(changing, resource, members).await?;
        match changed {
            true => self.finish(Some(before), Some(after)).await,
            false => Ok(self.unchanged(after)),
        }
    }

    /// What it was and is, and whether anything was written.
    async fn make_directory(
        &mut self,
        Changing { before, was }: Changing,
        resource: &Resource,
        members: &[Members],
    ) -> Result<(Item, Item, bool), Refusal> {
        let subject = was.subject.as_str();
        let known: BTreeSet<String> = match was.written {
            true => [Some(was.user_name.clone()), was.external_id.clone()].into_iter().flatten().collect(),
            false => BTreeSet::new(),
        };
        let said = before.json();
        // Aliases that the directory did not make are none of its business.
        let others = said["aliases"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut aliases: BTreeSet<String> =
            others.filter(|alias| !known.contains(*alias)).map(str::to_owned).collect();
        aliases.extend(self.aliases_of(resource).await?);
        aliases.remove(bare(subject));
        let aliases: Vec<String> = aliases.into_iter().collect();
        let bound = |name: &str| said[name].as_str().and_then(|text| parse_time(text).ok());
        let active = if resource.user_name.is_some() { resource.active } else { was.active };
        let life = Life { active, not_before: bound("not_before"), expires_at: bound("expires_at") };
        // What is told back only is no fact, and raises no revision.
        if json!(aliases) != said["aliases"] || active != was.active {
            let (connection, organization) = self.tables();
            let attributes = said["attributes"].to_string();
            let put = subjects::put(connection, organization, subject, &aliases, &attributes, life).await;
            put.map_err(refusal)?;
        }
        resource.put(self, subject).await?;
        let after = self.directory_item(subject).await?.ok_or(Problem::INTERNAL)?;
        let mut changed = after != before;
        if changed {
            self.take_down("subject.update", subject, Some(&before), Some(&after)).await?;
        }
        for one in members {
            changed |= self.change_members(subject, one).await?;
        }
        Ok((before, after, changed))
    }

    /// Deletes a user or a group with everything that it holds.
    pub async fn delete_directory(mut self, subject: &str, tags: &[String]) -> Result<Written, Refusal> {
        self.directory_entry(subject, tags).await?;
        let before = self.unlist_directory(subject).await?;
        self.finish(Some(before), None).await
    }

    async fn unlist_directory(&mut self, subject: &str) -> Result<Item, Refusal> {
        let before = self.directory_item(subject).await?.ok_or(Problem::ITEM_NOT_FOUND)?;
        let (connection, organization) = self.tables();
        invitations::cancel_of(connection, organization, subject).await.map_err(refusal)?;
        subjects::delete(connection, organization, subject).await.map_err(refusal)?;
        self.take_down("subject.delete", subject, Some(&before), None).await?;
        Ok(before)
    }

    /// What it is, if it is as one of the tags says, where there are any.
    async fn directory_entry(&mut self, subject: &str, tags: &[String]) -> Result<Entry, Refusal> {
        let (connection, organization) = self.tables();
        let entry = directory::get(connection, organization, subject).await.map_err(refusal)?;
        let entry = entry.ok_or(Problem::ITEM_NOT_FOUND)?;
        if !tags.is_empty() {
            let groups = [subject.to_owned()];
            let members = directory::members_of(connection, organization, &groups).await.map_err(refusal)?;
            let version = version(&entry, &members);
            if !tags.iter().any(|tag| tag == "*" || *tag == version) {
                return Err(Problem::PRECONDITION_FAILED.into());
            }
        }
        Ok(entry)
    }

    /// A subject for the audit, with what the directory says of it.
    async fn directory_item(&mut self, subject: &str) -> Result<Option<Item>, Refusal> {
        let (connection, organization) = self.tables();
        let item = subjects::get(connection, organization, subject).await.map_err(refusal)?;
        let entry = directory::get(connection, organization, subject).await.map_err(refusal)?;
        let Some((item, entry)) = item.zip(entry) else { return Ok(None) };
        let mut all = item.json();
        if entry.written {
            all["directory"] = Value::Object(Resource::written(&entry));
        }
        Ok(Some(Item { id: item.id, text: all.to_string() }))
    }

    /// What a user is called besides its id, if that can be an alias.
    async fn aliases_of(&mut self, resource: &Resource) -> Result<Vec<String>, Refusal> {
        let aliases: BTreeSet<String> = resource.aliases().collect();
        for alias in &aliases {
            input::subject(&format!("user:{alias}"), "userName, externalId")?;
        }
        Ok(aliases.into_iter().collect())
    }

    /// Changes who belongs to a group; whether anybody does that did not, or the other way round.
    async fn change_members(&mut self, group: &str, change: &Members) -> Result<bool, Refusal> {
        let (Members::Add(ids) | Members::Remove(ids) | Members::Are(ids)) = change;
        let named: Vec<String> =
            ids.iter().flat_map(|id| [format!("user:{id}"), format!("group:{id}")]).collect();
        let (connection, organization) = self.tables();
        let listed: BTreeSet<String> =
            directory::listed(connection, organization, &named).await.map_err(refusal)?.into_iter().collect();
        let there =
            directory::members_of(connection, organization, &[group.to_owned()]).await.map_err(refusal)?;
        let there: BTreeSet<String> = there.into_iter().map(|[_, member, _]| member).collect();
        let mut wanted = BTreeSet::new();
        for id in ids {
            let found = ["user", "group"].map(|kind| format!("{kind}:{id}"));
            match found.into_iter().find(|subject| listed.contains(subject)) {
                Some(subject) => drop(wanted.insert(subject)),
                // Who is gone is no member already.
                None if matches!(change, Members::Remove(_)) => {}
                None => {
                    return Err(Problem::INVALID_REQUEST
                        .because(format!("members: there is no user or group `{}`", input::shown(id))));
                }
            }
        }
        let (come, go): (Vec<String>, Vec<String>) = match change {
            Members::Add(_) => (wanted.difference(&there).cloned().collect(), Vec::new()),
            Members::Remove(_) => (Vec::new(), wanted.intersection(&there).cloned().collect()),
            Members::Are(_) => {
                (wanted.difference(&there).cloned().collect(), there.difference(&wanted).cloned().collect())
            }
        };
        for subject in &come {
            let (connection, organization) = self.tables();
            let life = Life::default();
            memberships::insert(connection, organization, subject, group, life).await.map_err(refusal)?;
            let item =
                memberships::same(connection, organization, subject, group, life).await.map_err(refusal)?;
            let item = item.ok_or(Problem::INTERNAL)?;
            self.take_down("membership.create", &item.id.clone(), None, Some(&item)).await?;
        }
        for subject in &go {
            let (connection, organization) = self.tables();
            let ids =
                directory::memberships(connection, organization, (subject, group)).await.map_err(refusal)?;
            for id in ids {
                let (connection, organization) = self.tables();
                let item = memberships::get(connection, organization, id).await.map_err(refusal)?;
                memberships::delete(connection, organization, id).await.map_err(refusal)?;
                self.take_down("membership.delete", &id.to_string(), item.as_ref(), None).await?;
            }
        }
        Ok(!come.is_empty() || !go.is_empty())
    }
}
