//! From a [`World`] to JSON: one fact a line, members in the order of `docs/semantics.md`, defaults left out. The same
//! world always gives the same text, so that two exports can be compared by lines.

use crate::parse::FORMAT;
use crate::{
    Assignment, Effect, Grant, Life, Membership, Op, Parent, Permission, Query, Resource, ResourceRef,
    ResourceType, Role, Subject, World, format_time,
};
use std::collections::BTreeMap;
use std::io::{self, Write};

impl World {
    /// The document of this world; [`World::parse`] reads it back as it is.
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out)
            .unwrap_or_else(|error| unreachable!("writing to memory cannot fail: {error}"));
        String::from_utf8(out).unwrap_or_else(|error| unreachable!("only strings are written: {error}"))
    }

    /// Writes the document of this world, without holding all of it in memory. `out` should be buffered.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, mut out: impl Write) -> io::Result<()> {
        let out: &mut dyn Write = &mut out;
        write!(out, "{{\n  \"format\": \"{FORMAT}\",\n  \"organization\": ")?;
        string(out, &self.organization)?;
        write!(out, ",\n  \"revision\": {},\n  \"catalog\": {{\n    \"types\": {{", self.revision)?;
        lines(out, "      ", self.catalog.types.iter(), |out, (name, kind)| {
            string(out, name)?;
            out.write_all(b": ")?;
            resource_type(out, kind)
        })?;
        out.write_all(if self.catalog.types.is_empty() { b"},\n" } else { b"\n    },\n" })?;
        out.write_all(b"    \"permissions\": {")?;
        lines(out, "      ", self.catalog.permissions.iter(), |out, (key, facts)| {
            string(out, key)?;
            out.write_all(b": ")?;
            permission(out, facts)
        })?;
        out.write_all(if self.catalog.permissions.is_empty() { b"}\n  }" } else { b"\n    }\n  }" })?;
        facts(out, "subjects", &self.subjects, subject)?;
        facts(out, "memberships", &self.memberships, membership)?;
        facts(out, "resources", &self.resources, resource)?;
        facts(out, "roles", &self.roles, role)?;
        facts(out, "assignments", &self.assignments, assignment)?;
        facts(out, "grants", &self.grants, grant)?;
        out.write_all(b"\n}\n")
    }
}

impl Query {
    /// This query as a line of a query file, without the newline; [`parse_query`](crate::parse_query) reads it back
    /// as it is.
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        query(&mut out, self).unwrap_or_else(|error| unreachable!("writing to memory cannot fail: {error}"));
        String::from_utf8(out).unwrap_or_else(|error| unreachable!("only strings are written: {error}"))
    }
}

fn query(out: &mut dyn Write, query: &Query) -> io::Result<()> {
    let mut object = Object::open(out)?;
    if query.op != Op::Check {
        object.text("op", query.op.as_str())?;
    }
    for (name, value) in
        [("subject", &query.subject), ("permission", &query.permission), ("type", &query.kind)]
    {
        if !value.is_empty() {
            object.text(name, value)?;
        }
    }
    object.place("resource", query.resource.as_ref())?;
    if !query.parents.is_empty() {
        let out = object.member("in")?;
        array(out, &query.parents, place)?;
    }
    object.optional("owner", query.owner.as_deref())?;
    object.map("where", &query.dimensions)?;
    object.optional("session", query.session.as_deref())?;
    object.time("now", query.now)?;
    object.close()
}

/// `,` and a line for each item, the first without the comma.
fn lines<T>(
    out: &mut dyn Write,
    indent: &str,
    items: impl Iterator<Item = T>,
    mut item: impl FnMut(&mut dyn Write, T) -> io::Result<()>,
) -> io::Result<()> {
    for (index, value) in items.enumerate() {
        write!(out, "{}\n{indent}", if index == 0 { "" } else { "," })?;
        item(out, value)?;
    }
    Ok(())
}

/// One of the document's lists.
fn facts<T>(
    out: &mut dyn Write,
    name: &str,
    list: &[T],
    fact: impl Fn(&mut dyn Write, &T) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, ",\n  \"{name}\": [")?;
    lines(out, "    ", list.iter(), fact)?;
    out.write_all(if list.is_empty() { b"]" } else { b"\n  ]" })
}

/// An object on one line, whose members are written one after the other.
struct Object<'o> {
    out: &'o mut dyn Write,
    empty: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut dyn Write) -> io::Result<Self> {
        out.write_all(b"{")?;
        Ok(Object { out, empty: true })
    }

    fn close(self) -> io::Result<()> {
        self.out.write_all(b"}")
    }

    /// Begins a member; the caller writes its value.
    fn member(&mut self, name: &str) -> io::Result<&mut dyn Write> {
        write!(self.out, "{}\"{name}\": ", if self.empty { "" } else { ", " })?;
        self.empty = false;
        Ok(&mut *self.out)
    }

    fn text(&mut self, name: &str, value: &str) -> io::Result<()> {
        string(self.member(name)?, value)
    }

    fn optional(&mut self, name: &str, value: Option<&str>) -> io::Result<()> {
        value.map_or(Ok(()), |value| self.text(name, value))
    }

    fn flag(&mut self, name: &str, value: bool, default: bool) -> io::Result<()> {
        if value == default {
            return Ok(());
        }
        write!(self.member(name)?, "{value}")
    }

    fn texts(&mut self, name: &str, values: &[String]) -> io::Result<()> {
        match values.is_empty() {
            true => Ok(()),
            false => strings(self.member(name)?, values),
        }
    }

    fn map(&mut self, name: &str, values: &BTreeMap<String, String>) -> io::Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        let out = self.member(name)?;
        out.write_all(b"{")?;
        for (index, (key, value)) in values.iter().enumerate() {
            out.write_all(if index == 0 { b"" } else { b", " })?;
            string(out, key)?;
            out.write_all(b": ")?;
            string(out, value)?;
        }
        out.write_all(b"}")
    }

    fn place(&mut self, name: &str, at: Option<&ResourceRef>) -> io::Result<()> {
        match at {
            None => Ok(()),
            Some(at) => place(self.member(name)?, at),
        }
    }

    fn time(&mut self, name: &str, micros: Option<i64>) -> io::Result<()> {
        match micros {
            None => Ok(()),
            Some(micros) => self.text(name, &format_time(micros)),
        }
    }

    fn life(&mut self, life: &Life) -> io::Result<()> {
        self.flag("active", life.active, true)?;
        self.time("not_before", life.not_before)?;
        self.time("expires_at", life.expires_at)
    }
}

