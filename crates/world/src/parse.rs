//! From JSON to a [`World`]: the shape of the document. What the facts say of each other is for `validate.rs`.

use crate::error::{ReadError, WorldError, quoted};
use crate::json::{Fault, Reader, twice};
use crate::place::{error_at, line_and_column, locate};
use crate::time::parse_exact_time;
use crate::{
    Assignment, Catalog, Effect, Grant, Life, Membership, Parent, Permission, Resource, ResourceRef,
    ResourceType, Role, Subject, World,
};
use postern_vocab::limits::WORLD_BYTES_MAX;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Read;
use std::path::Path;

/// The one version of the document that there is.
pub(crate) const FORMAT: &str = "postern-world/1";

type Parsed<T> = Result<T, Fault>;

impl World {
    /// Reads a world and checks it: what is returned keeps every rule of `docs/semantics.md` section 2.
    ///
    /// Takes time in proportion to the document, and the memory of the document's strings.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(bytes: &[u8]) -> Result<World, WorldError> {
        if bytes.len() as u64 > WORLD_BYTES_MAX {
            let message = format!("larger than {WORLD_BYTES_MAX} bytes; split the organization");
            return Err(WorldError { path: "$".into(), line: 1, column: 1, message });
        }
        let world = Reader::new(bytes).document(world).map_err(|fault| error_at(bytes, fault))?;
        match world.first_flaw() {
            None => Ok(world),
            Some(flaw) => {
                let (line, column) = line_and_column(bytes, locate(bytes, &flaw.steps, flaw.of_name));
                Err(WorldError { line, column, ..flaw.into_error() })
            }
        }
    }

    /// Reads a world from a file. One that is larger than the limit is refused before it is read.
    ///
    /// # Errors
    /// With the name of the file: it cannot be read, is too large, or [`World::parse`] refuses it.
    pub fn read_file(file: impl AsRef<Path>) -> Result<World, ReadError> {
        let file = file.as_ref();
        let bytes = read_document(file)?;
        World::parse(&bytes).map_err(|source| ReadError::Document { file: file.into(), source })
    }
}

