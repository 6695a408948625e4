//! Facts as they come, one by one.

mod finish;

use crate::CompileError;
use crate::sets::{Declared, Meaning, Sets};
use postern_resolver::view::*;
use postern_snapshot::{
    ALWAYS, Draft, DraftPermission, DraftResource, DraftSubject, DraftTerms, DraftType, Key, Rare, Timing,
};
use postern_vocab::limits::PERMISSIONS_MAX;
use postern_vocab::{canonical_uuid, is_reserved_id, permission_parts, split_subject};
use postern_world::Life;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A grant by name; the fields are those of `postern_world::Grant`.
#[derive(Clone, Copy, Debug)]
pub struct GrantFacts<'a, S = String> {
    /// The holder: a subject, group or role id, or `user:all`.
    pub subject: &'a str,
    /// It takes instead of giving.
    pub exclude: bool,
    /// A permission list.
    pub permissions: &'a [S],
    /// `None`: everywhere.
    pub at: Option<(&'a str, &'a str)>,
    /// `where`
    pub conditions: &'a [(&'a str, &'a str)],
    /// `require`
    pub require: &'a [(&'a str, &'a str)],
    /// Only on what the subject owns.
    pub own: bool,
    /// Only in this session.
    pub session: Option<&'a str>,
    /// When it counts.
    pub life: Life,
}

#[derive(Debug, Default)]
struct TypeFacts {
    flags: u32,
    owner_permissions: Vec<String>,
}

/// What waits until every name is known.
struct Pending {
    holder: u32,
    holds: PendingHolds,
    at: Option<u32>,
    terms: Option<u32>,
}

enum PendingHolds {
    Role(u32),
    Grant(u32),
    Exclusion(u32),
}

/// Stands for `user:all` among the holders.
const EVERYONE: u32 = u32::MAX;
/// Marks a role among the holders.
const ROLE: u32 = 1 << 31;

/// Takes facts one by one, in any order after the catalog, and compiles them.
///
/// Errors are kept and reported by [`Compiler::finish`], so that a stream of rows needs no check per row. Memory: about
/// 100 bytes a subject and 16 a fact.
pub struct Compiler {
    draft: Draft,
    types: BTreeMap<String, TypeFacts>,
    catalog: BTreeMap<String, Declared>,
    sets: Option<Sets>,
    type_numbers: HashMap<String, u32>,
    /// The numbers of all distinct actions, in their byte order.
    actions: HashMap<String, u32>,
    subjects: HashMap<(u32, Key), u32>,
    aliases: HashMap<(u32, Key), u32>,
    memberships: Vec<(u32, u32, Timing)>,
    resources: HashMap<(u32, Key), u32>,
    owners: Vec<(u32, u32)>,
    roles: HashMap<String, u32>,
    /// Per role: its id, name, set and whether it counts; `None` while a fact names it and none declares it.
    declared: Vec<Option<(String, String, u32, bool)>>,
    terms: HashMap<DraftTerms, u32>,
    holdings: Vec<Pending>,
    named_groups: BTreeSet<u32>,
    error: Option<CompileError>,
}

fn timing(life: Life) -> Timing {
    (life.not_before.unwrap_or(i64::MIN), life.expires_at.unwrap_or(i64::MAX))
}

impl Compiler {
    /// Begins an organization's facts at one revision.
    pub fn new(organization: &str, revision: u64) -> Self {
        Compiler {
            draft: Draft::new(organization, revision),
            types: BTreeMap::new(),
            catalog: BTreeMap::new(),
            sets: None,
            type_numbers: HashMap::new(),
            actions: HashMap::new(),
            subjects: HashMap::new(),
            aliases: HashMap::new(),
            memberships: Vec::new(),
            resources: HashMap::new(),
            owners: Vec::new(),
            roles: HashMap::new(),
            declared: Vec::new(),
            terms: HashMap::new(),
            holdings: Vec::new(),
            named_groups: BTreeSet::new(),
            error: None,
        }
    }

    fn fail(&mut self, error: CompileError) {
        self.error.get_or_insert(error);
    }

