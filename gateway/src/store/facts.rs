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
    /// An edge; in the order of a document, of the last resource.
    fn parent(
        &mut self,
        child: (&str, &str),
        parent: (&str, &str),
        cap: Option<&[&str]>,
    ) -> Result<(), StoreError>;
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
    for relation in Relation::ALL {
        relation.read(connection, Rows::Ordered, |row| relation.tell(row, sink)).await?;
    }
    Ok(())
}

/// What facts are read by: the rows of one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `resource_types` and `owner_permissions`
    Types,
    /// `permissions` and `permission_links`
    Permissions,
    /// `subjects` and `subject_aliases`
    Subjects,
    /// `memberships`
    Memberships,
    /// `resources` and `resource_parents`
    Resources,
    /// `roles` and `role_permissions`
    Roles,
    /// `assignments`
    Assignments,
    /// `grants` and `grant_permissions`
    Grants,
}

/// Which rows of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// All, in the order of a document.
    Ordered,
    /// All, in any order.
    All,
    /// Those whose keys the settings `postern.keys` and `postern.keys2` list, in any order.
    Keyed,
}

/// One statement in its three forms: all in order, all, and those with some keys. For few rows, what belongs to them is
/// looked up row by row (`$few`); for all of them it is gathered and joined.
macro_rules! copy {
    ($rows:expr, $body:literal, $keyed:literal, $order:literal) => {
        copy!($rows, $body, $body, $keyed, $order)
    };
    ($rows:expr, $body:literal, $few:literal, $keyed:literal, $order:literal) => {
        match $rows {
            Rows::Ordered => concat!("COPY (", $body, " ORDER BY ", $order, ") TO STDOUT (FORMAT binary)"),
            Rows::All => concat!("COPY (", $body, ") TO STDOUT (FORMAT binary)"),
            Rows::Keyed => concat!(
                "COPY (SELECT * FROM (",
                $few,
                ") AS fact WHERE ",
                $keyed,
                ") TO STDOUT (FORMAT binary)"
            ),
        }
    };
}

impl Relation {
    /// In the order in which a sink takes them: the catalog first.
    pub const ALL: [Relation; 8] = [
        Relation::Types,
        Relation::Permissions,
        Relation::Subjects,
        Relation::Memberships,
        Relation::Resources,
        Relation::Roles,
        Relation::Assignments,
        Relation::Grants,
    ];

