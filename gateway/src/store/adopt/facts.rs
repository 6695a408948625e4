//! Facts set by set: written where they are not there yet, and compared with what is there.
//!
//! Every statement takes the organization and one array of texts for each column, whatever the column's type is: a batch
//! of any kind of fact goes the same way.

use crate::store::StoreError;
use crate::store::manage::moment;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, PgConnection, Row};

/// A kind of fact that a plan makes. The order is that in which facts of a batch are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A row of `subjects`.
    Subject,
    /// A row of `subject_aliases`.
    Alias,
    /// A row of `memberships`.
    Membership,
    /// A row of `resources`.
    Resource,
    /// A row of `roles`.
    Role,
    /// A row of `role_permissions`.
    RolePermission,
    /// A row of `resource_parents`.
    Edge,
    /// A row of `assignments`.
    Assignment,
    /// A row of `grants`.
    Grant,
    /// A row of `grant_permissions`.
    GrantPermission,
}

/// All kinds, in their order.
pub const KINDS: [Kind; 10] = [
    Kind::Subject,
    Kind::Alias,
    Kind::Membership,
    Kind::Resource,
    Kind::Role,
    Kind::RolePermission,
    Kind::Edge,
    Kind::Assignment,
    Kind::Grant,
    Kind::GrantPermission,
];

impl Kind {
    /// Which of the columns tell two facts of the kind apart: where they are among [`Fact::fields`].
    fn identity(self) -> std::ops::Range<usize> {
        match self {
            Kind::Subject | Kind::Alias | Kind::Role | Kind::Grant => 0..1,
            Kind::Resource | Kind::RolePermission | Kind::GrantPermission => 0..2,
            Kind::Membership => 1..6,
            Kind::Edge => 1..7,
            Kind::Assignment => 1..8,
        }
    }
}

impl Fact {
    /// What no other fact of the kind has.
    pub fn identity(&self) -> &[Option<String>] {
        self.fields.get(self.kind.identity()).unwrap_or(&self.fields)
    }
}

/// A fact to be: its columns as text, in the order of the statements here. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Which table it goes to.
    pub kind: Kind,
    /// Its columns.
    pub fields: Vec<Option<String>>,
}

/// What a comparison found of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rule that made the row that is there; `None`: no plan's, or somebody has taken it over.
    pub rule: Option<i32>,
    /// Whether the row says the same.
    pub same: bool,
}

/// Facts of one kind with the numbers of their rules in the database.
#[derive(Debug, Default)]
pub struct Set {
    rules: Vec<i32>,
    columns: Vec<Vec<Option<String>>>,
}