    /// Declares a resource type. Every type and permission comes before any other fact.
    pub fn resource_type(
        &mut self,
        name: &str,
        scope: bool,
        narrows: bool,
        registered: bool,
        owner_permissions: &[impl AsRef<str>],
    ) {
        let flags = if scope { TYPE_SCOPE } else { 0 }
            | if narrows { TYPE_NARROWS } else { 0 }
            // Scopes are always listed (`semantics.md` section 2).
            | if registered || scope { 0 } else { TYPE_UNREGISTERED }
            | TYPE_EMPTY;
        let owner_permissions = owner_permissions.iter().map(|key| key.as_ref().to_owned()).collect();
        if self.types.insert(name.to_owned(), TypeFacts { flags, owner_permissions }).is_some() {
            self.fail(CompileError::Duplicate { what: "resource types", name: name.to_owned() });
        }
    }

    /// Declares a permission.
    pub fn permission(
        &mut self,
        key: &str,
        implied_by: &[impl AsRef<str>],
        excluded_by: &[impl AsRef<str>],
        works_when_inactive: bool,
    ) {
        if !postern_vocab::valid_permission_key(key) {
            return self.fail(CompileError::Id { fact: "permission", name: key.to_owned() });
        }
        let implied_by = implied_by.iter().map(|key| key.as_ref().to_owned()).collect();
        let excluded_by = excluded_by.iter().map(|key| key.as_ref().to_owned()).collect();
        let row = Declared { implied_by, excluded_by, works_when_inactive };
        if self.catalog.insert(key.to_owned(), row).is_some() {
            self.fail(CompileError::Duplicate { what: "permissions", name: key.to_owned() });
        }
    }

    /// The catalog is complete: numbers its types and permissions.
    fn sets(&mut self) -> Option<&mut Sets> {
        if self.sets.is_none() && self.error.is_none() {
            let built = self.number_catalog();
            match built {
                Ok(sets) => self.sets = Some(sets),
                Err(error) => self.fail(error),
            }
        }
        self.sets.as_mut()
    }

    fn number_catalog(&mut self) -> Result<Sets, CompileError> {
        if self.catalog.len() > PERMISSIONS_MAX {
            return Err(CompileError::Permissions(self.catalog.len()));
        }
        let mut sets = Sets::new(&self.catalog)?;
        let distinct: BTreeSet<&str> =
            self.catalog.keys().filter_map(|key| permission_parts(key)).map(|(_, action)| action).collect();
        self.actions = distinct.into_iter().map(str::to_owned).zip(0..).collect();
        for (key, row) in &self.catalog {
            let action = permission_parts(key).map_or("", |(_, action)| action);
            let key = self.draft.strings.number(key);
            let flags = if row.works_when_inactive { PERMISSION_WORKS_WHEN_INACTIVE } else { 0 };
            let action = self.actions[action];
            self.draft.permissions.push(DraftPermission { key, action, flags });
        }
        for (number, (name, row)) in self.types.iter().enumerate() {
            let owner_set = match row.owner_permissions.as_slice() {
                [] => None,
                list => Some(sets.number(list, Meaning::Satisfies, "owner_permissions")?),
            };
            let text = self.draft.strings.number(name);
            self.draft.types.push(DraftType { name: text, flags: row.flags, owner_set });
            self.type_numbers.insert(name.clone(), number as u32);
        }
        Ok(sets)
    }

    fn key(&mut self, id: &str) -> Key {
        match canonical_uuid(id) {
            Some(uuid) => Key::Uuid(uuid),
            None => Key::Text(self.draft.strings.number(id)),
        }
    }

    /// The number of a subject that a fact names, listed or not.
    fn subject_number(&mut self, fact: &'static str, id: &str) -> Option<u32> {
        let Some((kind, name)) = split_subject(id).filter(|(_, name)| !is_reserved_id(name)) else {
            self.fail(CompileError::Id { fact, name: id.to_owned() });
            return None;
        };
        let kind_number = self.draft.strings.number(kind);
        let key = self.key(name);
        let next = self.draft.subjects.len() as u32;
        let number = *self.subjects.entry((kind_number, key)).or_insert(next);
        if number == next {
            self.draft.subjects.push(DraftSubject {
                kind: kind_number,
                key,
                bits: SUBJECT_UNLISTED,
                rare: None,
            });
            if kind == "group" {
                self.named_groups.insert(number);
            }
        }
        Some(number)
    }

