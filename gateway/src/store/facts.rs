//! All facts of one organization at one revision, streamed in a fixed order: that of a world document, each list
//! sorted by bytes. Nothing is gathered here, so memory does not grow with the organization.

use super::copy::{Fields, copy_out};
use super::{StoreError, heads, set_organization};
use postern_world::Life;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use sqlx::{Connection, PgConnection};
use std::borrow::Cow;

/// A permission of the catalog.
pub struct PermissionFact<'r> {
    /// `<type>:<action>`
    pub key: &'r str,
    /// For people.
    pub description: &'r str,
    /// Keys that satisfy this one too.
    pub implied_by: &'r [&'r str],
    /// Keys whose exclusion excludes this one too.
    pub excluded_by: &'r [&'r str],
    /// Checked when a role is saved.
    pub requires: &'r [&'r str],
    /// A resource that is not live does not deny it.
    pub works_when_inactive: bool,
}

/// A subject.
pub struct SubjectFact<'r> {
    /// `<type>:<id>`
    pub id: &'r str,
    /// Without the type.
    pub aliases: &'r [&'r str],
    /// Dimensions, sorted.
    pub attributes: &'r [(&'r str, &'r str)],
    /// When it counts.
    pub life: Life,
}

/// A resource; its edges follow.
pub struct ResourceFact<'r> {
    /// Its type.
    pub kind: &'r str,
    /// Its id.
    pub id: &'r str,
    /// The subject that owns it.
    pub owner: Option<&'r str>,
    /// Dimensions, sorted.
    pub attributes: &'r [(&'r str, &'r str)],
    /// When it counts.
    pub life: Life,
}

/// An assignment.
pub struct AssignmentFact<'r> {
    /// The holder.
    pub subject: &'r str,
    /// What it holds.
    pub role: &'r str,
    /// `None`: the whole organization.
    pub at: Option<(&'r str, &'r str)>,
    /// When it counts.
    pub life: Life,
}

/// A grant.
pub struct GrantFact<'r> {
    /// The holder.
    pub subject: &'r str,
    /// It takes instead of giving.
    pub exclude: bool,
    /// A permission list.
    pub permissions: &'r [&'r str],
    /// `None`: everywhere.
    pub at: Option<(&'r str, &'r str)>,
    /// Dimensions that must be equal where the query states them, sorted.
    pub conditions: &'r [(&'r str, &'r str)],
    /// Dimensions that must be present and equal, sorted.
    pub require: &'r [(&'r str, &'r str)],
    /// Only on what the subject owns.
    pub own: bool,
    /// Only in this session.
    pub session: Option<&'r str>,
    /// When it counts.
    pub life: Life,
}