/// Reads the bytes of a world document, for those who want both them and the world. One that is larger than the limit
/// is refused before it is read.
///
/// # Errors
/// With the name of the file: it cannot be read, or is too large.
pub fn read_document(file: impl AsRef<Path>) -> Result<Vec<u8>, ReadError> {
    let file = file.as_ref();
    let failed = |source| ReadError::Io { file: file.into(), source };
    let too_large = || ReadError::TooLarge { file: file.into(), line: 0, bytes_max: WORLD_BYTES_MAX };
    let open = std::fs::File::open(file).map_err(failed)?;
    let size = open.metadata().map_err(failed)?.len();
    if size > WORLD_BYTES_MAX {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(size as usize);
    // A pipe tells no size beforehand, and a file may grow while it is read.
    open.take(WORLD_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > WORLD_BYTES_MAX { Err(too_large()) } else { Ok(bytes) }
}

fn world(reader: &mut Reader<'_>) -> Parsed<World> {
    const MEMBERS: &[&str] = &[
        "format",
        "organization",
        "revision",
        "catalog",
        "subjects",
        "memberships",
        "resources",
        "roles",
        "assignments",
        "grants",
    ];
    let start = reader.offset();
    let mut world = World::default();
    let (mut format, mut organization, mut revision) = (None, None, None);
    reader.object(MEMBERS, |reader, name| {
        match name {
            "format" => format = Some(known_format(reader)?),
            "organization" => organization = Some(reader.string()?),
            "revision" => revision = Some(reader.number()?),
            "catalog" => world.catalog = catalog(reader)?,
            "subjects" => world.subjects = reader.list(subject)?,
            "memberships" => world.memberships = reader.list(membership)?,
            "resources" => world.resources = reader.list(resource)?,
            "roles" => world.roles = reader.list(role)?,
            "assignments" => world.assignments = reader.list(assignment)?,
            "grants" => world.grants = reader.list(grant)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    required(start, format, "format")?;
    world.organization = required(start, organization, "organization")?;
    world.revision = required(start, revision, "revision")?;
    Ok(world)
}

/// The value of a member that every object of its kind has.
fn required<T>(object_at: usize, given: Option<T>, name: &str) -> Parsed<T> {
    given.ok_or_else(|| Fault { at: object_at, message: format!("the member `{name}` is missing; add it") })
}

fn known_format(reader: &mut Reader<'_>) -> Parsed<()> {
    let at = reader.offset();
    let text = reader.text("a string")?;
    match text == FORMAT {
        true => Ok(()),
        false => {
            let message = format!("the format {} is not known; this reads `{FORMAT}`", quoted(&text));
            Err(Fault { at, message })
        }
    }
}

fn catalog(reader: &mut Reader<'_>) -> Parsed<Catalog> {
    let mut catalog = Catalog::default();
    reader.object(&["types", "permissions"], |reader, name| {
        match name {
            "types" => catalog.types = map(reader, resource_type)?,
            "permissions" => catalog.permissions = map(reader, permission)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(catalog)
}

/// Reads an object whose names the document chooses.
pub(crate) fn map<'a, T>(
    reader: &mut Reader<'a>,
    value: impl Fn(&mut Reader<'a>) -> Parsed<T>,
) -> Parsed<BTreeMap<String, T>> {
    let mut map = BTreeMap::new();
    reader.entries(|reader, name, at| match map.entry(name.into_owned()) {
        Entry::Occupied(taken) => Err(twice(taken.key(), at)),
        Entry::Vacant(free) => {
            free.insert(value(reader)?);
            Ok(())
        }
    })?;
    Ok(map)
}

fn strings(reader: &mut Reader<'_>) -> Parsed<Vec<String>> {
    reader.list(Reader::string)
}

fn resource_type(reader: &mut Reader<'_>) -> Parsed<ResourceType> {
    let mut kind = ResourceType::default();
    reader.object(&["scope", "narrows", "registered", "owner_permissions"], |reader, name| {
        match name {
            "scope" => kind.scope = reader.boolean()?,
            "narrows" => kind.narrows = reader.boolean()?,
            "registered" => kind.registered = reader.boolean()?,
            "owner_permissions" => kind.owner_permissions = strings(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    // Scopes are always registered, whatever the document says.
    kind.registered |= kind.scope;
    Ok(kind)
}

fn permission(reader: &mut Reader<'_>) -> Parsed<Permission> {
    const MEMBERS: &[&str] = &["description", "implied_by", "excluded_by", "requires", "works_when_inactive"];
    let mut permission = Permission::default();
    reader.object(MEMBERS, |reader, name| {
        match name {
            "description" => permission.description = reader.string()?,
            "implied_by" => permission.implied_by = strings(reader)?,
            "excluded_by" => permission.excluded_by = strings(reader)?,
            "requires" => permission.requires = strings(reader)?,
            "works_when_inactive" => permission.works_when_inactive = reader.boolean()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(permission)
}

/// Takes the members that say when an object counts.
fn life(reader: &mut Reader<'_>, name: &str, life: &mut Life) -> Parsed<bool> {
    match name {
        "active" => life.active = reader.boolean()?,
        "not_before" => life.not_before = reader.optional(time)?,
        "expires_at" => life.expires_at = reader.optional(time)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn time(reader: &mut Reader<'_>) -> Parsed<i64> {
    let at = reader.offset();
    let text = reader.text("a time as a string")?;
    parse_exact_time(&text).map_err(|why| Fault { at, message: format!("{} {why}", quoted(&text)) })
}

fn subject(reader: &mut Reader<'_>) -> Parsed<Subject> {
    const MEMBERS: &[&str] = &["id", "aliases", "attributes", "active", "not_before", "expires_at"];
    let start = reader.offset();
    let mut subject = Subject::default();
    let mut id = None;
    reader.object(MEMBERS, |reader, name| {
        match name {
            "id" => id = Some(reader.string()?),
            "aliases" => subject.aliases = strings(reader)?,
            "attributes" => subject.attributes = map(reader, Reader::string)?,
            _ => return life(reader, name, &mut subject.life),
        }
        Ok(true)
    })?;
    subject.id = required(start, id, "id")?;
    Ok(subject)
}

fn membership(reader: &mut Reader<'_>) -> Parsed<Membership> {
    const MEMBERS: &[&str] = &["subject", "group", "active", "not_before", "expires_at"];
    let start = reader.offset();
    let (mut subject, mut group, mut when) = (None, None, Life::default());
    reader.object(MEMBERS, |reader, name| {
        match name {
            "subject" => subject = Some(reader.string()?),
            "group" => group = Some(reader.string()?),
            _ => return life(reader, name, &mut when),
        }
        Ok(true)
    })?;
    Ok(Membership {
        subject: required(start, subject, "subject")?,
        group: required(start, group, "group")?,
        life: when,
    })
}

fn resource(reader: &mut Reader<'_>) -> Parsed<Resource> {
    const MEMBERS: &[&str] =
        &["type", "id", "parents", "owner", "attributes", "active", "not_before", "expires_at"];
    let start = reader.offset();
    let (mut kind, mut id, mut when) = (None, None, Life::default());
    let (mut parents, mut owner, mut attributes) = (Vec::new(), None, BTreeMap::new());
    reader.object(MEMBERS, |reader, name| {
        match name {
            "type" => kind = Some(reader.string()?),
            "id" => id = Some(reader.string()?),
            "parents" => parents = reader.list(parent)?,
            "owner" => owner = reader.optional(Reader::string)?,
            "attributes" => attributes = map(reader, Reader::string)?,
            _ => return life(reader, name, &mut when),
        }
        Ok(true)
    })?;
    let at = ResourceRef { kind: required(start, kind, "type")?, id: required(start, id, "id")? };
    Ok(Resource { at, parents, owner, attributes, life: when })
}

fn parent(reader: &mut Reader<'_>) -> Parsed<Parent> {
    let start = reader.offset();
    let (mut kind, mut id, mut by_reference, mut cap) = (None, None, false, None);
    reader.object(&["type", "id", "relation", "cap"], |reader, name| {
        match name {
            "type" => kind = Some(reader.string()?),
            "id" => id = Some(reader.string()?),
            "relation" => by_reference = relation(reader)?,
            "cap" => {
                let at = reader.offset();
                cap = reader.optional(strings)?.map(|actions| (at, actions));
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let at = ResourceRef { kind: required(start, kind, "type")?, id: required(start, id, "id")? };
    match (by_reference, cap) {
        (true, cap) => Ok(Parent { at, cap: Some(cap.map(|(_, actions)| actions).unwrap_or_default()) }),
        (false, None) => Ok(Parent { at, cap: None }),
        (false, Some((at, _))) => {
            let message = "a cap belongs to the relation `ref`; set `relation` to it or remove `cap`".into();
            Err(Fault { at, message })
        }
    }
}

/// True for `ref`.
fn relation(reader: &mut Reader<'_>) -> Parsed<bool> {
    let at = reader.offset();
    match &*reader.text("`auto` or `ref`")? {
        "auto" => Ok(false),
        "ref" => Ok(true),
        other => Err(Fault { at, message: format!("expected `auto` or `ref`, found {}", quoted(other)) }),
    }
}

fn role(reader: &mut Reader<'_>) -> Parsed<Role> {
    let start = reader.offset();
    let (mut id, mut label, mut permissions, mut active) = (None, String::new(), Vec::new(), true);
    reader.object(&["id", "name", "permissions", "active"], |reader, name| {
        match name {
            "id" => id = Some(reader.string()?),
            "name" => label = reader.string()?,
            "permissions" => permissions = strings(reader)?,
            "active" => active = reader.boolean()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Role { id: required(start, id, "id")?, name: label, permissions, active })
}

fn assignment(reader: &mut Reader<'_>) -> Parsed<Assignment> {
    const MEMBERS: &[&str] = &["subject", "role", "at", "active", "not_before", "expires_at"];
    let start = reader.offset();
    let (mut subject, mut role, mut at, mut when) = (None, None, None, Life::default());
    reader.object(MEMBERS, |reader, name| {
        match name {
            "subject" => subject = Some(reader.string()?),
            "role" => role = Some(reader.string()?),
            "at" => at = reader.optional(place)?,
            _ => return life(reader, name, &mut when),
        }
        Ok(true)
    })?;
    let (subject, role) = (required(start, subject, "subject")?, required(start, role, "role")?);
    Ok(Assignment { subject, role, at, life: when })
}

fn place(reader: &mut Reader<'_>) -> Parsed<ResourceRef> {
    let start = reader.offset();
    let (mut kind, mut id) = (None, None);
    reader.object(&["type", "id"], |reader, name| {
        match name {
            "type" => kind = Some(reader.string()?),
            "id" => id = Some(reader.string()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(ResourceRef { kind: required(start, kind, "type")?, id: required(start, id, "id")? })
}

fn grant(reader: &mut Reader<'_>) -> Parsed<Grant> {
    const MEMBERS: &[&str] = &[
        "subject",
        "effect",
        "permissions",
        "at",
        "where",
        "require",
        "own",
        "session",
        "active",
        "not_before",
        "expires_at",
    ];
    let start = reader.offset();
    let mut grant = Grant::default();
    let (mut subject, mut given) = (None, None);
    reader.object(MEMBERS, |reader, name| {
        match name {
            "subject" => subject = Some(reader.string()?),
            "effect" => given = Some(effect(reader)?),
            "permissions" => grant.permissions = strings(reader)?,
            "at" => grant.at = reader.optional(place)?,
            "where" => grant.conditions = map(reader, Reader::string)?,
            "require" => grant.require = map(reader, Reader::string)?,
            "own" => grant.own = reader.boolean()?,
            "session" => grant.session = reader.optional(Reader::string)?,
            _ => return life(reader, name, &mut grant.life),
        }
        Ok(true)
    })?;
    grant.subject = required(start, subject, "subject")?;
    // No default: what is missing never becomes an allow.
    grant.effect = required(start, given, "effect")?;
    Ok(grant)
}

fn effect(reader: &mut Reader<'_>) -> Parsed<Effect> {
    let at = reader.offset();
    match &*reader.text("`allow` or `exclude`")? {
        "allow" => Ok(Effect::Allow),
        "exclude" => Ok(Effect::Exclude),
        other => {
            Err(Fault { at, message: format!("expected `allow` or `exclude`, found {}", quoted(other)) })
        }
    }
}