    /// Lists a subject.
    pub fn subject(
        &mut self,
        id: &str,
        aliases: &[impl AsRef<str>],
        attributes: &[(&str, &str)],
        life: Life,
    ) {
        let Some(number) = self.subject_number("subject", id) else {
            return;
        };
        let kind = self.draft.subjects[number as usize].kind;
        if self.draft.subjects[number as usize].bits & SUBJECT_UNLISTED == 0 {
            return self.fail(CompileError::Duplicate { what: "subjects", name: id.to_owned() });
        }
        let attributes: Vec<(u32, u32)> = attributes
            .iter()
            .map(|(name, value)| {
                let name = self.draft.strings.number(&format!("subject.{name}"));
                (name, self.draft.strings.number(value))
            })
            .collect();
        let row = &mut self.draft.subjects[number as usize];
        row.bits = if life.active { 0 } else { SUBJECT_DEAD };
        if !attributes.is_empty() || timing(life) != ALWAYS {
            row.rare = Some(Box::new(Rare { timing: timing(life), attributes }));
        }
        for alias in aliases {
            let alias = alias.as_ref();
            if alias.is_empty() || is_reserved_id(alias) {
                return self.fail(CompileError::Id { fact: "alias", name: alias.to_owned() });
            }
            let key = self.key(alias);
            if self.aliases.insert((kind, key), number).is_some() {
                return self
                    .fail(CompileError::Duplicate { what: "aliases or subjects", name: alias.to_owned() });
            }
        }
    }

    /// A subject or group belongs to a group.
    pub fn membership(&mut self, subject: &str, group: &str, life: Life) {
        let Some(member) = self.subject_number("membership", subject) else {
            return;
        };
        let Some(number) = self.subject_number("membership", group) else {
            return;
        };
        if !group.starts_with("group:") {
            return self.fail(CompileError::Id { fact: "membership", name: group.to_owned() });
        }
        if life.active {
            self.memberships.push((member, number, timing(life)));
        }
    }

    /// The number of a resource that a fact names, listed or not.
    fn resource_number(&mut self, fact: &'static str, kind: &str, id: &str) -> Option<u32> {
        self.sets()?;
        let Some(kind_number) = self.type_numbers.get(kind).copied() else {
            self.fail(CompileError::Undeclared { fact, what: "resource type", name: kind.to_owned() });
            return None;
        };
        if id.is_empty() || id == "*" {
            self.fail(CompileError::Id { fact, name: id.to_owned() });
            return None;
        }
        let key = self.key(id);
        let next = self.draft.resources.len() as u32;
        let number = *self.resources.entry((kind_number, key)).or_insert(next);
        if number == next {
            let flags = RESOURCE_UNLISTED;
            self.draft.resources.push(DraftResource {
                kind: kind_number,
                key,
                flags,
                owner: None,
                rare: None,
            });
        }
        Some(number)
    }

    /// Lists a resource.
    pub fn resource(
        &mut self,
        kind: &str,
        id: &str,
        owner: Option<&str>,
        attributes: &[(&str, &str)],
        life: Life,
    ) {
        let Some(number) = self.resource_number("resource", kind, id) else {
            return;
        };
        if self.draft.resources[number as usize].flags & RESOURCE_UNLISTED == 0 {
            return self.fail(CompileError::Duplicate { what: "resources", name: format!("{kind} {id}") });
        }
        let attributes: Vec<(u32, u32)> = attributes
            .iter()
            .map(|(name, value)| (self.draft.strings.number(name), self.draft.strings.number(value)))
            .collect();
        let row = &mut self.draft.resources[number as usize];
        row.flags = if life.active { 0 } else { RESOURCE_DEAD };
        if !attributes.is_empty() || timing(life) != ALWAYS {
            row.rare = Some(Box::new(Rare { timing: timing(life), attributes }));
        }
        let kind = row.kind as usize;
        self.draft.types[kind].flags &= !TYPE_EMPTY;
        if let Some(owner) = owner
            && let Some(owner) = self.subject_number("owner", owner)
        {
            self.owners.push((number, owner));
        }
    }