    /// The table that it is read from first.
    pub fn name(self) -> &'static str {
        match self {
            Relation::Types => "resource_types",
            Relation::Permissions => "permissions",
            Relation::Subjects => "subjects",
            Relation::Memberships => "memberships",
            Relation::Resources => "resources",
            Relation::Roles => "roles",
            Relation::Assignments => "assignments",
            Relation::Grants => "grants",
        }
    }

    /// How many of a row's first fields are its key: several rows may have the same one.
    pub fn key_fields(self) -> usize {
        if self == Relation::Resources { 2 } else { 1 }
    }

    fn statement(self, rows: Rows) -> &'static str {
        match self {
            Relation::Types => copy!(
                rows,
                "SELECT kind.resource_type, kind.scope, kind.narrows, kind.registered,
                    ARRAY(SELECT permission::text FROM owner_permissions AS entry
                        WHERE entry.organization_id = kind.organization_id
                          AND entry.resource_type = kind.resource_type ORDER BY permission)
                FROM resource_types AS kind WHERE kind.organization_id = current_setting('postern.organization')",
                "resource_type = ANY (current_setting('postern.keys')::text[])",
                "kind.resource_type"
            ),
            Relation::Permissions => copy!(
                rows,
                "SELECT permission_key, description, works_when_inactive,
                    ARRAY(SELECT other_key::text FROM permission_links AS link
                        WHERE link.organization_id = permission.organization_id
                          AND link.permission_key = permission.permission_key AND relation = 'implied_by'
                        ORDER BY other_key),
                    ARRAY(SELECT other_key::text FROM permission_links AS link
                        WHERE link.organization_id = permission.organization_id
                          AND link.permission_key = permission.permission_key AND relation = 'excluded_by'
                        ORDER BY other_key),
                    ARRAY(SELECT other_key::text FROM permission_links AS link
                        WHERE link.organization_id = permission.organization_id
                          AND link.permission_key = permission.permission_key AND relation = 'requires'
                        ORDER BY other_key)
                FROM permissions AS permission WHERE organization_id = current_setting('postern.organization')",
                "permission_key = ANY (current_setting('postern.keys')::text[])",
                "permission_key"
            ),
            Relation::Subjects => copy!(
                rows,
                "SELECT subject_id, attributes::text, active, not_before, expires_at, alias.list
                FROM subjects LEFT JOIN (
                    SELECT subject_id, array_agg(substr(alias_id, strpos(alias_id, ':') + 1) ORDER BY alias_id) AS list
                    FROM subject_aliases WHERE organization_id = current_setting('postern.organization')
                    GROUP BY subject_id) AS alias USING (subject_id)
                WHERE organization_id = current_setting('postern.organization')",
                "SELECT subject_id, attributes::text, active, not_before, expires_at,
                    ARRAY(SELECT substr(alias_id, strpos(alias_id, ':') + 1) FROM subject_aliases AS alias
                        WHERE alias.organization_id = subject.organization_id
                          AND alias.subject_id = subject.subject_id ORDER BY alias_id)
                FROM subjects AS subject WHERE organization_id = current_setting('postern.organization')",
                "subject_id = ANY (current_setting('postern.keys')::text[])",
                "subject_id"
            ),
            Relation::Memberships => copy!(
                rows,
                "SELECT subject_id, group_id, active, not_before, expires_at FROM memberships
                WHERE organization_id = current_setting('postern.organization')",
                "subject_id = ANY (current_setting('postern.keys')::text[])",
                "subject_id, group_id, active, not_before, expires_at"
            ),
            // A resource, then its edges: those have a relation.
            Relation::Resources => copy!(
                rows,
                "SELECT resource_type AS type, resource_id AS id, NULL AS relation, NULL AS parent_type,
                    NULL AS parent_id, NULL::text[] AS cap, owner_id, attributes::text, active, not_before, expires_at
                FROM resources WHERE organization_id = current_setting('postern.organization')
                UNION ALL
                SELECT child_type, child_id, relation, parent_type, parent_id, cap, NULL, NULL, NULL, NULL, NULL
                FROM resource_parents WHERE organization_id = current_setting('postern.organization')",
                "(type, id) IN (SELECT * FROM
                    unnest(current_setting('postern.keys')::text[], current_setting('postern.keys2')::text[]))",
                "type, id, relation NULLS FIRST, parent_type, parent_id, cap"
            ),
            Relation::Roles => copy!(
                rows,
                "SELECT role_id, name, active, ARRAY(SELECT permission::text FROM role_permissions AS entry
                    WHERE entry.organization_id = role.organization_id AND entry.role_id = role.role_id
                    ORDER BY permission)
                FROM roles AS role WHERE organization_id = current_setting('postern.organization')",
                "role_id = ANY (current_setting('postern.keys')::text[])",
                "role_id"
            ),
            Relation::Assignments => copy!(
                rows,
                "SELECT subject_id, role_id, at_type, at_id, active, not_before, expires_at FROM assignments
                WHERE organization_id = current_setting('postern.organization')",
                "subject_id = ANY (current_setting('postern.keys')::text[])",
                "subject_id, role_id, at_type, at_id, active, not_before, expires_at"
            ),
            // Grants have ids of their own; the order is by content, so that two imports of one document export alike.
            Relation::Grants => copy!(
                rows,
                "SELECT subject_id, effect, at_type, at_id, conditions::text, require::text, own, session_id,
                    active, not_before, expires_at, entry.list
                FROM grants LEFT JOIN (
                    SELECT grant_id, array_agg(permission::text ORDER BY permission) AS list
                    FROM grant_permissions WHERE organization_id = current_setting('postern.organization')
                    GROUP BY grant_id) AS entry USING (grant_id)
                WHERE organization_id = current_setting('postern.organization')",
                "SELECT subject_id, effect, at_type, at_id, conditions::text, require::text, own, session_id,
                    active, not_before, expires_at,
                    ARRAY(SELECT permission::text FROM grant_permissions AS entry
                        WHERE entry.organization_id = held.organization_id AND entry.grant_id = held.grant_id
                        ORDER BY permission) AS list
                FROM grants AS held WHERE organization_id = current_setting('postern.organization')",
                "subject_id = ANY (current_setting('postern.keys')::text[])",
                "subject_id, effect, at_type, at_id, entry.list, conditions::text COLLATE \"C\",
                    require::text COLLATE \"C\", own, session_id, active, not_before, expires_at"
            ),
        }
    }

    /// Reads rows of the relation, of the organization that the connection's settings name.
    pub(super) async fn read(
        self,
        connection: &mut PgConnection,
        rows: Rows,
        each: impl FnMut(&mut Fields<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        copy_out(connection, self.name(), self.statement(rows), each).await
    }

    /// Tells a sink of one row.
    pub(super) fn tell(self, row: &mut Fields<'_>, sink: &mut impl FactSink) -> Result<(), StoreError> {
        match self {
            Relation::Types => {
                let (name, flags) = (row.text()?, [row.boolean()?, row.boolean()?, row.boolean()?]);
                let mut owner = Vec::new();
                row.texts(&mut owner)?;
                sink.resource_type(name, flags, &owner)
            }
            Relation::Permissions => {
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
            }
            Relation::Subjects => {
                let (id, attributes) = (row.text()?, dimensions("subjects", row.text()?)?);
                let life = row.life()?;
                let mut aliases = Vec::new();
                row.texts(&mut aliases)?;
                sink.subject(&SubjectFact { id, aliases: &aliases, attributes: &borrowed(&attributes), life })
            }
            Relation::Memberships => sink.membership(row.text()?, row.text()?, row.life()?),
            Relation::Resources => {
                let (kind, id) = (row.text()?, row.text()?);
                if let Some(relation) = row.optional()? {
                    let parent = (row.text()?, row.text()?);
                    let mut cap = Vec::new();
                    row.texts(&mut cap)?;
                    row.nulls(5)?;
                    return sink.parent((kind, id), parent, (relation == "ref").then_some(&cap[..]));
                }
                row.nulls(3)?;
                let (owner, attributes) = (row.optional()?, dimensions("resources", row.text()?)?);
                let life = row.life()?;
                sink.resource(&ResourceFact { kind, id, owner, attributes: &borrowed(&attributes), life })
            }
            Relation::Roles => {
                let (id, name, active) = (row.text()?, row.text()?, row.boolean()?);
                let mut permissions = Vec::new();
                row.texts(&mut permissions)?;
                sink.role(id, name, &permissions, active)
            }
            Relation::Assignments => {
                let (subject, role) = (row.text()?, row.text()?);
                let at = row.optional()?.zip(row.optional()?);
                sink.assignment(&AssignmentFact { subject, role, at, life: row.life()? })
            }
            Relation::Grants => {
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
            }
        }
    }
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
