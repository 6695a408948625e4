//! What the facts of a world may say of each other: `docs/semantics.md` section 2, and the readings of it in
//! `docs/decisions/`. The first flaw in the order of the document is reported.

mod catalog;
mod names;
mod path;

use crate::error::{WorldError, quoted};
use crate::place::Step;
use crate::time::{FIRST, LAST};
use crate::{Grant, Life, Parent, Resource, ResourceRef, Role, World};
use names::Names;
use path::At;
use postern_vocab::limits::TEXT_BYTES_MAX;
use postern_vocab::{is_reserved_id, split_subject};
use std::collections::BTreeMap;

/// What is wrong with a world, and the steps to it.
pub(crate) struct Flaw {
    pub steps: Vec<Step>,
    /// The name of the last step's member is meant, not its value.
    pub of_name: bool,
    pub message: String,
}

impl Flaw {
    /// The error, without line and column.
    pub fn into_error(self) -> WorldError {
        WorldError { path: crate::place::render(&self.steps), line: 0, column: 0, message: self.message }
    }
}

type Checked = Result<(), Flaw>;

impl World {
    /// Checks a world that was put together in memory. One that was parsed is valid.
    ///
    /// # Errors
    /// The first thing that [`World::parse`] would refuse in the document of this world, with line and column 0.
    pub fn validate(&self) -> Result<(), WorldError> {
        self.first_flaw().map_or(Ok(()), |flaw| Err(flaw.into_error()))
    }

    pub(crate) fn first_flaw(&self) -> Option<Flaw> {
        self.flawless().err()
    }

    fn flawless(&self) -> Checked {
        let root = At::ROOT;
        name(&root.member("organization"), &self.organization)?;
        catalog::check(&root.member("catalog"), &self.catalog)?;
        let names = Names::collect(self)?;
        let world = Facts { world: self, names };
        world.memberships(&root.member("memberships"))?;
        world.resources(&root.member("resources"))?;
        world.roles(&root.member("roles"))?;
        world.assignments(&root.member("assignments"))?;
        world.grants(&root.member("grants"))
    }
}

/// Who holds a fact: which ids may stand there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// A subject or group, nobody else.
    One,
    /// `user:all`, too.
    OneOrAll,
}

struct Facts<'w> {
    world: &'w World,
    names: Names<'w>,
}

impl Facts<'_> {
    fn memberships(&self, at: &At<'_>) -> Checked {
        for (index, membership) in self.world.memberships.iter().enumerate() {
            let at = at.index(index);
            self.holder(&at.member("subject"), &membership.subject, Holder::One)?;
            let group_at = at.member("group");
            self.holder(&group_at, &membership.group, Holder::One)?;
            if !matches!(split_subject(&membership.group), Some(("group", _))) {
                let message =
                    format!("{} is no group; members join a `group:<id>`", quoted(&membership.group));
                return Err(group_at.refuse(message));
            }
            life(&at, &membership.life)?;
        }
        Ok(())
    }

    fn resources(&self, at: &At<'_>) -> Checked {
        for (index, resource) in self.world.resources.iter().enumerate() {
            self.resource(&at.index(index), resource)?;
        }
        Ok(())
    }

    fn resource(&self, at: &At<'_>, resource: &Resource) -> Checked {
        let listed_parents = at.member("parents");
        for (index, parent) in resource.parents.iter().enumerate() {
            self.parent(&listed_parents.index(index), parent)?;
        }
        if let Some(owner) = &resource.owner {
            self.holder(&at.member("owner"), owner, Holder::One)?;
        }
        let attributes = at.member("attributes");
        dimensions(&attributes, &resource.attributes)?;
        if let Some(name) = resource.attributes.keys().find(|name| name.starts_with("subject.")) {
            let message = format!("{} would hide an attribute of the subject; rename it", quoted(name));
            return Err(attributes.member(name).refuse_name(message));
        }
        life(at, &resource.life)
    }

    fn parent(&self, at: &At<'_>, parent: &Parent) -> Checked {
        self.place(at, &parent.at)?;
        if !self.names.has_resource(&parent.at) {
            let ResourceRef { kind, id } = &parent.at;
            let message = format!(
                "the parent {} of type {} is not listed; add it to `resources` or remove the edge",
                quoted(id),
                quoted(kind)
            );
            return Err(at.refuse(message));
        }
        let cap = at.member("cap");
        for (index, action) in parent.cap.iter().flatten().enumerate() {
            let at = cap.index(index);
            text(&at, action)?;
            if action == "*" {
                return Err(at.refuse(
                    "a cap lists actions and has no wildcard; relation `auto` lets everything flow",
                ));
            }
        }
        Ok(())
    }

    fn roles(&self, at: &At<'_>) -> Checked {
        for (index, role) in self.world.roles.iter().enumerate() {
            let Role { name: label, permissions, .. } = role;
            let at = at.index(index);
            text(&at.member("name"), label)?;
            catalog::permission_list(&at.member("permissions"), permissions, &self.world.catalog)?;
        }
        Ok(())
    }

    fn assignments(&self, at: &At<'_>) -> Checked {
        for (index, assignment) in self.world.assignments.iter().enumerate() {
            let at = at.index(index);
            self.holder(&at.member("subject"), &assignment.subject, Holder::OneOrAll)?;
            self.declared_role(&at.member("role"), &assignment.role)?;
            if let Some(place) = &assignment.at {
                self.place(&at.member("at"), place)?;
            }
            life(&at, &assignment.life)?;
        }
        Ok(())
    }

    fn grants(&self, at: &At<'_>) -> Checked {
        for (index, grant) in self.world.grants.iter().enumerate() {
            self.grant(&at.index(index), grant)?;
        }
        Ok(())
    }

    fn grant(&self, at: &At<'_>, grant: &Grant) -> Checked {
        let subject = at.member("subject");
        match grant.subject.starts_with("role:") {
            true => self.declared_role(&subject, &grant.subject)?,
            false => self.holder(&subject, &grant.subject, Holder::OneOrAll)?,
        }
        catalog::permission_list(&at.member("permissions"), &grant.permissions, &self.world.catalog)?;
        if let Some(place) = &grant.at {
            self.place(&at.member("at"), place)?;
        }
        dimensions(&at.member("where"), &grant.conditions)?;
        dimensions(&at.member("require"), &grant.require)?;
        if let Some(session) = &grant.session {
            name(&at.member("session"), session)?;
        }
        life(at, &grant.life)
    }

    fn declared_role(&self, at: &At<'_>, role: &str) -> Checked {
        match self.names.has_role(role) {
            true => Ok(()),
            false => {
                let message = format!(
                    "the role {} is not declared; add it to `roles` or name one of them",
                    quoted(role)
                );
                Err(at.refuse(message))
            }
        }
    }

    fn holder(&self, at: &At<'_>, subject: &str, holder: Holder) -> Checked {
        if holder == Holder::OneOrAll && subject == "user:all" {
            return Ok(());
        }
        let (kind, id) = subject_id(at, subject)?;
        match kind != "group" || self.names.has_subject(kind, id) {
            true => Ok(()),
            false => {
                let message = format!("the group {} is not listed; add it to `subjects`", quoted(subject));
                Err(at.refuse(message))
            }
        }
    }

    /// A resource that a fact refers to, listed or not.
    fn place(&self, at: &At<'_>, place: &ResourceRef) -> Checked {
        declared_type(at, place, self.world)?;
        resource_id(at, place)
    }
}

