//! The ids that a world lists, each of them once: subjects with their aliases, resources and roles.

use super::path::At;
use super::{Flaw, declared_type, dimensions, life, name, resource_id, subject_id};
use crate::error::quoted;
use crate::{ResourceRef, Role, Subject, World};
use postern_vocab::{is_reserved_id, split_subject};
use std::collections::HashSet;

pub(super) struct Names<'w> {
    /// By type and id; aliases, too.
    subjects: HashSet<(&'w str, &'w str)>,
    resources: HashSet<&'w ResourceRef>,
    roles: HashSet<&'w str>,
}

impl<'w> Names<'w> {
    pub fn collect(world: &'w World) -> Result<Self, Flaw> {
        Ok(Names {
            subjects: subjects(&world.subjects)?,
            resources: resources(world)?,
            roles: roles(&world.roles)?,
        })
    }

    /// Whether a subject is listed under this id or alias.
    pub fn has_subject(&self, kind: &str, id: &str) -> bool {
        self.subjects.contains(&(kind, id))
    }

    pub fn has_resource(&self, place: &ResourceRef) -> bool {
        self.resources.contains(place)
    }

    pub fn has_role(&self, id: &str) -> bool {
        self.roles.contains(id)
    }
}

fn subjects(listed: &[Subject]) -> Result<HashSet<(&str, &str)>, Flaw> {
    let root = At::ROOT.member("subjects");
    let mut names = HashSet::with_capacity(listed.len());
    for (index, subject) in listed.iter().enumerate() {
        let at = root.index(index);
        let id_at = at.member("id");
        let (kind, id) = subject_id(&id_at, &subject.id)?;
        if !names.insert((kind, id)) {
            let first = listed.iter().position(|other| other.id == subject.id).unwrap_or(index);
            return Err(twice(&id_at, "subject", &subject.id, &root.index(first)));
        }
        dimensions(&at.member("attributes"), &subject.attributes)?;
        life(&at, &subject.life)?;
    }
    // Aliases come after all ids, because one that equals an id is wrong wherever the id stands.
    for (index, subject) in listed.iter().enumerate() {
        let aliases_at = root.index(index);
        let aliases_at = aliases_at.member("aliases");
        let kind = split_subject(&subject.id).map_or("", |(kind, _)| kind);
        for (index, alias) in subject.aliases.iter().enumerate() {
            let at = aliases_at.index(index);
            name(&at, alias)?;
            if is_reserved_id(alias) {
                return Err(at.refuse(format!("{} stands for many and can be no alias", quoted(alias))));
            }
            if !names.insert((kind, alias)) {
                let taken = quoted(&format!("{kind}:{alias}"));
                return Err(
                    at.refuse(format!("{taken} already is the id or an alias of a subject; remove one"))
                );
            }
        }
    }
    Ok(names)
}

fn resources(world: &World) -> Result<HashSet<&ResourceRef>, Flaw> {
    let root = At::ROOT.member("resources");
    let mut names = HashSet::with_capacity(world.resources.len());
    for (index, resource) in world.resources.iter().enumerate() {
        let at = root.index(index);
        declared_type(&at, &resource.at, world)?;
        resource_id(&at, &resource.at)?;
        if !names.insert(&resource.at) {
            let first = world.resources.iter().position(|other| other.at == resource.at).unwrap_or(index);
            return Err(twice(&at.member("id"), &resource.at.kind, &resource.at.id, &root.index(first)));
        }
    }
    Ok(names)
}

fn roles(listed: &[Role]) -> Result<HashSet<&str>, Flaw> {
    let root = At::ROOT.member("roles");
    let mut names = HashSet::with_capacity(listed.len());
    for (index, role) in listed.iter().enumerate() {
        let at = root.index(index);
        let at = at.member("id");
        name(&at, &role.id)?;
        if !is_role_id(&role.id) {
            const FORMS: &str =
                "`role:global:<uuid>`, `role:organization:<uuid>`, `role:system:<name>` or `role:<slug>`";
            return Err(at.refuse(format!("{} is no role id; write {FORMS}", quoted(&role.id))));
        }
        if !names.insert(&*role.id) {
            let first = listed.iter().position(|other| other.id == role.id).unwrap_or(index);
            return Err(twice(&at, "role", &role.id, &root.index(first)));
        }
    }
    Ok(names)
}

/// The forms of a role id. That the `<uuid>` is one is not asked: ids are compared by bytes, and organizations whose
/// ids come from elsewhere are imported with them.
fn is_role_id(id: &str) -> bool {
    let Some(rest) = id.strip_prefix("role:") else {
        return false;
    };
    match rest.split_once(':') {
        None => !rest.is_empty(),
        Some((family, name)) => matches!(family, "global" | "organization" | "system") && !name.is_empty(),
    }
}

fn twice(at: &At<'_>, what: &str, id: &str, first: &At<'_>) -> Flaw {
    at.refuse(format!(
        "the {} {} is already listed at {}; keep one of them",
        crate::error::shown(what),
        quoted(id),
        first.path()
    ))
}
