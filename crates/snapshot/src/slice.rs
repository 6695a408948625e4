//! Cutting out what one subject may see (`semantics.md` section 7).
//!
//! A slice holds the whole catalog, the subject, its groups by digest, what they hold, and the resources where that
//! counts: every scope at which something is held, and of other types those that the subject owns or holds a grant on.
//! Resources that only lie on the way up to something held stay as steps without an id. Roles lose id and name.

pub(crate) mod held;

use self::held::{Form, Held, Kept, ext_of, items, pairs, parents, resource_ext};
use crate::draft::{
    ALWAYS, Draft, DraftHolding, DraftPermission, DraftResource, DraftRole, DraftSubject, DraftTerms,
    DraftType, Holder, Holds, Rare,
};
use crate::facts::{Facts, Key};
use crate::hash;
use crate::open::Snapshot;
use postern_resolver::view::*;
use postern_vocab::{QueryError, canonical_uuid, is_reserved_id, split_subject};
use std::collections::{BTreeMap, HashMap};
use std::vec::Vec;

/// Cuts the slice of a subject, by id or alias; also of one that the world does not list.
///
/// Cost: one pass over the resources and aliases, and a walk up from every scope.
///
/// # Errors
/// `InvalidRequest` for an id that rule 1 refuses; `NotInSlice` where `snapshot` is itself the slice of another subject.
pub fn slice(snapshot: &Snapshot<'_>, subject: &str) -> Result<Facts, QueryError> {
    let (kind, id) =
        split_subject(subject).filter(|(_, id)| !is_reserved_id(id)).ok_or(QueryError::InvalidRequest)?;
    let own = snapshot.find_subject(kind, id);
    if snapshot.is_slice() && own != snapshot.own_subject() {
        return Err(QueryError::NotInSlice);
    }
    let held = Held::of(snapshot, own, kind == "user");
    let kept = Kept::of(snapshot, &held);
    // INVARIANT: a part of what a snapshot carries is never more than a snapshot can carry.
    Cut::new(snapshot, held, kept).draft(kind, id).finish().map_err(|_| QueryError::InvalidRequest)
}

/// The draft of a slice, and the numbers that its rows have in it.
struct Cut<'s, 'b> {
    view: &'s Snapshot<'b>,
    held: Held,
    kept: Kept,
    draft: Draft,
    sets: HashMap<u32, u32>,
    roles: BTreeMap<u32, u32>,
    terms: HashMap<u32, u32>,
    /// Where a binding's *at* has gone.
    places: BTreeMap<u32, u32>,
}

impl<'s, 'b> Cut<'s, 'b> {
    fn new(view: &'s Snapshot<'b>, held: Held, kept: Kept) -> Self {
        let draft = Draft::new(view.organization(), view.revision());
        Cut {
            view,
            held,
            kept,
            draft,
            sets: HashMap::new(),
            roles: BTreeMap::new(),
            terms: HashMap::new(),
            places: BTreeMap::new(),
        }
    }

    fn text(&mut self, string: u32) -> u32 {
        self.draft.strings.number(self.view.string(string))
    }

    fn set(&mut self, set: u32) -> u32 {
        let next = self.draft.sets.len() as u32;
        let view = self.view;
        *self.sets.entry(set).or_insert_with(|| {
            self.draft.sets.push(view.set_bytes(set).to_vec());
            next
        })
    }

    fn draft(mut self, kind: &str, id: &str) -> Draft {
        self.catalog();
        let subjects = self.subjects(kind, id);
        self.resources(&subjects);
        self.holdings(&subjects);
        self.draft
    }

    fn catalog(&mut self) {
        for permission in 0..self.view.permission_count() {
            let row = self.view.permission(permission);
            let key = self.draft.strings.number(self.view.permission_key(permission));
            self.draft.permissions.push(DraftPermission { key, action: row.action, flags: row.flags });
        }
        for kind in 0..self.view.type_count() {
            let row = self.view.resource_type(kind);
            let name = self.draft.strings.number(self.view.type_name(kind));
            let owner_set = row.owner_set.checked_sub(1).map(|set| self.set(set));
            self.draft.types.push(DraftType { name, flags: row.flags, owner_set });
        }
    }