fn declared_type(at: &At<'_>, place: &ResourceRef, world: &World) -> Checked {
    let at = at.member("type");
    name(&at, &place.kind)?;
    match world.catalog.types.contains_key(&place.kind) {
        true => Ok(()),
        false => {
            let message =
                format!("the type {} is not declared; add it to `catalog.types`", quoted(&place.kind));
            Err(at.refuse(message))
        }
    }
}

fn resource_id(at: &At<'_>, place: &ResourceRef) -> Checked {
    let at = at.member("id");
    name(&at, &place.id)?;
    match place.id == "*" {
        false => Ok(()),
        true => Err(at.refuse("`*` stands for many; give the id of one resource")),
    }
}

/// The type and id of one subject.
fn subject_id<'t>(at: &At<'_>, subject: &'t str) -> Result<(&'t str, &'t str), Flaw> {
    name(at, subject)?;
    let Some((kind, id)) = split_subject(subject) else {
        return Err(
            at.refuse(format!("{} is no subject; write `<type>:<id>`, such as `user:7f`", quoted(subject)))
        );
    };
    if kind == "role" {
        return Err(at.refuse(format!("{} names a role; give a subject or a group", quoted(subject))));
    }
    if is_reserved_id(id) {
        return Err(at.refuse(format!("{} stands for many; give the id of one subject", quoted(subject))));
    }
    Ok((kind, id))
}

/// A text that names something: neither empty nor too long.
fn name(at: &At<'_>, name: &str) -> Checked {
    match name.is_empty() {
        true => Err(at.refuse("is empty; give it a name or remove it")),
        false => text(at, name),
    }
}

fn text(at: &At<'_>, text: &str) -> Checked {
    match text.len() <= TEXT_BYTES_MAX {
        true => Ok(()),
        false => Err(at.refuse(too_long(text))),
    }
}

fn too_long(text: &str) -> String {
    format!("{} bytes long; at most {TEXT_BYTES_MAX} are allowed", text.len())
}

fn dimensions(at: &At<'_>, dimensions: &BTreeMap<String, String>) -> Checked {
    for (name, value) in dimensions {
        let at = at.member(name);
        if name.len() > TEXT_BYTES_MAX {
            return Err(at.refuse_name(too_long(name)));
        }
        text(&at, value)?;
    }
    Ok(())
}

/// A document can only hold times that RFC 3339 can write; a world in memory might hold others.
fn life(at: &At<'_>, life: &Life) -> Checked {
    for (name, bound) in [("not_before", life.not_before), ("expires_at", life.expires_at)] {
        if bound.is_some_and(|micros| !(FIRST..=LAST).contains(&micros)) {
            return Err(at.member(name).refuse("outside of the years 0000 to 9999 in UTC"));
        }
    }
    Ok(())
}
