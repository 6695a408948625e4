//! Who is concerned by a change: a fingerprint of everything that a subject's slice is cut from.
//!
//! A slice depends on the catalog, on every scope and what lies above it, on what everybody holds, on the subject with
//! its groups, on what these hold, and on what they own. Two snapshots in which all that is the same give slices with
//! the same facts, so the one that was cut before is still right. The other way round nothing is promised: where
//! fingerprints differ, slices may still say the same.

use crate::open::Snapshot;
use crate::slice::held::{bindings_of, ext_of, items, pairs, parents, resource_ext};
use postern_resolver::view::*;
use postern_vocab::split_subject;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::vec;
use std::vec::Vec;

/// The fingerprints of one snapshot.
///
/// They are keyed, so that nobody who may write facts can choose two that collide: only those made with the same keys
/// can be compared.
pub struct Prints {
    keys: RandomState,
    /// What every slice depends on.
    common: u64,
    /// What besides, for each subject.
    subjects: Vec<u64>,
}

impl Prints {
    /// Takes the fingerprints of a snapshot.
    ///
    /// Cost: linear in the snapshot, and in the ways up from its resources where these branch; eight bytes a subject.
    pub fn of(snapshot: &Snapshot<'_>, keys: &RandomState) -> Self {
        let rows = Rows::of(snapshot, keys);
        Prints { common: rows.common(), subjects: rows.subjects(), keys: keys.clone() }
    }

    /// The fingerprint of all that a subject's slice is cut from; `snapshot` is the one that was given to [`Prints::of`].
    /// Cost: looking the subject up.
    pub fn of_subject(&self, snapshot: &Snapshot<'_>, subject: &str) -> u64 {
        let own = split_subject(subject).and_then(|(kind, id)| snapshot.find_subject(kind, id));
        let own = own.and_then(|own| self.subjects.get(own as usize));
        self.keys.hash_one((self.common, own))
    }
}

/// Fingerprints of rows, by their numbers.
struct Rows<'s, 'b> {
    view: &'s Snapshot<'b>,
    keys: &'s RandomState,
    types: Vec<u64>,
    roles: Vec<u64>,
    /// A resource with all that lies above it.
    resources: Vec<u64>,
    /// Those of bindings.
    bindings: Vec<u64>,
}

impl<'s, 'b> Rows<'s, 'b> {
    fn of(view: &'s Snapshot<'b>, keys: &'s RandomState) -> Self {
        let mut rows = Rows { view, keys, types: vec![], roles: vec![], resources: vec![], bindings: vec![] };
        rows.types = (0..view.type_count()).map(|kind| rows.kind(kind)).collect();
        rows.resources = rows.with_all_above();
        let count = view.counts().bindings + 1;
        // A role's grants are bindings without a role; an assignment's fingerprint has that of its role.
        rows.bindings = (0..count).map(|binding| rows.binding(view.binding(binding))).collect();
        rows.roles = (0..view.role_count())
            .map(|role| {
                let grants = items(view, view.role_grants(role));
                let grants: Vec<u64> = grants.iter().map(|grant| rows.bindings[*grant as usize]).collect();
                keys.hash_one((view.set_bytes(view.role_set(role)), grants))
            })
            .collect();
        for number in 0..count {
            if let Some(role) = view.binding(number).role.checked_sub(1) {
                rows.bindings[number as usize] =
                    keys.hash_one((rows.bindings[number as usize], rows.roles[role as usize]));
            }
        }
        rows
    }

    fn common(&self) -> u64 {
        let view = self.view;
        let mut hasher = self.keys.build_hasher();
        view.organization().hash(&mut hasher);
        for permission in 0..view.permission_count() {
            let row = view.permission(permission);
            (view.permission_key(permission), row.action, row.flags).hash(&mut hasher);
        }
        self.types.hash(&mut hasher);
        for kind in 0..view.type_count() {
            if view.resource_type(kind).flags & TYPE_SCOPE != 0 {
                for resource in view.resources_of(kind).into_iter().flat_map(|(start, end)| start..end) {
                    self.resources[resource as usize].hash(&mut hasher);
                }
            }
        }
        self.bindings_of(&items(view, view.everyone())).hash(&mut hasher);
        hasher.finish()
    }