    fn key(&mut self, id: &str) -> Key {
        match canonical_uuid(id) {
            Some(uuid) => Key::Uuid(uuid),
            None => Key::Text(self.draft.strings.number(id)),
        }
    }

    /// The subject is number 0; its groups follow.
    fn subjects(&mut self, kind: &str, id: &str) -> BTreeMap<u32, u32> {
        let view = self.view;
        let kind_number = self.draft.strings.number(kind);
        let mut numbers = BTreeMap::new();
        let (mut key, mut bits, mut rare) = (self.key(id), SUBJECT_UNLISTED, None);
        if let Some(own) = self.held.own {
            numbers.insert(own, 0);
            key = match view.subject_id(own) {
                Id::Uuid(uuid) => Key::Uuid(uuid),
                Id::Text(text) => Key::Text(self.draft.strings.number(text)),
                // Only in the slice of a slice, whose own subject is told.
                Id::Hidden => key,
            };
            bits = view.subject(own).bits & (SUBJECT_UNLISTED | SUBJECT_DEAD);
            rare = self.rare(ext_of(view, own).timing, ext_of(view, own).attributes);
        }
        self.draft.own = Some(0);
        self.draft.subjects.push(DraftSubject { kind: kind_number, key, bits, rare });
        let group_kind = self.draft.strings.number("group");
        for group in self.held.groups.clone() {
            let key = match view.subject_id(group) {
                Id::Uuid(uuid) => {
                    let text = postern_vocab::format_uuid(&uuid);
                    Key::Digest(hash::digest("group", core::str::from_utf8(&text).unwrap_or_default()))
                }
                Id::Text(text) => Key::Digest(hash::digest("group", text)),
                Id::Hidden => Key::Digest(view.digest_of(group)),
            };
            numbers.insert(group, self.draft.subjects.len() as u32);
            self.draft.subjects.push(DraftSubject { kind: group_kind, key, bits: 0, rare: None });
        }
        for (member, number) in &numbers {
            for (group, timing) in pairs(view, ext_of(view, *member).memberships) {
                if let Some(group) = numbers.get(&group) {
                    self.draft.memberships.push((*number, *group, view.timing(timing)));
                }
            }
        }
        if let Some(own) = self.held.own {
            for alias in view.aliases_of(own) {
                let key = match alias {
                    Id::Uuid(uuid) => Key::Uuid(uuid),
                    Id::Text(text) => Key::Text(self.draft.strings.number(text)),
                    Id::Hidden => continue,
                };
                self.draft.aliases.push((0, key));
            }
        }
        for group in self.held.groups.clone() {
            for alias in view.aliases_of(group) {
                let uuid;
                let text = match alias {
                    Id::Text(text) => text,
                    Id::Uuid(bytes) => {
                        uuid = postern_vocab::format_uuid(&bytes);
                        core::str::from_utf8(&uuid).unwrap_or_default()
                    }
                    Id::Hidden => continue,
                };
                self.draft.aliases.push((numbers[&group], Key::Digest(hash::digest("group", text))));
            }
        }
        numbers
    }

    fn rare(&mut self, timing: u32, attributes: u32) -> Option<std::boxed::Box<Rare>> {
        let timing = self.view.timing(timing);
        let attributes: Vec<(u32, u32)> = pairs(self.view, attributes)
            .into_iter()
            .map(|(name, value)| (self.text(name), self.text(value)))
            .collect();
        let some = timing != ALWAYS || !attributes.is_empty();
        some.then(|| std::boxed::Box::new(Rare { timing, attributes }))
    }