    /// A parent edge; a `cap` of `None` is the relation `auto`.
    pub fn parent(&mut self, child: (&str, &str), parent: (&str, &str), cap: Option<&[impl AsRef<str>]>) {
        let Some(child) = self.resource_number("parent edge", child.0, child.1) else {
            return;
        };
        let Some(parent) = self.resource_number("parent edge", parent.0, parent.1) else {
            return;
        };
        let actions = &self.actions;
        // An action that no permission has lets nothing pass.
        let cap =
            cap.map(|cap| cap.iter().filter_map(|action| actions.get(action.as_ref()).copied()).collect());
        self.draft.edges.push((child, parent, cap));
    }

    fn role_number(&mut self, id: &str) -> u32 {
        if let Some(number) = self.roles.get(id) {
            return *number;
        }
        let number = self.declared.len() as u32;
        self.roles.insert(id.to_owned(), number);
        self.declared.push(None);
        number
    }

    /// Declares a role.
    pub fn role(&mut self, id: &str, name: &str, permissions: &[impl AsRef<str>], active: bool) {
        let Some(sets) = self.sets() else { return };
        let set = match sets.number(permissions, Meaning::Satisfies, "role") {
            Ok(set) => set,
            Err(error) => return self.fail(error),
        };
        let number = self.role_number(id) as usize;
        if self.declared[number].replace((id.to_owned(), name.to_owned(), set, active)).is_some() {
            self.fail(CompileError::Duplicate { what: "roles", name: id.to_owned() });
        }
    }

    fn terms_number(&mut self, terms: DraftTerms) -> Option<u32> {
        if terms.is_empty() {
            return None;
        }
        let next = self.terms.len() as u32;
        Some(*self.terms.entry(terms).or_insert(next))
    }

    fn at_number(&mut self, fact: &'static str, at: Option<(&str, &str)>) -> Result<Option<u32>, ()> {
        match at {
            None => Ok(None),
            Some((kind, id)) => self.resource_number(fact, kind, id).map(Some).ok_or(()),
        }
    }

    /// A subject or group, or `user:all`, holds a role.
    pub fn assignment(&mut self, subject: &str, role: &str, at: Option<(&str, &str)>, life: Life) {
        let holder = if subject == "user:all" {
            EVERYONE
        } else {
            match self.subject_number("assignment", subject) {
                Some(number) => number,
                None => return,
            }
        };
        let role = self.role_number(role);
        let Ok(at) = self.at_number("assignment", at) else {
            return;
        };
        // What is not active leaves nothing behind, its terms neither.
        if life.active {
            let terms = self.terms_number(DraftTerms { timing: timing(life), ..DraftTerms::default() });
            self.holdings.push(Pending { holder, holds: PendingHolds::Role(role), at, terms });
        }
    }

    /// Permissions given or excluded without a role's set.
    pub fn grant(&mut self, grant: &GrantFacts<'_, impl AsRef<str>>) {
        let holder = if grant.subject == "user:all" {
            EVERYONE
        } else if grant.subject.starts_with("role:") {
            self.role_number(grant.subject) | ROLE
        } else {
            match self.subject_number("grant", grant.subject) {
                Some(number) => number,
                None => return,
            }
        };
        let Ok(at) = self.at_number("grant", grant.at) else {
            return;
        };
        let Some(sets) = self.sets() else { return };
        let meaning = if grant.exclude { Meaning::Excludes } else { Meaning::Satisfies };
        let set = match sets.number(grant.permissions, meaning, "grant") {
            Ok(set) => set,
            Err(error) => return self.fail(error),
        };
        if !grant.life.active {
            return;
        }
        let mut pairs = |list: &[(&str, &str)]| -> Vec<(u32, u32)> {
            let mut list: Vec<(u32, u32)> = list
                .iter()
                .map(|(name, value)| (self.draft.strings.number(name), self.draft.strings.number(value)))
                .collect();
            list.sort_unstable();
            list
        };
        let (conditions, require) = (pairs(grant.conditions), pairs(grant.require));
        let session = grant.session.map(|session| self.draft.strings.number(session));
        let terms = DraftTerms { timing: timing(grant.life), own: grant.own, session, conditions, require };
        let terms = self.terms_number(terms);
        let holds = if grant.exclude { PendingHolds::Exclusion(set) } else { PendingHolds::Grant(set) };
        self.holdings.push(Pending { holder, holds, at, terms });
    }
}
