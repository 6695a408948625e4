//! Where what is here has drifted from what a directory says: compared with a list of its users and groups.

use super::{Resource, bare, ids_of};
use crate::scim::{GROUP, Invalid, PATCH_OP, unqualified};
use crate::store::manage::directory::Entry;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A user or a group, as the directory's list has it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// As the directory calls it.
    pub(super) id: Option<String>,
    pub(super) resource: Resource,
    pub(super) is_user: bool,
    /// What its members are called.
    pub(super) members: Vec<String>,
    /// As it was written, to be sent as it is.
    written: Map<String, Value>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// What differs: a word that stays.
    pub kind: &'static str,
    /// Whether somebody may do more here than the directory means.
    pub excess: bool,
    /// The subject here, where there is one.
    pub subject: Option<String>,
    /// What people call it, and the group where it is about a member.
    pub name: String,
    /// What the directory says; null: nothing.
    pub directory: Value,
    /// What is here; null: nothing.
    pub here: Value,
    /// The SCIM request that mends it: `method`, `path` below the base URL, `body`. Where it names what is to be made first,
    /// there is none yet.
    pub fix: Option<Value>,
}

/// What a comparison has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// Users in the list, and groups.
    pub listed: (usize, usize),
    /// Users and groups here that no directory has written, and that are not in the list: not its business.
    pub others: usize,
    /// What gives more rights than it should comes first.
    pub drifts: Vec<Drift>,
}

impl Listed {
    /// Reads one element of a list.
    ///
    /// # Errors
    /// It is neither a user nor a group, or an attribute cannot be.
    pub fn of(written: Map<String, Value>) -> Result<Listed, Invalid> {
        let attribute = |wanted: &str| {
            let found = written.iter().find(|(name, _)| unqualified(name).eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value)
        };
        let schemas = attribute("schemas").and_then(Value::as_array).into_iter().flatten();
        let is_group = schemas.filter_map(Value::as_str).any(|schema| schema == GROUP);
        let is_user = !is_group && attribute("userName").is_some();
        let members = attribute("members").map_or(Ok(Vec::new()), ids_of)?;
        let id = attribute("id").and_then(Value::as_str).map(str::to_owned);
        Ok(Listed { id, resource: Resource::of(written.clone(), is_user)?, is_user, members, written })
    }

    fn name(&self) -> &str {
        let display = || self.resource.rest.get("displayName").and_then(Value::as_str).unwrap_or_default();
        self.resource.user_name.as_deref().unwrap_or_else(display)
    }

    /// What the directory may have called it when it wrote it here, the surest first.
    fn ids(&self) -> impl Iterator<Item = &str> {
        [self.resource.external_id.as_deref(), self.id.as_deref()].into_iter().flatten()
    }

    fn path(&self) -> &'static str {
        if self.is_user { "Users" } else { "Groups" }
    }
}

/// What is here, to be found by what it is called.
struct Here<'h> {
    entries: &'h [Entry],
    by_external: HashMap<(bool, &'h str), usize>,
    by_name: HashMap<(bool, String), usize>,
    by_subject: HashMap<&'h str, usize>,
    members: BTreeMap<&'h str, BTreeSet<&'h str>>,
}

fn is_user(entry: &Entry) -> bool {
    entry.subject.starts_with("user:")
}

