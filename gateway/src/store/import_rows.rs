//! The rows of a world document, each fact once.

use super::StoreError;
use super::copy::{CopyIn, PutField};
use super::import::ImportError;
use postern_vocab::split_subject;
use postern_world::{Assignment, Effect, Grant, Life, ResourceRef, World};
use sqlx::PgConnection;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// As the domain `fact_text` of the migrations says.
const ID_BYTES_MAX: usize = 512;

/// What will be written.
pub(super) struct Rows<'w> {
    world: &'w World,
    /// The groups' aliases: a membership, assignment or grant that names one is stored under the group's own id, which
    /// a foreign key ties.
    groups: HashMap<String, &'w str>,
}

impl<'w> Rows<'w> {
    /// Checks that the database can hold the document.
    pub fn collect(world: &'w World) -> Result<Self, ImportError> {
        check_texts(world)?;
        let mut groups = HashMap::new();
        for subject in world.subjects.iter().filter(|subject| subject.id.starts_with("group:")) {
            for alias in &subject.aliases {
                groups.insert(format!("group:{alias}"), subject.id.as_str());
            }
        }
        Ok(Rows { world, groups })
    }

    /// Writes them all; how many they were.
    pub async fn write(&self, connection: &mut PgConnection) -> Result<u64, StoreError> {
        Ok(self.write_catalog(connection).await?
            + self.write_subjects(connection).await?
            + self.write_resources(connection).await?
            + self.write_roles(connection).await?
            + self.write_grants(connection).await?)
    }

    fn named<'s>(&'s self, subject: &'s str) -> &'s str {
        if subject.starts_with("group:") {
            self.groups.get(subject).copied().unwrap_or(subject)
        } else {
            subject
        }
    }

