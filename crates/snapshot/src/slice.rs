//! Cutting out what one subject may see (`semantics.md` section 7).
//!
//! A slice holds the whole catalog, the subject, its groups by digest, what they hold, and the resources where that
//! counts: every scope at which something is held, and of other types those that the subject owns or holds a grant on.
//! Resources that only lie on the way up to something held stay as steps without an id. Roles lose id and name.

use crate::draft::{
    ALWAYS, Draft, DraftHolding, DraftPermission, DraftResource, DraftRole, DraftSubject, DraftTerms,
    DraftType, Holder, Holds, Rare,
};
use crate::facts::{Facts, Key};
use crate::hash;
use crate::open::Snapshot;
use postern_resolver::view::*;
use postern_vocab::{QueryError, canonical_uuid, is_reserved_id, split_subject};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::vec;
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

/// What reaches the subject, at any time.
struct Held {
    own: Option<u32>,
    /// Its groups, at any time.
    groups: BTreeSet<u32>,
    /// Who holds which binding; `None` holds those of `user:all`.
    by_holder: Vec<(Option<u32>, Vec<u32>)>,
    /// The same bindings by where they stand.
    by_at: BTreeMap<u32, Vec<Binding>>,
    /// Those of everybody's roles.
    roles: BTreeSet<u32>,
}

fn items(view: &Snapshot<'_>, list: u32) -> Vec<u32> {
    let (start, end) = view.list(list);
    (start..end).map(|position| view.item(position)).collect()
}

fn pairs(view: &Snapshot<'_>, list: u32) -> Vec<(u32, u32)> {
    items(view, list).as_chunks::<2>().0.iter().map(|[first, second]| (*first, *second)).collect()
}

fn ext_of(view: &Snapshot<'_>, subject: u32) -> SubjectExt {
    let row = view.subject(subject);
    if row.bits & SUBJECT_EXT == 0 { SubjectExt::default() } else { view.subject_ext(row.link()) }
}

fn bindings_of(view: &Snapshot<'_>, subject: u32) -> Vec<u32> {
    let row = view.subject(subject);
    match row.bits & (SUBJECT_LIST | SUBJECT_EXT) {
        0 => row.words.iter().map(|word| u32::from(*word)).filter(|binding| *binding != 0).collect(),
        SUBJECT_LIST => items(view, row.link()),
        _ => items(view, view.subject_ext(row.link()).bindings),
    }
}

impl Held {
    fn of(view: &Snapshot<'_>, own: Option<u32>, user: bool) -> Self {
        let mut groups: BTreeSet<u32> =
            own.map(|own| items(view, ext_of(view, own).groups)).into_iter().flatten().collect();
        if let Some(own) = own {
            groups.remove(&own);
        }
        let mut by_holder: Vec<(Option<u32>, Vec<u32>)> = own
            .into_iter()
            .chain(groups.iter().copied())
            .map(|holder| (Some(holder), bindings_of(view, holder)))
            .collect();
        if user {
            by_holder.push((None, items(view, view.everyone())));
        }
        let mut by_at: BTreeMap<u32, Vec<Binding>> = BTreeMap::new();
        let mut roles = BTreeSet::new();
        for binding in by_holder.iter().flat_map(|(_, bindings)| bindings) {
            let binding = view.binding(*binding);
            by_at.entry(binding.at).or_default().push(binding);
            roles.extend(binding.role.checked_sub(1));
        }
        // A grant of one of its roles counts at its own place: with it, an assignment elsewhere can take effect there.
        for grant in roles.iter().flat_map(|role| items(view, view.role_grants(*role))) {
            let grant = view.binding(grant);
            if grant.at != ORGANIZATION_AT {
                by_at.entry(grant.at).or_default().push(grant);
            }
        }
        Held { own, groups, by_holder, by_at, roles }
    }

    fn is_principal(&self, subject: u32) -> bool {
        self.own == Some(subject) || self.groups.contains(&subject)
    }