    fn resources(&mut self, subjects: &BTreeMap<u32, u32>) {
        let view = self.view;
        let forms: Vec<(u32, Form)> = self.kept.forms.iter().copied().collect();
        let mut steps: BTreeMap<u32, u32> = BTreeMap::new();
        for (resource, form) in &forms {
            let ext = resource_ext(view, *resource);
            // A name that is a step as well is one row: what stands at it stands there once, also for narrowing, where
            // the question states a parent below it.
            if *form == Form::Hidden && self.kept.forms.contains(&(*resource, Form::Named)) {
                let number = self.draft.resources.len() as u32 - 1;
                let rare = self.rare(ext.timing, 0);
                let row = &mut self.draft.resources[number as usize];
                (row.flags, row.rare) = (RESOURCE_HIDDEN, rare);
                steps.insert(*resource, number);
                continue;
            }
            let number = self.draft.resources.len() as u32;
            let id = match (form, view.resource_id(*resource)) {
                (Form::Hidden, _) | (_, Id::Hidden) => Key::Hidden(*resource),
                (_, Id::Uuid(uuid)) => Key::Uuid(uuid),
                (_, Id::Text(text)) => Key::Text(self.draft.strings.number(text)),
            };
            let kind = view.resource_kind(*resource);
            let row = match form {
                Form::Named => {
                    DraftResource { kind, key: id, flags: RESOURCE_UNLISTED, owner: None, rare: None }
                }
                Form::Hidden => {
                    let rare = self.rare(ext.timing, 0);
                    DraftResource { kind, key: id, flags: RESOURCE_HIDDEN, owner: None, rare }
                }
                Form::Listed => {
                    // Whose it is is kept only where it is the subject's, or one of its groups'.
                    let owner = ext.owner.checked_sub(1).and_then(|owner| subjects.get(&owner).copied());
                    let rare = self.rare(ext.timing, ext.attributes);
                    DraftResource { kind, key: id, flags: ext.flags & RESOURCE_DEAD, owner, rare }
                }
            };
            self.draft.resources.push(row);
            self.places.insert(*resource, number);
            if *form != Form::Named {
                steps.insert(*resource, number);
            }
        }
        for (resource, child) in &steps {
            for (parent, cap) in parents(view, *resource) {
                if let Some(parent) = steps.get(&parent) {
                    self.draft.edges.push((*child, *parent, (cap != 0).then(|| items(view, cap))));
                }
            }
        }
    }

    fn holdings(&mut self, subjects: &BTreeMap<u32, u32>) {
        let view = self.view;
        for role in self.held.roles.clone() {
            let set = self.set(view.role_set(role));
            self.roles.insert(role, self.draft.roles.len() as u32);
            self.draft.roles.push(DraftRole { id: None, name: None, set });
        }
        for role in self.held.roles.clone() {
            for grant in items(view, view.role_grants(role)) {
                self.holding(Holder::Role(self.roles[&role]), view.binding(grant));
            }
        }
        for (holder, bindings) in std::mem::take(&mut self.held.by_holder) {
            // What everybody holds, the subject holds.
            let holder = holder.and_then(|holder| subjects.get(&holder)).copied().unwrap_or(0);
            for binding in bindings {
                self.holding(Holder::Subject(holder), view.binding(binding));
            }
        }
    }

    fn holding(&mut self, holder: Holder, binding: Binding) {
        let set = binding.what & BINDING_SET;
        let holds = match binding.role.checked_sub(1) {
            Some(role) => Holds::Role(self.roles[&role]),
            None if binding.what & BINDING_EXCLUDE != 0 => Holds::Exclusion(self.set(set)),
            None => Holds::Grant(self.set(set)),
        };
        let terms = binding.terms.checked_sub(1).map(|terms| self.terms(terms));
        match binding.at.checked_sub(1) {
            None => self.draft.holdings.push(DraftHolding { holder, holds, at: None, terms }),
            // What stands at a resource that is not kept stands where nothing can be asked.
            Some(resource) => {
                if let Some(at) = self.places.get(&resource) {
                    self.draft.holdings.push(DraftHolding { holder, holds, at: Some(*at), terms });
                }
            }
        }
    }

    fn terms(&mut self, terms: u32) -> u32 {
        if let Some(number) = self.terms.get(&terms) {
            return *number;
        }
        let row = self.view.terms(terms);
        let mut texts = |list: u32| -> Vec<(u32, u32)> {
            pairs(self.view, list)
                .into_iter()
                .map(|(name, value)| (self.text(name), self.text(value)))
                .collect()
        };
        let (conditions, require) = (texts(row.conditions), texts(row.require));
        let session = row.session.checked_sub(1).map(|session| self.text(session));
        let number = self.draft.terms.len() as u32;
        self.draft.terms.push(DraftTerms {
            timing: self.view.timing(row.timing),
            own: row.flags & TERMS_OWN != 0,
            session,
            conditions,
            require,
        });
        self.terms.insert(terms, number);
        number
    }
}
