//! What reaches a subject, and which resources that keeps in its slice.

use crate::open::Snapshot;
use postern_resolver::view::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::vec;
use std::vec::Vec;

/// What reaches the subject, at any time.
pub(super) struct Held {
    pub own: Option<u32>,
    /// Its groups, at any time.
    pub groups: BTreeSet<u32>,
    /// Who holds which binding; `None` holds those of `user:all`.
    pub by_holder: Vec<(Option<u32>, Vec<u32>)>,
    /// The same bindings by where they stand.
    pub by_at: BTreeMap<u32, Vec<Binding>>,
    /// Those of everybody's roles.
    pub roles: BTreeSet<u32>,
}

pub(crate) fn items(view: &Snapshot<'_>, list: u32) -> Vec<u32> {
    let (start, end) = view.list(list);
    (start..end).map(|position| view.item(position)).collect()
}

pub(crate) fn pairs(view: &Snapshot<'_>, list: u32) -> Vec<(u32, u32)> {
    items(view, list).as_chunks::<2>().0.iter().map(|[first, second]| (*first, *second)).collect()
}

pub(crate) fn ext_of(view: &Snapshot<'_>, subject: u32) -> SubjectExt {
    let row = view.subject(subject);
    if row.bits & SUBJECT_EXT == 0 { SubjectExt::default() } else { view.subject_ext(row.link()) }
}

pub(crate) fn bindings_of(view: &Snapshot<'_>, subject: u32) -> Vec<u32> {
    let row = view.subject(subject);
    match row.bits & (SUBJECT_LIST | SUBJECT_EXT) {
        0 => row.words.iter().map(|word| u32::from(*word)).filter(|binding| *binding != 0).collect(),
        SUBJECT_LIST => items(view, row.link()),
        _ => items(view, view.subject_ext(row.link()).bindings),
    }
}

impl Held {
    pub fn of(view: &Snapshot<'_>, own: Option<u32>, user: bool) -> Self {
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

    pub fn is_principal(&self, subject: u32) -> bool {
        self.own == Some(subject) || self.groups.contains(&subject)
    }

    /// Whether the subject could be allowed one of the permissions of `mask`, or is narrowed or excluded, where these
    /// are the anchors. Terms are left open: what only holds for own things may still be asked below.
    pub fn counts_at(&self, view: &Snapshot<'_>, anchors: &BTreeSet<u32>, mask: &[u8]) -> bool {
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
pub(super) fn mask(view: &Snapshot<'_>, wanted: impl Fn(PermissionRow) -> bool) -> Vec<u8> {
    let mut mask = vec![0; view.permission_count().div_ceil(8) as usize];
    for permission in 0..view.permission_count() {
        if wanted(view.permission(permission)) {
            mask[(permission / 8) as usize] |= 1 << (permission % 8);
        }
    }
    mask
}

/// The parents of a resource with their caps, whatever the time; dead ones are not among them.
pub(crate) fn parents(view: &Snapshot<'_>, resource: u32) -> Vec<(u32, u32)> {
    let row = view.resource(resource);
    if row.up & RESOURCE_COMPLEX != 0 {
        return pairs(view, resource_ext(view, resource).edges);
    }
    row.up.checked_sub(1).map(|parent| (parent, 0)).into_iter().collect()
}

pub(crate) fn resource_ext(view: &Snapshot<'_>, resource: u32) -> ResourceExt {
    match view.resource(resource).ext {
        0 => ResourceExt::default(),
        ext => view.resource_ext(ext - 1),
    }
}

/// Every *at* from a resource upwards, itself included; with an action only over edges that let it pass.
pub(super) fn upwards(view: &Snapshot<'_>, resource: u32, action: Option<u32>) -> BTreeSet<u32> {
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
pub(super) enum Form {
    /// With its id and its facts.
    Listed,
    /// With its id, as something that facts name.
    Named,
    /// As a step on the way up.
    Hidden,
}

/// The resources that are kept. One may be there twice: as a name that can be asked about, and as a step on the way up.
pub(super) struct Kept {
    pub forms: BTreeSet<(u32, Form)>,
}

impl Kept {
    pub fn of(view: &Snapshot<'_>, held: &Held) -> Self {
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
    pub fn counts(view: &Snapshot<'_>, held: &Held, scope: u32, owned: bool) -> bool {
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
