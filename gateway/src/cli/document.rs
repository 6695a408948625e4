//! A world document written fact by fact as rows arrive: one fact a line, members in the order of `docs/semantics.md`,
//! defaults left out. The text is that of `World::to_json` for the same facts in the same order, which a test holds to.

use crate::store::StoreError;
use crate::store::facts::{AssignmentFact, FactSink, GrantFact, PermissionFact, ResourceFact, SubjectFact};
use postern_world::{Life, format_time};
use std::io::{self, Write};

/// The lists of a document, in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Types,
    Permissions,
    Subjects,
    Memberships,
    Resources,
    Roles,
    Assignments,
    Grants,
    End,
}

const SECTIONS: [Section; 9] = [
    Section::Types,
    Section::Permissions,
    Section::Subjects,
    Section::Memberships,
    Section::Resources,
    Section::Roles,
    Section::Assignments,
    Section::Grants,
    Section::End,
];

impl Section {
    /// What stands between the list before and this one.
    fn opening(self) -> &'static str {
        match self {
            Section::Types => "",
            Section::Permissions => "    \"permissions\": {",
            Section::Subjects => ",\n  \"subjects\": [",
            Section::Memberships => ",\n  \"memberships\": [",
            Section::Resources => ",\n  \"resources\": [",
            Section::Roles => ",\n  \"roles\": [",
            Section::Assignments => ",\n  \"assignments\": [",
            Section::Grants => ",\n  \"grants\": [",
            Section::End => "\n}\n",
        }
    }

    /// What ends it.
    fn closing(self, empty: bool) -> &'static str {
        match (self, empty) {
            (Section::Types, true) => "},\n",
            (Section::Types, false) => "\n    },\n",
            (Section::Permissions, true) => "}\n  }",
            (Section::Permissions, false) => "\n    }\n  }",
            (Section::End, _) => "",
            (_, true) => "]",
            (_, false) => "\n  ]",
        }
    }

    fn indent(self) -> &'static str {
        if self < Section::Subjects { "      " } else { "    " }
    }
}

/// The document under way.
pub struct Document<W: Write> {
    out: W,
    // One fact, written in pieces; passed on whole.
    line: Vec<u8>,
    section: Section,
    empty: bool,
    // What follows the edges of the last resource.
    after_edges: Vec<u8>,
    edges: usize,
}

impl<W: Write> Document<W> {
    /// Nothing is written before the first fact.
    pub fn new(out: W) -> Self {
        Document {
            out,
            line: Vec::new(),
            section: Section::Types,
            empty: true,
            after_edges: Vec::new(),
            edges: 0,
        }
    }

    /// Ends the document; what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.enter(Section::End)?;
        Ok(self.out)
    }

    /// Ends the lists before a section, and begins those up to it.
    fn enter(&mut self, section: Section) -> io::Result<()> {
        if self.section == section {
            return Ok(());
        }
        self.end_resource()?;
        for next in
            SECTIONS.into_iter().filter(|next| self.section < *next && *next <= section).collect::<Vec<_>>()
        {
            self.out.write_all(self.section.closing(self.empty).as_bytes())?;
            self.out.write_all(next.opening().as_bytes())?;
            self.section = next;
            self.empty = true;
        }
        Ok(())
    }

    /// Begins a fact on a line of its own.
    fn begin_fact(&mut self, section: Section) -> io::Result<()> {
        self.enter(section)?;
        self.end_resource()?;
        self.line.clear();
        self.line.extend_from_slice(if self.empty { b"\n" } else { b",\n" });
        self.line.extend_from_slice(section.indent().as_bytes());
        self.empty = false;
        Ok(())
    }

    fn end_fact(&mut self) -> Result<(), StoreError> {
        self.line.push(b'}');
        Ok(self.out.write_all(&self.line)?)
    }

    /// A resource is passed on when no further edge of it can come.
    fn end_resource(&mut self) -> io::Result<()> {
        if self.after_edges.is_empty() {
            return Ok(());
        }
        if self.edges > 0 {
            self.line.push(b']');
        }
        self.line.append(&mut self.after_edges);
        self.edges = 0;
        self.out.write_all(&self.line)
    }
}

impl<W: Write> FactSink for Document<W> {
    fn begin(&mut self, organization: &str, revision: u64) -> Result<(), StoreError> {
        self.line.extend_from_slice(b"{\n  \"format\": \"postern-world/1\",\n  \"organization\": ");
        string(&mut self.line, organization);
        write!(self.line, ",\n  \"revision\": {revision},\n  \"catalog\": {{\n    \"types\": {{")?;
        Ok(self.out.write_all(&self.line)?)
    }

    fn resource_type(&mut self, name: &str, flags: [bool; 3], owner: &[&str]) -> Result<(), StoreError> {
        self.begin_fact(Section::Types)?;
        string(&mut self.line, name);
        self.line.extend_from_slice(b": ");
        let mut object = Object::open(&mut self.line);
        object.flag("scope", flags[0], false);
        object.flag("narrows", flags[1], false);
        object.flag("registered", flags[2], true);
        object.list("owner_permissions", owner);
        self.end_fact()
    }