/// Takes facts, in the order of these functions.
#[allow(missing_docs, reason = "each function takes the fact that it is named after")]
pub trait FactSink {
    fn begin(&mut self, organization: &str, revision: u64) -> Result<(), StoreError>;
    fn resource_type(&mut self, name: &str, flags: [bool; 3], owner: &[&str]) -> Result<(), StoreError>;
    fn permission(&mut self, fact: &PermissionFact<'_>) -> Result<(), StoreError>;
    fn subject(&mut self, fact: &SubjectFact<'_>) -> Result<(), StoreError>;
    fn membership(&mut self, subject: &str, group: &str, life: Life) -> Result<(), StoreError>;
    fn resource(&mut self, fact: &ResourceFact<'_>) -> Result<(), StoreError>;
    /// An edge of the last resource.
    fn parent(&mut self, parent: (&str, &str), cap: Option<&[&str]>) -> Result<(), StoreError>;
    fn role(&mut self, id: &str, name: &str, permissions: &[&str], active: bool) -> Result<(), StoreError>;
    fn assignment(&mut self, fact: &AssignmentFact<'_>) -> Result<(), StoreError>;
    fn grant(&mut self, fact: &GrantFact<'_>) -> Result<(), StoreError>;
}

/// Streams all facts of an organization, as of one moment, into `sink`; its revision. `None` where there is no such
/// organization, and then `sink` was given nothing.
pub async fn read(
    connection: &mut PgConnection,
    organization: &str,
    sink: &mut impl FactSink,
) -> Result<Option<(u64, String)>, StoreError> {
    // One snapshot of the database for all statements: the revision and the facts belong together.
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let Some(revision) = heads::revision(&mut transaction, organization).await? else {
        return Ok(None);
    };
    read_locked(&mut transaction, organization, revision, sink).await?;
    let epoch = heads::epoch(&mut transaction).await?;
    transaction.commit().await?;
    Ok(Some((revision, epoch)))
}

/// The same in a transaction that sees one moment already, because nobody else can write facts of the organization: it
/// holds the lock on the head, whose revision this is.
pub async fn read_locked(
    connection: &mut PgConnection,
    organization: &str,
    revision: u64,
    sink: &mut impl FactSink,
) -> Result<(), StoreError> {
    set_organization(connection, organization).await?;
    sink.begin(organization, revision)?;
    read_catalog(connection, sink).await?;
    read_subjects(connection, sink).await?;
    read_resources(connection, sink).await?;
    read_holdings(connection, sink).await
}

async fn read_catalog(connection: &mut PgConnection, sink: &mut impl FactSink) -> Result<(), StoreError> {
    let statement = "COPY (
        SELECT kind.resource_type, kind.scope, kind.narrows, kind.registered,
            ARRAY(SELECT permission::text FROM owner_permissions AS entry
                WHERE entry.organization_id = kind.organization_id AND entry.resource_type = kind.resource_type
                ORDER BY permission)
        FROM resource_types AS kind WHERE kind.organization_id = current_setting('postern.organization')
        ORDER BY kind.resource_type) TO STDOUT (FORMAT binary)";
    copy_out(connection, "resource_types", statement, |row| {
        let (name, flags) = (row.text()?, [row.boolean()?, row.boolean()?, row.boolean()?]);
        let mut owner = Vec::new();
        row.texts(&mut owner)?;
        sink.resource_type(name, flags, &owner)
    })
    .await?;
    let statement = "COPY (
        SELECT permission_key, description, works_when_inactive,
            ARRAY(SELECT other_key::text FROM permission_links AS link
                WHERE link.organization_id = permission.organization_id
                  AND link.permission_key = permission.permission_key AND relation = 'implied_by' ORDER BY other_key),
            ARRAY(SELECT other_key::text FROM permission_links AS link
                WHERE link.organization_id = permission.organization_id
                  AND link.permission_key = permission.permission_key AND relation = 'excluded_by' ORDER BY other_key),
            ARRAY(SELECT other_key::text FROM permission_links AS link
                WHERE link.organization_id = permission.organization_id
                  AND link.permission_key = permission.permission_key AND relation = 'requires' ORDER BY other_key)
        FROM permissions AS permission WHERE organization_id = current_setting('postern.organization')
        ORDER BY permission_key) TO STDOUT (FORMAT binary)";
    copy_out(connection, "permissions", statement, |row| {
        let (key, description, works_when_inactive) = (row.text()?, row.text()?, row.boolean()?);
        let (mut implied_by, mut excluded_by, mut requires) = (Vec::new(), Vec::new(), Vec::new());
        row.texts(&mut implied_by)?;
        row.texts(&mut excluded_by)?;
        row.texts(&mut requires)?;
        sink.permission(&PermissionFact {
            key,
            description,
            implied_by: &implied_by,
            excluded_by: &excluded_by,
            requires: &requires,
            works_when_inactive,
        })
    })
    .await
}

async fn read_subjects(connection: &mut PgConnection, sink: &mut impl FactSink) -> Result<(), StoreError> {
    let statement = "COPY (
        SELECT subject_id, attributes::text, active, not_before, expires_at, alias.list
        FROM subjects LEFT JOIN (
            SELECT subject_id, array_agg(substr(alias_id, strpos(alias_id, ':') + 1) ORDER BY alias_id) AS list
            FROM subject_aliases WHERE organization_id = current_setting('postern.organization')
            GROUP BY subject_id) AS alias USING (subject_id)
        WHERE organization_id = current_setting('postern.organization')
        ORDER BY subject_id) TO STDOUT (FORMAT binary)";
    copy_out(connection, "subjects", statement, |row| {
        let (id, attributes) = (row.text()?, dimensions("subjects", row.text()?)?);
        let life = row.life()?;
        let mut aliases = Vec::new();
        row.texts(&mut aliases)?;
        sink.subject(&SubjectFact { id, aliases: &aliases, attributes: &borrowed(&attributes), life })
    })
    .await?;
    let statement = "COPY (
        SELECT subject_id, group_id, active, not_before, expires_at FROM memberships
        WHERE organization_id = current_setting('postern.organization')
        ORDER BY subject_id, group_id, active, not_before, expires_at) TO STDOUT (FORMAT binary)";
    copy_out(connection, "memberships", statement, |row| {
        sink.membership(row.text()?, row.text()?, row.life()?)
    })
    .await
}

async fn read_resources(connection: &mut PgConnection, sink: &mut impl FactSink) -> Result<(), StoreError> {
    // A resource, then its edges: those have a relation.
    let statement = "COPY (
        SELECT resource_type AS type, resource_id AS id, NULL AS relation, NULL AS parent_type, NULL AS parent_id,
            NULL::text[] AS cap, owner_id, attributes::text, active, not_before, expires_at
        FROM resources WHERE organization_id = current_setting('postern.organization')
        UNION ALL
        SELECT child_type, child_id, relation, parent_type, parent_id, cap, NULL, NULL, NULL, NULL, NULL
        FROM resource_parents WHERE organization_id = current_setting('postern.organization')
        ORDER BY type, id, relation NULLS FIRST, parent_type, parent_id, cap) TO STDOUT (FORMAT binary)";
    copy_out(connection, "resources", statement, |row| {
        let (kind, id) = (row.text()?, row.text()?);
        if let Some(relation) = row.optional()? {
            let parent = (row.text()?, row.text()?);
            let mut cap = Vec::new();
            row.texts(&mut cap)?;
            row.nulls(5)?;
            return sink.parent(parent, (relation == "ref").then_some(&cap[..]));
        }
        row.nulls(3)?;
        let (owner, attributes) = (row.optional()?, dimensions("resources", row.text()?)?);
        let life = row.life()?;
        sink.resource(&ResourceFact { kind, id, owner, attributes: &borrowed(&attributes), life })
    })
    .await
}

