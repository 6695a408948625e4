//! The complete way: rules 2 to 12, on numbers.

use crate::view::{View, *};
use crate::walk::{ancestors, groups, resource_live};
use core::ops::ControlFlow;
use postern_vocab::Reason;

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) enum Who<'a> {
    /// A subject that the view has a row of, whether the world lists it or only a fact names it.
    Known(u32),
    /// One that nothing names: its id, and whether it is a `user:`.
    Unknown { id: &'a str, user: bool },
}

/// About what.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    Organization,
    /// A resource with a row.
    Listed(u32),
    /// One that the world need not list and does not (rule 3), with the facts that the question states.
    Stated(Stated<'a>),
}

#[derive(Clone, Copy)]
pub(crate) struct Stated<'a> {
    /// Its type's number.
    pub kind: u32,
    /// Its row, where a fact names it.
    pub row: Option<u32>,
    /// The stated parents, by type and id.
    pub parents: &'a [(&'a str, &'a str)],
    /// The stated owner's id.
    pub owner: Option<&'a str>,
}

pub(crate) struct Ask<'a> {
    pub who: Who<'a>,
    pub permission: u32,
    pub target: Target<'a>,
    pub dimensions: &'a [(&'a str, &'a str)],
    pub session: Option<&'a str>,
    pub now: i64,
}

/// A few numbers on the stack. More than fit are walked again each time instead: slower, never wrong.
struct Few<const N: usize> {
    items: [u32; N],
    len: usize,
    all: bool,
}

impl<const N: usize> Few<N> {
    fn new() -> Self {
        Few { items: [0; N], len: 0, all: true }
    }

    fn push(&mut self, item: u32) -> ControlFlow<()> {
        match self.items.get_mut(self.len) {
            Some(place) => {
                *place = item;
                self.len += 1;
                ControlFlow::Continue(())
            }
            None => {
                self.all = false;
                ControlFlow::Break(())
            }
        }
    }

    fn get(&self) -> Option<&[u32]> {
        if self.all { self.items.get(..self.len) } else { None }
    }
}

/// What a pass over the bindings found.
#[derive(Default)]
pub(crate) struct Found {
    pub excluded: bool,
    pub assignment: bool,
    pub grant: bool,
    pub narrowing: bool,
}

pub(crate) struct Case<'a, V> {
    pub view: &'a V,
    pub ask: &'a Ask<'a>,
    action: u32,
    /// The row whose attributes count, where the resource has one.
    resource: Option<u32>,
    anchors: Few<24>,
    principals: Few<16>,
}

/// Rules 2 to 12. The question is well formed (rule 1).
pub(crate) fn decide<V: View>(view: &V, ask: &Ask<'_>) -> Reason {
    let mut unlisted = true;
    if let Who::Known(subject) = ask.who {
        let row = view.subject(subject);
        unlisted = row.bits & SUBJECT_UNLISTED != 0;
        let dead = row.bits & SUBJECT_DEAD != 0
            || (row.bits & SUBJECT_EXT != 0 && !view.live(view.subject_ext(row.link()).timing, ask.now));
        if dead && !unlisted {
            return Reason::InactiveSubject;
        }
    }
    let permission = view.permission(ask.permission);
    let mut resource = None;
    if let Target::Listed(index) = ask.target {
        let row = view.resource(index);
        if row.ext != 0 && view.resource_ext(row.ext - 1).flags & (RESOURCE_UNLISTED | RESOURCE_HIDDEN) != 0 {
            return Reason::UnknownResource;
        }
        if !resource_live(view, row, ask.now) && permission.flags & PERMISSION_WORKS_WHEN_INACTIVE == 0 {
            return Reason::InactiveResource;
        }
        resource = Some(index);
    }
    let reason = Case::new(view, ask, permission.action, resource).reason();
    if reason == Reason::NotGranted && unlisted { Reason::UnknownSubject } else { reason }
}

impl<'a, V: View> Case<'a, V> {
    /// Collects anchors and principals, as far as they fit.
    pub fn new(view: &'a V, ask: &'a Ask<'a>, action: u32, resource: Option<u32>) -> Self {
        let mut case = Case { view, ask, action, resource, anchors: Few::new(), principals: Few::new() };
        let mut anchors = Few::new();
        let _ = case.walk_anchors(&mut |at| anchors.push(at));
        case.anchors = anchors;
        let mut principals = Few::new();
        let _ = case.walk_principals(&mut |subject| principals.push(subject));
        case.principals = principals;
        case
    }