    fn permission(&mut self, fact: &PermissionFact<'_>) -> Result<(), StoreError> {
        self.begin_fact(Section::Permissions)?;
        string(&mut self.line, fact.key);
        self.line.extend_from_slice(b": ");
        let mut object = Object::open(&mut self.line);
        if !fact.description.is_empty() {
            object.text("description", fact.description);
        }
        object.list("implied_by", fact.implied_by);
        object.list("excluded_by", fact.excluded_by);
        object.list("requires", fact.requires);
        object.flag("works_when_inactive", fact.works_when_inactive, false);
        self.end_fact()
    }

    fn subject(&mut self, fact: &SubjectFact<'_>) -> Result<(), StoreError> {
        self.begin_fact(Section::Subjects)?;
        let mut object = Object::open(&mut self.line);
        object.text("id", fact.id);
        object.list("aliases", fact.aliases);
        object.map("attributes", fact.attributes);
        object.life(fact.life);
        self.end_fact()
    }

    fn membership(&mut self, subject: &str, group: &str, life: Life) -> Result<(), StoreError> {
        self.begin_fact(Section::Memberships)?;
        let mut object = Object::open(&mut self.line);
        object.text("subject", subject);
        object.text("group", group);
        object.life(life);
        self.end_fact()
    }

    fn resource(&mut self, fact: &ResourceFact<'_>) -> Result<(), StoreError> {
        self.begin_fact(Section::Resources)?;
        let mut object = Object::open(&mut self.line);
        object.text("type", fact.kind);
        object.text("id", fact.id);
        let mut object = Object { out: &mut self.after_edges, empty: false };
        if let Some(owner) = fact.owner {
            object.text("owner", owner);
        }
        object.map("attributes", fact.attributes);
        object.life(fact.life);
        self.after_edges.push(b'}');
        Ok(())
    }

    fn parent(
        &mut self,
        _child: (&str, &str),
        parent: (&str, &str),
        cap: Option<&[&str]>,
    ) -> Result<(), StoreError> {
        self.line.extend_from_slice(if self.edges == 0 { b", \"parents\": [" } else { b", " });
        self.edges += 1;
        let mut object = Object::open(&mut self.line);
        object.text("type", parent.0);
        object.text("id", parent.1);
        if let Some(cap) = cap {
            object.text("relation", "ref");
            object.list("cap", cap);
        }
        self.line.push(b'}');
        Ok(())
    }

    fn role(&mut self, id: &str, name: &str, permissions: &[&str], active: bool) -> Result<(), StoreError> {
        self.begin_fact(Section::Roles)?;
        let mut object = Object::open(&mut self.line);
        object.text("id", id);
        object.text("name", name);
        // Written also when empty: an empty role is legal and matters.
        object.strings("permissions", permissions);
        object.flag("active", active, true);
        self.end_fact()
    }

    fn assignment(&mut self, fact: &AssignmentFact<'_>) -> Result<(), StoreError> {
        self.begin_fact(Section::Assignments)?;
        let mut object = Object::open(&mut self.line);
        object.text("subject", fact.subject);
        object.text("role", fact.role);
        object.place(fact.at);
        object.life(fact.life);
        self.end_fact()
    }

    fn grant(&mut self, fact: &GrantFact<'_>) -> Result<(), StoreError> {
        self.begin_fact(Section::Grants)?;
        let mut object = Object::open(&mut self.line);
        object.text("subject", fact.subject);
        object.text("effect", if fact.exclude { "exclude" } else { "allow" });
        object.strings("permissions", fact.permissions);
        object.place(fact.at);
        object.map("where", fact.conditions);
        object.map("require", fact.require);
        object.flag("own", fact.own, false);
        if let Some(session) = fact.session {
            object.text("session", session);
        }
        object.life(fact.life);
        self.end_fact()
    }
}

/// An object on one line, whose closing brace the caller writes.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Object { out, empty: true }
    }

    fn member(&mut self, name: &str) {
        if !self.empty {
            self.out.extend_from_slice(b", ");
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\": ");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.member(name);
        string(self.out, value);
    }

    fn flag(&mut self, name: &str, value: bool, default: bool) {
        if value != default {
            self.member(name);
            self.out.extend_from_slice(if value { b"true" } else { b"false" });
        }
    }

    fn strings(&mut self, name: &str, values: &[&str]) {
        self.member(name);
        self.out.push(b'[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.out.extend_from_slice(b", ");
            }
            string(self.out, value);
        }
        self.out.push(b']');
    }

    /// Left out when empty.
    fn list(&mut self, name: &str, values: &[&str]) {
        if !values.is_empty() {
            self.strings(name, values);
        }
    }

    fn map(&mut self, name: &str, entries: &[(&str, &str)]) {
        if entries.is_empty() {
            return;
        }
        self.member(name);
        let mut object = Object::open(self.out);
        for (name, value) in entries {
            if !object.empty {
                object.out.extend_from_slice(b", ");
            }
            object.empty = false;
            string(object.out, name);
            object.out.extend_from_slice(b": ");
            string(object.out, value);
        }
        self.out.push(b'}');
    }

    fn place(&mut self, at: Option<(&str, &str)>) {
        if let Some((kind, id)) = at {
            self.member("at");
            let mut object = Object::open(self.out);
            object.text("type", kind);
            object.text("id", id);
            self.out.push(b'}');
        }
    }

    fn life(&mut self, life: Life) {
        self.flag("active", life.active, true);
        for (name, micros) in [("not_before", life.not_before), ("expires_at", life.expires_at)] {
            if let Some(micros) = micros {
                self.text(name, &format_time(micros));
            }
        }
    }
}

/// A JSON string. Only what must be escaped is.
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        plain = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}