fn name_of(entry: &Entry) -> String {
    let name = if is_user(entry) { "userName" } else { "displayName" };
    Resource::written(entry).get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl<'h> Here<'h> {
    fn new(entries: &'h [Entry], members: &'h [[String; 3]]) -> Self {
        let mut here = Here {
            entries,
            by_external: HashMap::new(),
            by_name: HashMap::new(),
            by_subject: HashMap::new(),
            members: BTreeMap::new(),
        };
        for (number, entry) in entries.iter().enumerate() {
            if let Some(id) = &entry.external_id {
                here.by_external.entry((is_user(entry), id)).or_insert(number);
            }
            here.by_subject.insert(&entry.subject, number);
            here.by_name.entry((is_user(entry), name_of(entry).to_lowercase())).or_insert(number);
        }
        for [group, member, _] in members {
            here.members.entry(group).or_default().insert(member);
        }
        here
    }

    fn find(&self, listed: &Listed) -> Option<usize> {
        let external = listed.ids().find_map(|id| self.by_external.get(&(listed.is_user, id)));
        let named = || self.by_name.get(&(listed.is_user, listed.name().to_lowercase()));
        external.or_else(named).copied()
    }
}

/// Compares a directory's list with the users, groups and members that are here (`directory::list`,
/// `directory::members_of`).
pub fn compare(listed: &[Listed], entries: &[Entry], members: &[[String; 3]]) -> Compared {
    let here = Here::new(entries, members);
    let mut drifts = Vec::new();
    // Which of those here each of the list is, and the other way round.
    let mut found: Vec<Option<usize>> = Vec::with_capacity(listed.len());
    let mut taken: HashMap<usize, usize> = HashMap::new();
    for (number, one) in listed.iter().enumerate() {
        let entry = here.find(one);
        found.push(entry.filter(|entry| !taken.contains_key(entry)));
        match entry {
            Some(entry) => match taken.get(&entry) {
                Some(first) => drifts.push(twice(one, &listed[*first], &entries[entry])),
                None => {
                    taken.insert(entry, number);
                    differ(one, &entries[entry], &mut drifts);
                }
            },
            // Who may do nothing there, and is not here, may do nothing here.
            None if one.is_user && !one.resource.active => {}
            None => drifts.push(not_here(one)),
        }
    }
    let mut others = 0;
    let left = entries.iter().enumerate().filter(|(number, _)| !taken.contains_key(number));
    for (_, entry) in left {
        match entry.written {
            false => others += 1,
            true if !entry.active => {}
            true => drifts.push(not_in_directory(entry)),
        }
    }
    // A name of the directory's for each that it lists, to read its members by.
    let mut called: HashMap<&str, usize> = HashMap::new();
    for (number, one) in listed.iter().enumerate() {
        one.ids().chain(one.resource.user_name.as_deref()).for_each(|id| {
            called.entry(id).or_insert(number);
        });
    }
    for (number, group) in listed.iter().enumerate().filter(|(_, one)| !one.is_user) {
        if let Some(entry) = found[number] {
            let wanted = group.members.iter().map(|id| (id, called.get(id.as_str()).copied()));
            members_differ(&here, &entries[entry], wanted, (listed, &found), &mut drifts);
        }
    }
    drifts.sort_by_key(|drift| !drift.excess);
    let users = listed.iter().filter(|one| one.is_user).count();
    Compared { listed: (users, listed.len() - users), others, drifts }
}

fn request(method: &str, path: String, body: Value) -> Option<Value> {
    Some(json!({"method": method, "path": path, "body": body}))
}

fn patch(entry: &Entry, operations: &Value) -> Option<Value> {
    let kind = if is_user(entry) { "Users" } else { "Groups" };
    let body = json!({"schemas": [PATCH_OP], "Operations": operations});
    request("PATCH", format!("{kind}/{}", bare(&entry.subject)), body)
}

fn not_here(one: &Listed) -> Drift {
    let mut body = one.written.clone();
    // Members are told of by ids that are made here.
    body.retain(|name, _| !["members", "id", "meta"].iter().any(|own| name.eq_ignore_ascii_case(own)));
    if let (None, Some(id)) = (&one.resource.external_id, &one.id) {
        body.insert("externalId".to_owned(), json!(id));
    }
    Drift {
        kind: if one.is_user { "user_not_here" } else { "group_not_here" },
        excess: false,
        subject: None,
        name: one.name().to_owned(),
        directory: json!(one.name()),
        here: Value::Null,
        fix: request("POST", one.path().to_owned(), Value::Object(body)),
    }
}

fn not_in_directory(entry: &Entry) -> Drift {
    let user = is_user(entry);
    let kind = if user { "Users" } else { "Groups" };
    Drift {
        kind: if user { "user_not_in_directory" } else { "group_not_in_directory" },
        excess: true,
        subject: Some(entry.subject.clone()),
        name: name_of(entry),
        directory: Value::Null,
        here: json!(name_of(entry)),
        fix: request("DELETE", format!("{kind}/{}", bare(&entry.subject)), Value::Null),
    }
}

fn twice(one: &Listed, first: &Listed, entry: &Entry) -> Drift {
    Drift {
        kind: "listed_twice",
        excess: false,
        subject: Some(entry.subject.clone()),
        name: one.name().to_owned(),
        directory: json!([first.name(), one.name()]),
        here: json!(name_of(entry)),
        fix: None,
    }
}

/// What is said of one that is in both.
fn differ(one: &Listed, entry: &Entry, drifts: &mut Vec<Drift>) {
    let mut add = |kind, excess, attribute: &str, directory: Value, here: Value| {
        let operations = json!([{"op": "replace", "path": attribute, "value": directory}]);
        let fix = patch(entry, &operations);
        let (subject, name) = (Some(entry.subject.clone()), one.name().to_owned());
        drifts.push(Drift { kind, excess, subject, name, directory, here, fix });
    };
    if one.is_user && one.resource.active != entry.active {
        add("active", entry.active, "active", json!(one.resource.active), json!(entry.active));
    }
    let name = name_of(entry);
    // Users' names are equal whatever their case.
    let same = one.name() == name || one.is_user && one.name().to_lowercase() == name.to_lowercase();
    if !same {
        let attribute = if one.is_user { "userName" } else { "displayName" };
        add("name", false, attribute, json!(one.name()), json!(name));
    }
    let mut ids = one.ids().peekable();
    if let Some(first) = ids.peek().copied()
        && !ids.any(|id| entry.external_id.as_deref() == Some(id))
    {
        add("external_id", false, "externalId", json!(first), json!(entry.external_id));
    }
}

/// Who belongs to a group that is in both. `wanted`: what the directory calls each, and which of the list that is.
fn members_differ<'l>(
    here: &Here<'_>,
    group: &Entry,
    wanted: impl Iterator<Item = (&'l String, Option<usize>)>,
    (listed, found): (&[Listed], &[Option<usize>]),
    drifts: &mut Vec<Drift>,
) {
    let none = BTreeSet::new();
    let there = here.members.get(group.subject.as_str()).unwrap_or(&none);
    let mut meant = BTreeSet::new();
    let mut add = |kind, excess, member: &str, subject: Option<&str>, operations: Option<Value>| {
        let (said, is) = if excess { (Value::Null, json!(member)) } else { (json!(member), Value::Null) };
        drifts.push(Drift {
            kind,
            excess,
            subject: subject.map(str::to_owned),
            name: format!("{member} in {}", name_of(group)),
            directory: said,
            here: is,
            fix: operations.and_then(|operations| patch(group, &operations)),
        });
    };
    for (id, number) in wanted {
        let Some(number) = number else {
            add("member_not_listed", false, id, None, None);
            continue;
        };
        let one = &listed[number];
        let entry = found[number].map(|entry| &here.entries[entry]);
        let Some(entry) = entry else {
            // Made first; a user who may do nothing is no member that is missed.
            if !one.is_user || one.resource.active {
                add("member_not_here", false, one.name(), None, None);
            }
            continue;
        };
        let subject = entry.subject.as_str();
        if meant.insert(subject) && !there.contains(subject) {
            let value = json!([{"value": bare(subject)}]);
            let operations = json!([{"op": "add", "path": "members", "value": value}]);
            add("member_not_here", false, one.name(), Some(subject), Some(operations));
        }
    }
    for subject in there.iter().filter(|subject| !meant.contains(*subject)) {
        let entry = here.by_subject.get(subject).map(|number| &here.entries[*number]);
        let name = entry.map_or_else(|| bare(subject).to_owned(), name_of);
        let path = format!("members[value eq \"{}\"]", bare(subject));
        let operations = json!([{"op": "remove", "path": path}]);
        add("member_not_in_directory", true, &name, Some(subject), Some(operations));
    }
}