async fn read_holdings(connection: &mut PgConnection, sink: &mut impl FactSink) -> Result<(), StoreError> {
    let statement = "COPY (
        SELECT role_id, name, active, ARRAY(SELECT permission::text FROM role_permissions AS entry
            WHERE entry.organization_id = role.organization_id AND entry.role_id = role.role_id ORDER BY permission)
        FROM roles AS role WHERE organization_id = current_setting('postern.organization')
        ORDER BY role_id) TO STDOUT (FORMAT binary)";
    copy_out(connection, "roles", statement, |row| {
        let (id, name, active) = (row.text()?, row.text()?, row.boolean()?);
        let mut permissions = Vec::new();
        row.texts(&mut permissions)?;
        sink.role(id, name, &permissions, active)
    })
    .await?;
    let statement = "COPY (
        SELECT subject_id, role_id, at_type, at_id, active, not_before, expires_at FROM assignments
        WHERE organization_id = current_setting('postern.organization')
        ORDER BY subject_id, role_id, at_type, at_id, active, not_before, expires_at) TO STDOUT (FORMAT binary)";
    copy_out(connection, "assignments", statement, |row| {
        let (subject, role) = (row.text()?, row.text()?);
        let at = row.optional()?.zip(row.optional()?);
        sink.assignment(&AssignmentFact { subject, role, at, life: row.life()? })
    })
    .await?;
    // Grants have ids of their own; the order is by content, so that two imports of one document export alike.
    let statement = "COPY (
        SELECT subject_id, effect, at_type, at_id, conditions::text, require::text, own, session_id,
            active, not_before, expires_at, entry.list
        FROM grants LEFT JOIN (
            SELECT grant_id, array_agg(permission::text ORDER BY permission) AS list
            FROM grant_permissions WHERE organization_id = current_setting('postern.organization')
            GROUP BY grant_id) AS entry USING (grant_id)
        WHERE organization_id = current_setting('postern.organization')
        ORDER BY subject_id, effect, at_type, at_id, entry.list, conditions::text COLLATE \"C\",
            require::text COLLATE \"C\", own, session_id, active, not_before, expires_at) TO STDOUT (FORMAT binary)";
    copy_out(connection, "grants", statement, |row| {
        let (subject, effect) = (row.text()?, row.text()?);
        let at = row.optional()?.zip(row.optional()?);
        let conditions = dimensions("grants", row.text()?)?;
        let require = dimensions("grants", row.text()?)?;
        let (own, session, life) = (row.boolean()?, row.optional()?, row.life()?);
        let mut permissions = Vec::new();
        row.texts(&mut permissions)?;
        sink.grant(&GrantFact {
            subject,
            exclude: effect == "exclude",
            permissions: &permissions,
            at,
            conditions: &borrowed(&conditions),
            require: &borrowed(&require),
            own,
            session,
            life,
        })
    })
    .await
}

impl Fields<'_> {
    /// Passes over fields that are NULL in rows of this kind.
    fn nulls(&mut self, count: usize) -> Result<(), StoreError> {
        for _ in 0..count {
            self.optional()?;
        }
        Ok(())
    }
}

/// A jsonb object of strings, its names sorted by bytes (jsonb sorts by length first).
struct Dimensions<'r>(Vec<(Cow<'r, str>, Cow<'r, str>)>);

fn dimensions<'r>(table: &'static str, text: &'r str) -> Result<Dimensions<'r>, StoreError> {
    // What nearly all rows have.
    if text == "{}" {
        return Ok(Dimensions(Vec::new()));
    }
    let mut read: Dimensions<'r> = serde_json::from_str(text)
        .map_err(|error| StoreError::Inconsistent { table, what: format!("dimensions `{text}`: {error}") })?;
    read.0.sort();
    Ok(read)
}

fn borrowed<'a>(dimensions: &'a Dimensions<'_>) -> Vec<(&'a str, &'a str)> {
    dimensions.0.iter().map(|(name, value)| (&**name, &**value)).collect()
}

impl<'de: 'r, 'r> Deserialize<'de> for Dimensions<'r> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Dimensions<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::new();
                while let Some((Text(name), Text(value))) = map.next_entry()? {
                    entries.push((name, value));
                }
                Ok(Dimensions(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Borrows where the JSON has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'r>(#[serde(borrow)] Cow<'r, str>);