impl Set {
    /// Adds a fact; all of a set are of one kind.
    pub fn add(&mut self, rule: i32, fact: Fact) {
        self.rules.push(rule);
        self.columns.resize_with(fact.fields.len(), Vec::new);
        for (column, field) in self.columns.iter_mut().zip(fact.fields) {
            column.push(field);
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many facts.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    fn bind(&self, organization: &str) -> Result<PgArguments, StoreError> {
        let mut arguments = PgArguments::default();
        let refused = |error| StoreError::Database(sqlx::Error::Encode(error));
        arguments.add(organization).map_err(refused)?;
        arguments.add(&self.rules).map_err(refused)?;
        for column in &self.columns {
            arguments.add(column).map_err(refused)?;
        }
        Ok(arguments)
    }

    /// Writes those that are not there yet; how many each rule made. A row that is there stays as it is, whoever made it.
    pub async fn write(
        &self,
        connection: &mut PgConnection,
        organization: &str,
        kind: Kind,
    ) -> Result<Vec<(i32, i64)>, StoreError> {
        let rows = sqlx::query_with(kind.write(), self.bind(organization)?).fetch_all(connection).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// What is there of each. `None`: nothing.
    pub async fn compare(
        &self,
        connection: &mut PgConnection,
        organization: &str,
        kind: Kind,
    ) -> Result<Vec<Option<Found>>, StoreError> {
        let rows = sqlx::query_with(kind.compare(), self.bind(organization)?).fetch_all(connection).await?;
        let mut found = vec![None; self.len()];
        for row in rows {
            let number: i64 = row.try_get(0)?;
            let place = usize::try_from(number).ok().and_then(|number| found.get_mut(number - 1));
            if let Some(place) = place {
                *place = Some(Found { rule: row.try_get(1)?, same: row.try_get(2)? });
            }
        }
        Ok(found)
    }
}

/// The statements of one kind.
struct Statements {
    table: &'static str,
    known_by: &'static [&'static str],
    write: &'static str,
    compare: &'static str,
}

macro_rules! statements {
    ($table:literal ($($column:literal),+) arrays $arrays:literal values ($($value:expr),+)
     known by $known:expr, where ($($on:expr),+) same if ($($same:expr),+)) => {
        Statements {
            table: $table,
            known_by: &$known,
            write: concat!(
                "WITH made AS (INSERT INTO ", $table, " (organization_id, adoption_rule_id", $(", ", $column),+, ")
                 SELECT $1, new.rule, ", $($value),+, " FROM unnest($2::int4[], ", $arrays, ")
                     AS new (rule", $(", ", $column),+, ")
                 ON CONFLICT DO NOTHING RETURNING adoption_rule_id)
                 SELECT adoption_rule_id, count(*) FROM made GROUP BY adoption_rule_id"
            ),
            compare: concat!(
                "SELECT new.number, old.adoption_rule_id, ", $($same),+, "
                 FROM unnest($2::int4[], ", $arrays, ") WITH ORDINALITY
                     AS new (rule", $(", ", $column),+, ", number)
                 JOIN ", $table, " AS old ON old.organization_id = $1 AND ", $($on),+
            ),
        }
    };
}

impl Kind {
    /// The table of its facts.
    pub fn table(self) -> &'static str {
        self.statements().table
    }