    fn subjects(&self) -> Vec<u64> {
        let view = self.view;
        let count = view.counts().subjects;
        let mut owned = vec![0_u64; count as usize];
        for resource in 0..view.counts().resources {
            if let Some(owner) = resource_ext(view, resource).owner.checked_sub(1) {
                let sum = &mut owned[owner as usize];
                *sum = sum.wrapping_add(self.resources[resource as usize]);
            }
        }
        let mut aliases = vec![0_u64; count as usize];
        for (alias, of) in view.aliases() {
            let sum = &mut aliases[of as usize];
            *sum = sum.wrapping_add(self.id(alias));
        }
        // What a subject has itself; its groups have the same, and memberships besides.
        let own: Vec<u64> = (0..count)
            .map(|subject| {
                let (row, ext) = (view.subject(subject), ext_of(view, subject));
                let bits = row.bits & (SUBJECT_UNLISTED | SUBJECT_DEAD);
                let memberships = pairs(view, ext.memberships);
                let memberships: Vec<_> = memberships
                    .into_iter()
                    .map(|(group, timing)| (self.name(group), view.timing(timing)))
                    .collect();
                let has = (self.name(subject), bits, view.timing(ext.timing), self.texts(ext.attributes));
                let bindings = self.bindings_of(&bindings_of(view, subject));
                let around = (owned[subject as usize], aliases[subject as usize], memberships);
                self.keys.hash_one((has, bindings, around))
            })
            .collect();
        (0..count)
            .map(|subject| match ext_of(view, subject).groups {
                0 => own[subject as usize],
                groups => {
                    let groups = items(view, groups);
                    let groups: Vec<u64> = groups.iter().map(|group| own[*group as usize]).collect();
                    self.keys.hash_one((own[subject as usize], groups))
                }
            })
            .collect()
    }

    fn kind(&self, kind: u32) -> u64 {
        let row = self.view.resource_type(kind);
        let owner_set = row.owner_set.checked_sub(1).map(|set| self.view.set_bytes(set));
        self.keys.hash_one((self.view.type_name(kind), row.flags, owner_set))
    }

    fn binding(&self, binding: Binding) -> u64 {
        let at = binding.at.checked_sub(1).and_then(|resource| self.resources.get(resource as usize));
        let flags = binding.what & !BINDING_SET;
        let set = self.view.set_bytes(binding.what & BINDING_SET);
        let terms = binding.terms.checked_sub(1).map(|terms| {
            let row = self.view.terms(terms);
            let session = row.session.checked_sub(1).map(|session| self.view.string(session));
            let lists = (self.texts(row.conditions), self.texts(row.require));
            self.keys.hash_one((self.view.timing(row.timing), row.flags, session, lists))
        });
        self.keys.hash_one((at, flags, set, terms))
    }

    fn bindings_of(&self, numbers: &[u32]) -> Vec<u64> {
        numbers.iter().map(|binding| self.bindings[*binding as usize]).collect()
    }

    /// Each resource with everything above it, however it is reached.
    fn with_all_above(&self) -> Vec<u64> {
        let view = self.view;
        let count = view.counts().resources;
        let itself: Vec<u64> = (0..count).map(|resource| self.itself(resource)).collect();
        let mut above: Vec<Option<u64>> = (0..count)
            .map(|resource| {
                let simple = view.resource(resource).up & RESOURCE_COMPLEX == 0;
                let reach = (!simple).then(|| items(view, resource_ext(view, resource).reach))?;
                let reach: Vec<u64> = reach.iter().map(|reached| itself[*reached as usize]).collect();
                Some(self.keys.hash_one((itself[resource as usize], reach)))
            })
            .collect();
        let mut way = Vec::new();
        for resource in 0..count {
            // Up to what is known, and down again. A row that is not complex has one parent, which is not complex.
            let mut next = Some(resource);
            while let Some(at) = next.filter(|at| above[*at as usize].is_none()) {
                way.push(at);
                next = view.resource(at).up.checked_sub(1);
            }
            let mut print = next.and_then(|at| above[at as usize]);
            while let Some(at) = way.pop() {
                print = Some(self.keys.hash_one((itself[at as usize], print)));
                above[at as usize] = print;
            }
        }
        above.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// A resource and its edges.
    fn itself(&self, resource: u32) -> u64 {
        let view = self.view;
        let ext = resource_ext(view, resource);
        let parents: Vec<(u64, Vec<u32>)> = parents(view, resource)
            .into_iter()
            .map(|(parent, cap)| (self.resource_name(parent), items(view, cap)))
            .collect();
        let owner = ext.owner.checked_sub(1).map(|owner| self.name(owner));
        let has = (ext.flags, owner, view.timing(ext.timing), self.texts(ext.attributes));
        self.keys.hash_one((self.resource_name(resource), has, parents))
    }

    fn resource_name(&self, resource: u32) -> u64 {
        let kind = self.types.get(self.view.resource_kind(resource) as usize);
        self.keys.hash_one((kind, self.id(self.view.resource_id(resource))))
    }

    fn name(&self, subject: u32) -> u64 {
        self.keys.hash_one((self.view.subject_kind(subject), self.id(self.view.subject_id(subject))))
    }

    fn id(&self, id: Id<'_>) -> u64 {
        match id {
            Id::Uuid(uuid) => self.keys.hash_one(uuid),
            Id::Text(text) => self.keys.hash_one(text),
            Id::Hidden => 0,
        }
    }

    fn texts(&self, list: u32) -> Vec<(&str, &str)> {
        let pairs = pairs(self.view, list).into_iter();
        pairs.map(|(name, value)| (self.view.string(name), self.view.string(value))).collect()
    }
}