    fn reason(&self) -> Reason {
        // Without narrowing one pass answers rules 8, 10 and 11 together.
        let mut found = Found::default();
        let _ = self.bindings(&mut |binding| {
            self.weigh(binding, &mut found);
            if found.excluded { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if found.excluded {
            return Reason::Excluded;
        }
        if self.owner_allows() {
            return Reason::Owner;
        }
        let mut narrowed = false;
        if found.narrowing && (found.assignment || found.grant) {
            let wide = found.assignment || found.grant;
            found = self.narrow();
            narrowed = wide && !found.assignment && !found.grant;
        }
        match found {
            Found { assignment: true, .. } => Reason::Assignment,
            Found { grant: true, .. } => Reason::Grant,
            _ if narrowed => Reason::Narrowed,
            _ => Reason::NotGranted,
        }
    }

    /// What one binding at an anchor contributes while nothing is narrowed away.
    pub fn weigh(&self, binding: Binding, found: &mut Found) {
        if binding.what & BINDING_TERMS != 0 && !self.terms_hold(binding) {
            return;
        }
        let satisfied = self.view.set_has(binding.what & BINDING_SET, self.ask.permission);
        if binding.what & BINDING_EXCLUDE != 0 {
            found.excluded |= satisfied;
        } else if binding.what & BINDING_GRANT != 0 {
            found.grant |= satisfied;
        } else {
            found.narrowing |= binding.what & BINDING_NARROWS != 0;
            found.assignment |= satisfied;
            self.role_grants(binding, &mut |grant| {
                found.excluded |= grant.what & BINDING_EXCLUDE != 0;
                found.grant |= grant.what & BINDING_GRANT != 0;
            });
        }
    }

    /// Rules 10 and 11 again, with the candidates that rule 6 keeps.
    pub fn narrow(&self) -> Found {
        let mut found = Found::default();
        let _ = self.bindings(&mut |binding| {
            if binding.what & BINDING_TERMS != 0 && !self.terms_hold(binding) {
                return ControlFlow::Continue(());
            }
            if binding.what & BINDING_EXCLUDE != 0 {
                return ControlFlow::Continue(());
            }
            let satisfied = self.view.set_has(binding.what & BINDING_SET, self.ask.permission);
            if binding.what & BINDING_GRANT != 0 {
                found.grant |= satisfied;
            } else if (satisfied || binding.what & BINDING_ROLE_GRANTS != 0) && self.kept(binding.at) {
                found.assignment |= satisfied;
                self.role_grants(binding, &mut |grant| found.grant |= grant.what & BINDING_GRANT != 0);
            }
            ControlFlow::Continue(())
        });
        found
    }

    /// Rule 6: no candidate at a narrowing resource has `at` as a strict ancestor.
    pub fn kept(&self, at: u32) -> bool {
        self.bindings(&mut |binding| {
            let narrows = binding.what & BINDING_NARROWS != 0
                && binding.at != at
                && (binding.what & BINDING_TERMS == 0 || self.terms_hold(binding))
                && (at == ORGANIZATION_AT || self.above(binding.at, at));
            if narrows { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .is_continue()
    }

    /// Whether `ancestor` lies strictly above `at`, another anchor.
    pub fn above(&self, at: u32, ancestor: u32) -> bool {
        if let Target::Stated(stated) = self.ask.target
            && stated.row.is_some_and(|row| row + 1 == at)
        {
            // Everything else that anchors was stated to lie above the resource itself.
            return at != ancestor;
        }
        ancestors(self.view, at - 1, self.action, self.ask.now, &mut |above| {
            if above == ancestor { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .is_break()
    }

    /// The grants held by the role of a candidate that apply here and hold the permission.
    pub fn role_grants(&self, candidate: Binding, each: &mut dyn FnMut(Binding)) {
        if candidate.what & BINDING_ROLE_GRANTS == 0 || candidate.role == 0 {
            return;
        }
        let (start, end) = self.view.list(self.view.role_grants(candidate.role - 1));
        for position in start..end {
            let grant = self.view.binding(self.view.item(position));
            if self.view.set_has(grant.what & BINDING_SET, self.ask.permission)
                && (grant.at == ORGANIZATION_AT || self.anchored(grant.at))
                && (grant.what & BINDING_TERMS == 0 || self.terms_hold(grant))
            {
                each(grant);
            }
        }
    }

    pub fn anchored(&self, at: u32) -> bool {
        let hit = &mut |anchor| {
            if anchor == at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.each_anchor(hit).is_break()
    }

    /// Every binding of the principals that stands at an anchor (rules 5, 8, 11), the organization's included.
    pub fn bindings(&self, each: &mut dyn FnMut(Binding) -> ControlFlow<()>) -> ControlFlow<()> {
        let everyone = self.view.everyone();
        if everyone != 0 && self.is_user() {
            self.bindings_of(Held::List(self.view.list(everyone)), each)?;
        }
        self.each_principal(&mut |principal| self.bindings_of(self.held_by(principal), each))
    }

    pub fn held_by(&self, principal: u32) -> Held {
        let row = self.view.subject(principal);
        if row.bits & SUBJECT_EXT != 0 {
            Held::List(self.view.list(self.view.subject_ext(row.link()).bindings))
        } else if row.bits & SUBJECT_LIST != 0 {
            Held::List(self.view.list(row.link()))
        } else {
            Held::Few(row.words)
        }
    }

    pub fn bindings_of(
        &self,
        held: Held,
        each: &mut dyn FnMut(Binding) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match held {
            Held::Few(few) => {
                for binding in few {
                    let binding = self.view.binding(u32::from(binding));
                    if binding.at == ORGANIZATION_AT || (binding.at != NOWHERE && self.anchored(binding.at)) {
                        each(binding)?;
                    }
                }
                ControlFlow::Continue(())
            }
            Held::List(range) => {
                self.bindings_at(range, ORGANIZATION_AT, each)?;
                self.each_anchor(&mut |at| self.bindings_at(range, at, each))
            }
        }
    }

    /// Bindings are numbered by where they stand, so those at one place lie together in a sorted list.
    fn bindings_at(
        &self,
        (start, end): (u32, u32),
        at: u32,
        each: &mut dyn FnMut(Binding) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (mut low, mut high) = (start, end);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.view.binding(self.view.item(middle)).at < at {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        while low < end {
            let binding = self.view.binding(self.view.item(low));
            if binding.at != at {
                break;
            }
            each(binding)?;
            low += 1;
        }
        ControlFlow::Continue(())
    }

    fn each_anchor(&self, each: &mut dyn FnMut(u32) -> ControlFlow<()>) -> ControlFlow<()> {
        match self.anchors.get() {
            Some(anchors) => anchors.iter().try_for_each(|at| each(*at)),
            None => self.walk_anchors(each),
        }
    }

    /// Rule 4, without the organization. More than one stated parent may reach one place twice, which changes nothing.
    fn walk_anchors(&self, each: &mut dyn FnMut(u32) -> ControlFlow<()>) -> ControlFlow<()> {
        let (view, now) = (self.view, self.ask.now);
        match self.ask.target {
            Target::Organization => ControlFlow::Continue(()),
            Target::Listed(resource) => {
                each(resource + 1)?;
                ancestors(view, resource, self.action, now, each)
            }
            Target::Stated(stated) => {
                if let Some(row) = stated.row {
                    each(row + 1)?;
                }
                for (kind, id) in stated.parents {
                    let parent = view.find_type(kind).and_then(|kind| view.find_resource(kind, id));
                    let Some(parent) = parent.filter(|parent| Some(*parent) != stated.row) else {
                        continue;
                    };
                    if resource_live(view, view.resource(parent), now) {
                        each(parent + 1)?;
                        ancestors(view, parent, self.action, now, each)?;
                    }
                }
                ControlFlow::Continue(())
            }
        }
    }

    pub fn each_principal(&self, each: &mut dyn FnMut(u32) -> ControlFlow<()>) -> ControlFlow<()> {
        match self.principals.get() {
            Some(principals) => principals.iter().try_for_each(|subject| each(*subject)),
            None => self.walk_principals(each),
        }
    }

    /// Rule 2, without `user:all`.
    fn walk_principals(&self, each: &mut dyn FnMut(u32) -> ControlFlow<()>) -> ControlFlow<()> {
        let Who::Known(subject) = self.ask.who else {
            return ControlFlow::Continue(());
        };
        each(subject)?;
        groups(self.view, self.view.subject(subject), subject, self.ask.now, &mut |group| {
            if group == subject { ControlFlow::Continue(()) } else { each(group) }
        })
    }

    pub fn is_user(&self) -> bool {
        match self.ask.who {
            Who::Known(subject) => self.view.subject_kind(subject) == "user",
            Who::Unknown { user, .. } => user,
        }
    }

    fn is_principal(&self, subject: u32) -> bool {
        self.each_principal(&mut |principal| {
            if principal == subject { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .is_break()
    }

    /// Whether the resource has an owner who is one of the principals.
    pub fn owned(&self) -> bool {
        match self.ask.target {
            Target::Organization => false,
            Target::Listed(resource) => {
                let row = self.view.resource(resource);
                let owner = if row.ext == 0 { 0 } else { self.view.resource_ext(row.ext - 1).owner };
                owner != 0 && self.is_principal(owner - 1)
            }
            Target::Stated(stated) => {
                let Some(owner) = stated.owner else { return false };
                let Some((kind, id)) = postern_vocab::split_subject(owner) else {
                    return false;
                };
                if postern_vocab::is_reserved_id(id) {
                    return false;
                }
                match (self.view.find_subject(kind, id), self.ask.who) {
                    (Some(owner), _) => self.is_principal(owner),
                    (None, Who::Unknown { id, .. }) => id == owner,
                    (None, Who::Known(_)) => false,
                }
            }
        }
    }

    /// Rule 9.
    pub fn owner_allows(&self) -> bool {
        let kind = match self.ask.target {
            Target::Organization => return false,
            Target::Stated(stated) => stated.kind,
            Target::Listed(resource) => {
                if self.view.resource(resource).ext == 0 {
                    return false;
                }
                self.view.resource_kind(resource)
            }
        };
        let set = self.view.resource_type(kind).owner_set;
        set != 0 && self.view.set_has(set - 1, self.ask.permission) && self.owned()
    }

    /// The terms of rules 8 and 11. `where` is lenient for an allow and strict for an exclusion.
    pub fn terms_hold(&self, binding: Binding) -> bool {
        if binding.terms == 0 {
            return true;
        }
        let terms = self.view.terms(binding.terms - 1);
        let strict = binding.what & BINDING_EXCLUDE != 0;
        self.view.live(terms.timing, self.ask.now)
            && (terms.session == 0 || self.ask.session == Some(self.view.string(terms.session - 1)))
            && (terms.flags & TERMS_OWN == 0 || self.owned())
            && self.dimensions_match(terms.conditions, strict)
            && self.dimensions_match(terms.require, true)
    }

    fn dimensions_match(&self, list: u32, strict: bool) -> bool {
        let (mut position, end) = self.view.list(list);
        while position + 1 < end {
            let (name, wanted) = (self.view.item(position), self.view.string(self.view.item(position + 1)));
            position += 2;
            match self.dimension(name) {
                Some(value) if value == wanted || wanted == "*" => {}
                None if !strict => {}
                _ => return false,
            }
        }
        true
    }

    /// A dimension's value: as stated, else the subject's under `subject.<name>`, else the resource's.
    fn dimension(&self, name: u32) -> Option<&str> {
        let text = self.view.string(name);
        if let Some((_, value)) = self.ask.dimensions.iter().find(|(stated, _)| *stated == text) {
            return Some(value);
        }
        let attributes = if text.starts_with("subject.") {
            match self.ask.who {
                Who::Known(subject) => {
                    let row = self.view.subject(subject);
                    if row.bits & SUBJECT_EXT == 0 { 0 } else { self.view.subject_ext(row.link()).attributes }
                }
                Who::Unknown { .. } => 0,
            }
        } else {
            match self.resource.map(|resource| self.view.resource(resource)) {
                Some(row) if row.ext != 0 => self.view.resource_ext(row.ext - 1).attributes,
                _ => 0,
            }
        };
        let (mut position, end) = self.view.list(attributes);
        while position + 1 < end {
            if self.view.item(position) == name {
                return Some(self.view.string(self.view.item(position + 1)));
            }
            position += 2;
        }
        None
    }
}

/// What a principal holds.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    Few([u16; 3]),
    List((u32, u32)),
}