    /// The members of a rule that tell two of its facts apart, as far as a plan has them.
    pub fn known_by(self) -> &'static [&'static str] {
        self.statements().known_by
    }

    fn write(self) -> &'static str {
        self.statements().write
    }

    fn compare(self) -> &'static str {
        self.statements().compare
    }

    fn statements(self) -> &'static Statements {
        match self {
            Kind::Subject => {
                &const {
                    statements!("subjects" ("subject_id", "attributes", "active", "not_before", "expires_at") arrays "$3::text[], $4::text[], $5::text[], $6::text[], $7::text[]" values ("new.subject_id, new.attributes::jsonb, new.active::boolean, ", moment!("new.not_before"), ", ", moment!("new.expires_at")) known by ["id"], where ("old.subject_id = new.subject_id") same if ("old.attributes = new.attributes::jsonb AND old.active = new.active::boolean AND old.not_before IS NOT DISTINCT FROM ", moment!("new.not_before"), " AND old.expires_at IS NOT DISTINCT FROM ", moment!("new.expires_at")))
                }
            }
            Kind::Alias => {
                &const {
                    statements!("subject_aliases" ("alias_id", "subject_id") arrays "$3::text[], $4::text[]" values ("new.alias_id, new.subject_id") known by ["alias", "subject"], where ("old.alias_id = new.alias_id") same if ("old.subject_id = new.subject_id"))
                }
            }
            Kind::Membership => {
                &const {
                    statements!("memberships" ("membership_id", "subject_id", "group_id", "active", "not_before", "expires_at") arrays "$3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]" values ("new.membership_id::uuid, new.subject_id, new.group_id, new.active::boolean, ", moment!("new.not_before"), ", ", moment!("new.expires_at")) known by ["subject", "group"], where ("old.subject_id = new.subject_id AND old.group_id = new.group_id AND old.active = new.active::boolean AND old.not_before IS NOT DISTINCT FROM ", moment!("new.not_before"), " AND old.expires_at IS NOT DISTINCT FROM ", moment!("new.expires_at")) same if ("true"))
                }
            }
            Kind::Resource => {
                &const {
                    statements!("resources" ("resource_type", "resource_id", "owner_id", "attributes", "active", "not_before", "expires_at") arrays "$3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]" values ("new.resource_type, new.resource_id, new.owner_id, new.attributes::jsonb, new.active::boolean, ", moment!("new.not_before"), ", ", moment!("new.expires_at")) known by ["type", "id"], where ("old.resource_type = new.resource_type AND old.resource_id = new.resource_id") same if ("old.owner_id IS NOT DISTINCT FROM new.owner_id AND old.attributes = new.attributes::jsonb AND old.active = new.active::boolean AND old.not_before IS NOT DISTINCT FROM ", moment!("new.not_before"), " AND old.expires_at IS NOT DISTINCT FROM ", moment!("new.expires_at")))
                }
            }
            Kind::Role => {
                &const {
                    statements!("roles" ("role_id", "name", "active") arrays "$3::text[], $4::text[], $5::text[]" values ("new.role_id, new.name, new.active::boolean") known by ["id"], where ("old.role_id = new.role_id") same if ("old.name = new.name AND old.active = new.active::boolean"))
                }
            }
            Kind::RolePermission => {
                &const {
                    statements!("role_permissions" ("role_id", "permission") arrays "$3::text[], $4::text[]" values ("new.role_id, new.permission") known by ["role", "permission"], where ("old.role_id = new.role_id AND old.permission = new.permission") same if ("true"))
                }
            }
            Kind::Edge => {
                &const {
                    statements!("resource_parents" ("resource_parent_id", "child_type", "child_id", "parent_type", "parent_id", "relation", "cap") arrays "$3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]" values ("new.resource_parent_id::uuid, new.child_type, new.child_id, new.parent_type, new.parent_id, new.relation, new.cap::text[]") known by ["child", "parent"], where ("((new.relation = 'ref' AND old.resource_parent_id = new.resource_parent_id::uuid) OR (new.relation = 'auto' AND old.relation = 'auto' AND (old.child_type, old.child_id, old.parent_type, old.parent_id) = (new.child_type, new.child_id, new.parent_type, new.parent_id)))") same if ("true"))
                }
            }
            Kind::Assignment => {
                &const {
                    statements!("assignments" ("assignment_id", "subject_id", "role_id", "at_type", "at_id", "active", "not_before", "expires_at") arrays "$3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]" values ("new.assignment_id::uuid, new.subject_id, new.role_id, new.at_type, new.at_id, new.active::boolean, ", moment!("new.not_before"), ", ", moment!("new.expires_at")) known by ["subject", "role", "at"], where ("old.subject_id = new.subject_id AND old.role_id = new.role_id AND old.at_type IS NOT DISTINCT FROM new.at_type AND old.at_id IS NOT DISTINCT FROM new.at_id AND old.active = new.active::boolean AND old.not_before IS NOT DISTINCT FROM ", moment!("new.not_before"), " AND old.expires_at IS NOT DISTINCT FROM ", moment!("new.expires_at")) same if ("true"))
                }
            }
            Kind::Grant => {
                &const {
                    statements!("grants" ("grant_id", "subject_id", "effect", "at_type", "at_id", "conditions", "require", "own", "session_id", "active", "not_before", "expires_at") arrays "$3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[]" values ("new.grant_id::uuid, new.subject_id, new.effect, new.at_type, new.at_id, new.conditions::jsonb, new.require::jsonb, new.own::boolean, new.session_id, new.active::boolean, ", moment!("new.not_before"), ", ", moment!("new.expires_at")) known by ["subject", "at"], where ("old.grant_id = new.grant_id::uuid") same if ("old.subject_id = new.subject_id AND old.effect = new.effect AND old.at_type IS NOT DISTINCT FROM new.at_type AND old.at_id IS NOT DISTINCT FROM new.at_id AND old.conditions = new.conditions::jsonb AND old.require = new.require::jsonb AND old.own = new.own::boolean AND old.session_id IS NOT DISTINCT FROM new.session_id AND old.active = new.active::boolean AND old.not_before IS NOT DISTINCT FROM ", moment!("new.not_before"), " AND old.expires_at IS NOT DISTINCT FROM ", moment!("new.expires_at")))
                }
            }
            Kind::GrantPermission => {
                &const {
                    statements!("grant_permissions" ("grant_id", "permission") arrays "$3::text[], $4::text[]" values ("new.grant_id::uuid, new.permission") known by [], where ("old.grant_id = new.grant_id::uuid AND old.permission = new.permission") same if ("true"))
                }
            }
        }
    }
}