    /// Whether the subject could be allowed one of the permissions of `mask`, or is narrowed or excluded, where these
    /// are the anchors. Terms are left open: what only holds for own things may still be asked below.
    fn counts_at(&self, view: &Snapshot<'_>, anchors: &BTreeSet<u32>, mask: &[u8]) -> bool {
        if mask.iter().all(|byte| *byte == 0) {
            return false;
        }
        let gives = |binding: &Binding| {
            let set = view.set_bytes(binding.what & BINDING_SET);
            set.iter().zip(mask).any(|(set, mask)| set & mask != 0)
        };
        // What a role holds without a place holds wherever the role is assigned.
        let by_role = |binding: &Binding| {
            let grants = binding.role.checked_sub(1).map(|role| items(view, view.role_grants(role)));
            let mut grants = grants.into_iter().flatten().map(|grant| view.binding(grant));
            grants.any(|grant| {
                grant.at == ORGANIZATION_AT && grant.what & BINDING_EXCLUDE == 0 && gives(&grant)
            })
        };
        let one = |binding: &Binding| match binding.what & (BINDING_GRANT | BINDING_EXCLUDE) {
            BINDING_GRANT => gives(binding),
            // An assignment, or an exclusion, that stands somewhere counts there whatever it says.
            BINDING_EXCLUDE => binding.at != ORGANIZATION_AT,
            _ => binding.at != ORGANIZATION_AT || gives(binding) || by_role(binding),
        };
        anchors.iter().chain([&ORGANIZATION_AT]).filter_map(|at| self.by_at.get(at)).flatten().any(one)
    }
}

/// The permissions that `wanted` names, as a set.
fn mask(view: &Snapshot<'_>, wanted: impl Fn(PermissionRow) -> bool) -> Vec<u8> {
    let mut mask = vec![0; view.permission_count().div_ceil(8) as usize];
    for permission in 0..view.permission_count() {
        if wanted(view.permission(permission)) {
            mask[(permission / 8) as usize] |= 1 << (permission % 8);
        }
    }
    mask
}

/// The parents of a resource with their caps, whatever the time; dead ones are not among them.
fn parents(view: &Snapshot<'_>, resource: u32) -> Vec<(u32, u32)> {
    let row = view.resource(resource);
    if row.up & RESOURCE_COMPLEX != 0 {
        return pairs(view, resource_ext(view, resource).edges);
    }
    row.up.checked_sub(1).map(|parent| (parent, 0)).into_iter().collect()
}

fn resource_ext(view: &Snapshot<'_>, resource: u32) -> ResourceExt {
    match view.resource(resource).ext {
        0 => ResourceExt::default(),
        ext => view.resource_ext(ext - 1),
    }
}

/// Every *at* from a resource upwards, itself included; with an action only over edges that let it pass.
fn upwards(view: &Snapshot<'_>, resource: u32, action: Option<u32>) -> BTreeSet<u32> {
    let mut seen = BTreeSet::from([resource + 1]);
    let mut open = vec![resource];
    while let Some(next) = open.pop() {
        for (parent, cap) in parents(view, next) {
            let passes = cap == 0 || action.is_none_or(|action| items(view, cap).contains(&action));
            if passes && seen.insert(parent + 1) {
                open.push(parent);
            }
        }
    }
    seen
}

/// How a resource is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// With its id and its facts.
    Listed,
    /// With its id, as something that facts name.
    Named,
    /// As a step on the way up.
    Hidden,
}

/// The resources that are kept. One may be kept twice: as a name that can be asked about, and as a step on the way up.
struct Kept {
    forms: BTreeSet<(u32, Form)>,
}