fn resource_type(out: &mut dyn Write, kind: &ResourceType) -> io::Result<()> {
    let mut object = Object::open(out)?;
    object.flag("scope", kind.scope, false)?;
    object.flag("narrows", kind.narrows, false)?;
    object.flag("registered", kind.registered, true)?;
    object.texts("owner_permissions", &kind.owner_permissions)?;
    object.close()
}

fn permission(out: &mut dyn Write, permission: &Permission) -> io::Result<()> {
    let mut object = Object::open(out)?;
    if !permission.description.is_empty() {
        object.text("description", &permission.description)?;
    }
    object.texts("implied_by", &permission.implied_by)?;
    object.texts("excluded_by", &permission.excluded_by)?;
    object.texts("requires", &permission.requires)?;
    object.flag("works_when_inactive", permission.works_when_inactive, false)?;
    object.close()
}

fn subject(out: &mut dyn Write, subject: &Subject) -> io::Result<()> {
    let mut object = Object::open(out)?;
    object.text("id", &subject.id)?;
    object.texts("aliases", &subject.aliases)?;
    object.map("attributes", &subject.attributes)?;
    object.life(&subject.life)?;
    object.close()
}

fn membership(out: &mut dyn Write, membership: &Membership) -> io::Result<()> {
    let mut object = Object::open(out)?;
    object.text("subject", &membership.subject)?;
    object.text("group", &membership.group)?;
    object.life(&membership.life)?;
    object.close()
}

fn resource(out: &mut dyn Write, resource: &Resource) -> io::Result<()> {
    let mut object = Object::open(out)?;
    object.text("type", &resource.at.kind)?;
    object.text("id", &resource.at.id)?;
    if !resource.parents.is_empty() {
        array(object.member("parents")?, &resource.parents, parent)?;
    }
    object.optional("owner", resource.owner.as_deref())?;
    object.map("attributes", &resource.attributes)?;
    object.life(&resource.life)?;
    object.close()
}

fn parent(out: &mut dyn Write, parent: &Parent) -> io::Result<()> {
    let mut object = Object::open(out)?;
    object.text("type", &parent.at.kind)?;
    object.text("id", &parent.at.id)?;
    if let Some(cap) = &parent.cap {
        object.text("relation", "ref")?;
        object.texts("cap", cap)?;
    }
    object.close()
}

fn role(out: &mut dyn Write, role: &Role) -> io::Result<()> {
    let mut object = Object::open(out)?;
    object.text("id", &role.id)?;
    object.text("name", &role.name)?;
    // Written also when empty: an empty role is legal and matters.
    strings(object.member("permissions")?, &role.permissions)?;
    object.flag("active", role.active, true)?;
    object.close()
}

fn assignment(out: &mut dyn Write, assignment: &Assignment) -> io::Result<()> {
    let mut object = Object::open(out)?;
    object.text("subject", &assignment.subject)?;
    object.text("role", &assignment.role)?;
    object.place("at", assignment.at.as_ref())?;
    object.life(&assignment.life)?;
    object.close()
}

fn grant(out: &mut dyn Write, grant: &Grant) -> io::Result<()> {
    let mut object = Object::open(out)?;
    object.text("subject", &grant.subject)?;
    // Written always: whether a grant gives or takes should not have to be known by heart.
    object.text("effect", if grant.effect == Effect::Allow { "allow" } else { "exclude" })?;
    strings(object.member("permissions")?, &grant.permissions)?;
    object.place("at", grant.at.as_ref())?;
    object.map("where", &grant.conditions)?;
    object.map("require", &grant.require)?;
    object.flag("own", grant.own, false)?;
    object.optional("session", grant.session.as_deref())?;
    object.life(&grant.life)?;
    object.close()
}

fn place(out: &mut dyn Write, at: &ResourceRef) -> io::Result<()> {
    let mut object = Object::open(out)?;
    object.text("type", &at.kind)?;
    object.text("id", &at.id)?;
    object.close()
}

fn array<T>(
    out: &mut dyn Write,
    items: &[T],
    item: impl Fn(&mut dyn Write, &T) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"[")?;
    for (index, value) in items.iter().enumerate() {
        out.write_all(if index == 0 { b"" } else { b", " })?;
        item(out, value)?;
    }
    out.write_all(b"]")
}

fn strings(out: &mut dyn Write, values: &[String]) -> io::Result<()> {
    array(out, values, |out, value| string(out, value))
}

/// Writes a JSON string. Only what must be escaped is.
fn string(out: &mut dyn Write, text: &str) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_all(&text.as_bytes()[plain..at])?;
        match byte {
            b'"' | b'\\' => out.write_all(&[b'\\', byte])?,
            b'\n' => out.write_all(b"\\n")?,
            b'\t' => out.write_all(b"\\t")?,
            _ => write!(out, "\\u{byte:04x}")?,
        }
        plain = at + 1;
    }
    out.write_all(&text.as_bytes()[plain..])?;
    out.write_all(b"\"")
}