    fn order<'s>(&'s self, row: &'s Assignment) -> (&'s str, &'s str, Option<&'s ResourceRef>, Lifetime) {
        (self.named(&row.subject), &row.role, row.at.as_ref(), lifetime(row.life))
    }

    async fn write_catalog(&self, connection: &mut PgConnection) -> Result<u64, StoreError> {
        let organization = self.world.organization.as_bytes();
        let catalog = &self.world.catalog;
        let statement = "COPY resource_types (organization_id, resource_type, scope, narrows, registered)
            FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for (name, kind) in &catalog.types {
            let row = copy.row(5).await?;
            row.put(organization);
            row.put(name.as_bytes());
            row.put_boolean(kind.scope);
            row.put_boolean(kind.narrows);
            row.put_boolean(kind.registered);
        }
        let mut written = copy.finish().await?;

        let statement = "COPY permissions (organization_id, permission_key, description, works_when_inactive)
            FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for (key, permission) in &catalog.permissions {
            let row = copy.row(4).await?;
            row.put(organization);
            row.put(key.as_bytes());
            row.put(permission.description.as_bytes());
            row.put_boolean(permission.works_when_inactive);
        }
        written += copy.finish().await?;

        let statement = "COPY permission_links (organization_id, permission_key, relation, other_key)
            FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for (key, permission) in &catalog.permissions {
            let lists = [
                ("implied_by", &permission.implied_by),
                ("excluded_by", &permission.excluded_by),
                ("requires", &permission.requires),
            ];
            for (relation, list) in lists {
                for other in once(list) {
                    let row = copy.row(4).await?;
                    row.put(organization);
                    row.put(key.as_bytes());
                    row.put(relation.as_bytes());
                    row.put(other.as_bytes());
                }
            }
        }
        written += copy.finish().await?;

        let statement = "COPY owner_permissions (organization_id, resource_type, permission)
            FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for (name, kind) in &catalog.types {
            for permission in once(&kind.owner_permissions) {
                let row = copy.row(3).await?;
                row.put(organization);
                row.put(name.as_bytes());
                row.put(permission.as_bytes());
            }
        }
        Ok(written + copy.finish().await?)
    }

    async fn write_subjects(&self, connection: &mut PgConnection) -> Result<u64, StoreError> {
        let organization = self.world.organization.as_bytes();
        let statement =
            "COPY subjects (organization_id, subject_id, attributes, active, not_before, expires_at)
            FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for subject in &self.world.subjects {
            let row = copy.row(6).await?;
            row.put(organization);
            row.put(subject.id.as_bytes());
            row.put_json(&json(&subject.attributes)?);
            row.put_life(subject.life);
        }
        let mut written = copy.finish().await?;

        let statement =
            "COPY subject_aliases (organization_id, alias_id, subject_id) FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for subject in &self.world.subjects {
            let kind = split_subject(&subject.id).map_or("", |(kind, _)| kind);
            for alias in once(&subject.aliases) {
                let row = copy.row(3).await?;
                row.put(organization);
                row.put(format!("{kind}:{alias}").as_bytes());
                row.put(subject.id.as_bytes());
            }
        }
        written += copy.finish().await?;

        let statement =
            "COPY memberships (organization_id, membership_id, subject_id, group_id, active, not_before,
            expires_at) FROM STDIN (FORMAT binary)";
        let mut distinct: Vec<(&str, &str, Lifetime)> = self
            .world
            .memberships
            .iter()
            .map(|row| (self.named(&row.subject), self.named(&row.group), lifetime(row.life)))
            .collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mut copy = CopyIn::begin(connection, statement).await?;
        for (subject, group, (active, not_before, expires_at)) in distinct {
            let row = copy.row(7).await?;
            row.put(organization);
            row.put(Uuid::now_v7().as_bytes());
            row.put(subject.as_bytes());
            row.put(group.as_bytes());
            row.put_life(Life { active, not_before, expires_at });
        }
        Ok(written + copy.finish().await?)
    }

    async fn write_resources(&self, connection: &mut PgConnection) -> Result<u64, StoreError> {
        let organization = self.world.organization.as_bytes();
        let statement =
            "COPY resources (organization_id, resource_type, resource_id, owner_id, attributes, active,
            not_before, expires_at) FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for resource in &self.world.resources {
            let row = copy.row(8).await?;
            row.put(organization);
            row.put(resource.at.kind.as_bytes());
            row.put(resource.at.id.as_bytes());
            row.put_optional(resource.owner.as_deref());
            row.put_json(&json(&resource.attributes)?);
            row.put_life(resource.life);
        }
        let written = copy.finish().await?;

        let statement = "COPY resource_parents (organization_id, resource_parent_id, child_type, child_id,
            parent_type, parent_id, relation, cap) FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for resource in &self.world.resources {
            let edges: BTreeSet<_> = resource
                .parents
                .iter()
                .map(|parent| (&parent.at, parent.cap.as_deref().map(sorted)))
                .collect();
            for (parent, cap) in edges {
                let row = copy.row(8).await?;
                row.put(organization);
                row.put(Uuid::now_v7().as_bytes());
                row.put(resource.at.kind.as_bytes());
                row.put(resource.at.id.as_bytes());
                row.put(parent.kind.as_bytes());
                row.put(parent.id.as_bytes());
                row.put(if cap.is_some() { b"ref" } else { b"auto" });
                row.put_texts(&cap.unwrap_or_default());
            }
        }
        Ok(written + copy.finish().await?)
    }

    async fn write_roles(&self, connection: &mut PgConnection) -> Result<u64, StoreError> {
        let organization = self.world.organization.as_bytes();
        let statement = "COPY roles (organization_id, role_id, name, active) FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for role in &self.world.roles {
            let row = copy.row(4).await?;
            row.put(organization);
            row.put(role.id.as_bytes());
            row.put(role.name.as_bytes());
            row.put_boolean(role.active);
        }
        let mut written = copy.finish().await?;

        let statement =
            "COPY role_permissions (organization_id, role_id, permission) FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for role in &self.world.roles {
            for permission in once(&role.permissions) {
                let row = copy.row(3).await?;
                row.put(organization);
                row.put(role.id.as_bytes());
                row.put(permission.as_bytes());
            }
        }
        written += copy.finish().await?;

        let statement =
            "COPY assignments (organization_id, assignment_id, subject_id, role_id, at_type, at_id,
            active, not_before, expires_at) FROM STDIN (FORMAT binary)";
        let mut distinct: Vec<&Assignment> = self.world.assignments.iter().collect();
        // In the order in which they will be read: the table is then read from its start to its end.
        distinct.sort_unstable_by(|a, b| self.order(a).cmp(&self.order(b)));
        distinct.dedup_by(|a, b| self.order(a) == self.order(b));
        let mut copy = CopyIn::begin(connection, statement).await?;
        for assignment in distinct {
            let row = copy.row(9).await?;
            row.put(organization);
            row.put(Uuid::now_v7().as_bytes());
            row.put(self.named(&assignment.subject).as_bytes());
            row.put(assignment.role.as_bytes());
            put_place(row, assignment.at.as_ref());
            row.put_life(assignment.life);
        }
        Ok(written + copy.finish().await?)
    }

    async fn write_grants(&self, connection: &mut PgConnection) -> Result<u64, StoreError> {
        let organization = self.world.organization.as_bytes();
        // The ids are made here: the permissions name them.
        let grants: Vec<(Uuid, &Grant)> =
            self.world.grants.iter().map(|grant| (Uuid::now_v7(), grant)).collect();
        let statement =
            "COPY grants (organization_id, grant_id, subject_id, effect, at_type, at_id, conditions,
            require, own, session_id, active, not_before, expires_at) FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for (id, grant) in &grants {
            let row = copy.row(13).await?;
            row.put(organization);
            row.put(id.as_bytes());
            row.put(self.named(&grant.subject).as_bytes());
            row.put(if grant.effect == Effect::Exclude { b"exclude" } else { b"allow" });
            put_place(row, grant.at.as_ref());
            row.put_json(&json(&grant.conditions)?);
            row.put_json(&json(&grant.require)?);
            row.put_boolean(grant.own);
            row.put_optional(grant.session.as_deref());
            row.put_life(grant.life);
        }
        let mut written = copy.finish().await?;

        let statement =
            "COPY grant_permissions (organization_id, grant_id, permission) FROM STDIN (FORMAT binary)";
        let mut copy = CopyIn::begin(connection, statement).await?;
        for (id, grant) in &grants {
            for permission in once(&grant.permissions) {
                let row = copy.row(3).await?;
                row.put(organization);
                row.put(id.as_bytes());
                row.put(permission.as_bytes());
            }
        }
        written += copy.finish().await?;
        Ok(written)
    }
}