impl Kept {
    fn of(view: &Snapshot<'_>, held: &Held) -> Self {
        let mut forms = BTreeSet::new();
        let everywhere = held.counts_at(view, &BTreeSet::new(), &mask(view, |_| true));
        let hidden = RESOURCE_UNLISTED | RESOURCE_HIDDEN;
        // Where something stands, and whether one of the principals holds a grant there itself.
        let mut granted: BTreeMap<u32, bool> = BTreeMap::new();
        for resource in held.by_at.keys().filter_map(|at| at.checked_sub(1)) {
            granted.insert(resource, false);
        }
        for binding in
            held.by_holder.iter().flat_map(|(_, bindings)| bindings).map(|binding| view.binding(*binding))
        {
            if let Some(resource) = binding.at.checked_sub(1) {
                *granted.entry(resource).or_default() |= binding.role == 0;
            }
        }
        let mut scopes = Vec::new();
        for kind in 0..view.type_count() {
            let scope = view.resource_type(kind).flags & TYPE_SCOPE != 0;
            for resource in view.resources_of(kind).into_iter().flat_map(|(start, end)| start..end) {
                let ext = resource_ext(view, resource);
                let granted = granted.get(&resource).copied();
                if ext.flags & hidden != 0 {
                    if granted.is_some() && !scope {
                        forms.insert((resource, Form::Named));
                    }
                    continue;
                }
                let owned = ext.owner != 0 && held.is_principal(ext.owner - 1);
                if scope {
                    let live = ext.flags & RESOURCE_DEAD == 0;
                    if (everywhere && live) || Self::counts(view, held, resource, owned) {
                        forms.insert((resource, Form::Listed));
                        scopes.push(resource);
                    }
                } else if owned || granted == Some(true) {
                    forms.insert((resource, Form::Listed));
                    scopes.push(resource);
                } else if granted.is_some() {
                    forms.insert((resource, Form::Named));
                }
            }
        }
        // The ways up from what is listed, as far as something is held at their end.
        let mut reaches: HashMap<u32, bool> = HashMap::new();
        let mut open = scopes;
        while let Some(resource) = open.pop() {
            for (parent, _) in parents(view, resource) {
                let listed = forms.contains(&(parent, Form::Listed));
                let scope = view.resource_type(view.resource_kind(parent)).flags & TYPE_SCOPE != 0;
                if listed || scope || forms.contains(&(parent, Form::Hidden)) {
                    continue;
                }
                let reaches = *reaches.entry(parent).or_insert_with(|| {
                    upwards(view, parent, None).iter().any(|at| held.by_at.contains_key(at))
                });
                if reaches {
                    forms.insert((parent, Form::Hidden));
                    open.push(parent);
                }
            }
        }
        Kept { forms }
    }

    /// Whether something that reaches the subject counts at a scope.
    fn counts(view: &Snapshot<'_>, held: &Held, scope: u32, owned: bool) -> bool {
        let dead = resource_ext(view, scope).flags & RESOURCE_DEAD != 0;
        let asked = |row: PermissionRow| !dead || row.flags & PERMISSION_WORKS_WHEN_INACTIVE != 0;
        let all = mask(view, asked);
        if owned {
            let set = view.resource_type(view.resource_kind(scope)).owner_set;
            let gives = set.checked_sub(1).map(|set| view.set_bytes(set));
            if gives.into_iter().flatten().zip(&all).any(|(set, mask)| set & mask != 0) {
                return true;
            }
        }
        // Over edges of every action at once: where nothing counts, nothing counts for one action.
        let counts = held.counts_at(view, &upwards(view, scope, None), &all);
        if !counts || view.resource(scope).up & RESOURCE_COMPLEX == 0 {
            return counts;
        }
        let actions: BTreeSet<u32> =
            (0..view.permission_count()).map(|permission| view.permission(permission).action).collect();
        actions.into_iter().any(|action| {
            let mask = mask(view, |row| row.action == action && asked(row));
            held.counts_at(view, &upwards(view, scope, Some(action)), &mask)
        })
    }
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
    /// Where a binding's *at* has gone: up to two rows.
    places: BTreeMap<u32, Vec<u32>>,
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
            self.places.entry(*resource).or_default().push(number);
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
                for at in self.places.get(&resource).into_iter().flatten() {
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