/// A life that can be sorted and compared.
type Lifetime = (bool, Option<i64>, Option<i64>);

fn lifetime(life: Life) -> Lifetime {
    (life.active, life.not_before, life.expires_at)
}

fn put_place(row: &mut Vec<u8>, at: Option<&ResourceRef>) {
    row.put_optional(at.map(|at| at.kind.as_str()));
    row.put_optional(at.map(|at| at.id.as_str()));
}

/// Each entry of a list once, in byte order.
fn once(list: &[String]) -> BTreeSet<&str> {
    list.iter().map(String::as_str).collect()
}

fn sorted(list: &[String]) -> Vec<String> {
    once(list).into_iter().map(str::to_owned).collect()
}

fn json(dimensions: &BTreeMap<String, String>) -> Result<Cow<'static, str>, StoreError> {
    if dimensions.is_empty() {
        return Ok(Cow::Borrowed("{}"));
    }
    serde_json::to_string(dimensions)
        .map(Cow::Owned)
        .map_err(|error| StoreError::Inconsistent { table: "dimensions", what: error.to_string() })
}

/// The first text that the database cannot hold.
fn check_texts(world: &World) -> Result<(), ImportError> {
    let mut check = Check { path: String::new() };
    check.id("$.organization", &world.organization)?;
    for (name, kind) in &world.catalog.types {
        check.id("$.catalog.types", name)?;
        check.ids("$.catalog.types (owner_permissions)", &kind.owner_permissions)?;
    }
    for (key, permission) in &world.catalog.permissions {
        check.id("$.catalog.permissions", key)?;
        check.text("$.catalog.permissions (description)", &permission.description)?;
    }
    for (at, subject) in world.subjects.iter().enumerate() {
        check.list("subjects", at);
        check.id(".id", &subject.id)?;
        // Stored with its type.
        let kind = split_subject(&subject.id).map_or(0, |(kind, _)| kind.len() + 1);
        for alias in &subject.aliases {
            check.sized(".aliases", alias, ID_BYTES_MAX.saturating_sub(kind))?;
        }
        check.map(".attributes", &subject.attributes)?;
    }
    for (at, membership) in world.memberships.iter().enumerate() {
        check.list("memberships", at);
        check.id(".subject", &membership.subject)?;
        check.id(".group", &membership.group)?;
    }
    for (at, resource) in world.resources.iter().enumerate() {
        check.list("resources", at);
        check.id(".type", &resource.at.kind)?;
        check.id(".id", &resource.at.id)?;
        check.id(".owner", resource.owner.as_deref().unwrap_or_default())?;
        check.map(".attributes", &resource.attributes)?;
        for parent in &resource.parents {
            for action in parent.cap.iter().flatten() {
                check.text(".parents", action)?;
            }
        }
    }
    for (at, role) in world.roles.iter().enumerate() {
        check.list("roles", at);
        check.id(".id", &role.id)?;
        check.text(".name", &role.name)?;
        check.ids(".permissions", &role.permissions)?;
    }
    for (at, assignment) in world.assignments.iter().enumerate() {
        check.list("assignments", at);
        check.id(".subject", &assignment.subject)?;
        check.id(".at.id", assignment.at.as_ref().map_or("", |at| &at.id))?;
    }
    for (at, grant) in world.grants.iter().enumerate() {
        check.list("grants", at);
        check.id(".subject", &grant.subject)?;
        check.ids(".permissions", &grant.permissions)?;
        check.id(".at.id", grant.at.as_ref().map_or("", |at| &at.id))?;
        check.map(".where", &grant.conditions)?;
        check.map(".require", &grant.require)?;
        check.text(".session", grant.session.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

struct Check {
    /// `$.subjects[3]`, before the member.
    path: String,
}

impl Check {
    fn list(&mut self, name: &str, at: usize) {
        use std::fmt::Write;
        self.path.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.path, "$.{name}[{at}]");
    }

    fn refuse(&self, member: &str, what: &'static str) -> Result<(), ImportError> {
        Err(ImportError::Text { path: format!("{}{member}", self.path), what })
    }

    fn text(&self, member: &str, text: &str) -> Result<(), ImportError> {
        match text.contains('\0') {
            true => self.refuse(member, "Postgres holds no text with the character U+0000"),
            false => Ok(()),
        }
    }

    fn sized(&self, member: &str, id: &str, bytes_max: usize) -> Result<(), ImportError> {
        self.text(member, id)?;
        match id.len() > bytes_max {
            true => self.refuse(member, "longer than the 512 bytes that an id has in the database"),
            false => Ok(()),
        }
    }

    fn id(&self, member: &str, id: &str) -> Result<(), ImportError> {
        self.sized(member, id, ID_BYTES_MAX)
    }

    fn ids(&self, member: &str, ids: &[String]) -> Result<(), ImportError> {
        ids.iter().try_for_each(|id| self.id(member, id))
    }

    fn map(&self, member: &str, map: &BTreeMap<String, String>) -> Result<(), ImportError> {
        map.iter()
            .try_for_each(|(name, value)| self.text(member, name).and_then(|()| self.text(member, value)))
    }
}
