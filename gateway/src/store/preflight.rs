//! What is missing before an organization's decisions can be relied on: one statement for each check.

use super::{StoreError, heads};
use postern_world::Catalog;
use sqlx::{Connection, PgConnection, Row};

/// LIMIT: things that a finding names; the rest is counted.
const NAMED: i64 = 5;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Decisions cannot be had, or are not those that are wanted.
    Missing,
    /// May be meant.
    Warning,
}

impl Level {
    /// `missing` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Missing => "missing",
            Level::Warning => "warning",
        }
    }
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check: a word that stays.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// How many.
    pub count: i64,
    /// The first of them, by id.
    pub examples: Vec<String>,
    /// What they are.
    pub what: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

/// What the checks have found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    /// The revision that was looked at.
    pub revision: u64,
    /// How many checks were made.
    pub checks: usize,
    /// Of those that found something, in their order.
    pub findings: Vec<Finding>,
}

impl Preflight {
    /// Whether nothing is missing; warnings do not count.
    pub fn is_ready(&self) -> bool {
        self.findings.iter().all(|finding| finding.level == Level::Warning)
    }
}

struct Check {
    name: &'static str,
    level: Level,
    /// Selects `id`, what a reader knows it by. `$1`: the organization; `$2`: the keys, `$3`: the types, and `$4`: the roles
    /// that the catalog file has.
    sql: &'static str,
    what: &'static str,
    fix: &'static str,
}

/// Whether a row counts at the moment.
macro_rules! counts {
    ($row:literal) => {
        concat!(
            "(",
            $row,
            ".active AND (",
            $row,
            ".not_before IS NULL OR ",
            $row,
            ".not_before <= now()) AND (",
            $row,
            ".expires_at IS NULL OR ",
            $row,
            ".expires_at > now()))"
        )
    };
}

/// Who holds anything: by an assignment or a grant, itself or over groups.
macro_rules! holders {
    () => {
        concat!(
            "WITH RECURSIVE holders AS (
                SELECT one.subject_id FROM assignments AS one JOIN roles USING (organization_id, role_id)
                    WHERE one.organization_id = $1 AND roles.active AND ",
            counts!("one"),
            " UNION SELECT one.subject_id FROM grants AS one
                    WHERE one.organization_id = $1 AND one.effect = 'allow' AND ",
            counts!("one"),
            " UNION SELECT one.subject_id FROM memberships AS one JOIN holders ON one.group_id = holders.subject_id
                    WHERE one.organization_id = $1 AND ",
            counts!("one"),
            ")"
        )
    };
}

const CHECKS: [Check; 18] = [
    Check {
        name: "permissions",
        level: Level::Missing,
        sql: "SELECT organization_id AS id FROM organizations WHERE organization_id = $1
            AND NOT EXISTS (SELECT FROM permissions WHERE organization_id = $1)",
        what: "the organization has no permissions",
        fix: "import a world document with a catalog (`postern world import`), or start gateways with `--catalog`",
    },
    Check {
        name: "catalog_permissions",
        level: Level::Missing,
        sql: "SELECT key AS id FROM unnest($2::text[]) AS key
            WHERE key NOT IN (SELECT permission_key FROM permissions WHERE organization_id = $1)",
        what: "permissions of the catalog file that the organization does not know",
        fix: "start gateways with this file as `--catalog`: they bring it into every organization",
    },
    Check {
        name: "catalog_types",
        level: Level::Missing,
        sql: "SELECT kind AS id FROM unnest($3::text[]) AS kind
            WHERE kind NOT IN (SELECT resource_type FROM resource_types WHERE organization_id = $1)",
        what: "resource types of the catalog file that the organization does not know",
        fix: "start gateways with this file as `--catalog`: they bring it into every organization",
    },
    Check {
        name: "catalog_roles",
        level: Level::Missing,
        sql: "SELECT role AS id FROM unnest($4::text[]) AS role WHERE NOT EXISTS (SELECT FROM roles
            WHERE organization_id = $1 AND 'role:system:' || builtin_key = role)",
        what: "built-in roles of the catalog file that the organization does not have",
        fix: "start gateways with this file as `--catalog`: they make the roles",
    },
    Check {
        name: "unknown_to_catalog",
        level: Level::Warning,
        sql: "SELECT permission_key AS id FROM permissions
            WHERE organization_id = $1 AND cardinality($2::text[]) > 0 AND permission_key <> ALL ($2)",
        what: "permissions that the catalog file does not have: no code asks for them any more",
        fix: "take them out of roles and grants, and delete them by SQL",
    },
    Check {
        name: "administrator",
        level: Level::Missing,
        sql: "SELECT role_id AS id FROM roles
            WHERE organization_id = $1 AND immutable AND super_admin_count(organization_id) = 0",
        what: "nobody holds the role that may do everything in the whole organization",
        fix: "assign it to a listed user who is active, by SQL or with an API key of the organization",
    },
    Check {
        name: "api_key",
        level: Level::Missing,
        sql: "SELECT organization_id AS id FROM organizations WHERE organization_id = $1 AND NOT EXISTS (
            SELECT FROM api_keys WHERE organization_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))",
        what: "the organization has no API key in force: no enforcement point can fetch its snapshot",
        fix: "`postern key create --organization ID --name NAME`",
    },
    Check {
        name: "adoption",
        level: Level::Missing,
        sql: "SELECT plan_name AS id FROM adoptions WHERE organization_id = $1 AND finished_at IS NULL",
        what: "plans of adoption that were not run to their end",
        fix: "`postern adopt PLAN.toml --source URL` goes on where it was; then `--verify`",
    },
    Check {
        name: "unheld_permissions",
        level: Level::Warning,
        sql: concat!(
            "WITH given AS (
                SELECT permission FROM role_permissions JOIN roles USING (organization_id, role_id)
                    WHERE organization_id = $1 AND roles.active AND EXISTS (SELECT FROM assignments AS one
                        WHERE one.organization_id = $1 AND one.role_id = roles.role_id AND ",
            counts!("one"),
            ") UNION SELECT permission FROM grant_permissions JOIN grants AS one USING (organization_id, grant_id)
                    WHERE organization_id = $1 AND one.effect = 'allow' AND ",
            counts!("one"),
            " UNION SELECT permission FROM owner_permissions WHERE organization_id = $1),
             held AS (SELECT permission_key FROM permissions WHERE organization_id = $1 AND EXISTS (SELECT FROM given
                WHERE permission IN ('*', permission_key) OR permission LIKE '%:*'
                    AND starts_with(permission_key, left(permission, -1))))
             SELECT permission_key AS id FROM permissions AS one WHERE organization_id = $1
                AND permission_key NOT IN (SELECT permission_key FROM held)
                AND NOT EXISTS (SELECT FROM permission_links AS link JOIN held ON held.permission_key = link.other_key
                    WHERE link.organization_id = $1 AND link.permission_key = one.permission_key
                        AND link.relation = 'implied_by')"
        ),
        what: "permissions that nobody holds anywhere",
        fix: "give them to a role that somebody has, if anybody is to do this",
    },
    Check {
        name: "users_without_rights",
        level: Level::Warning,
        sql: concat!(
            holders!(),
            " SELECT one.subject_id AS id FROM subjects AS one WHERE one.organization_id = $1
                AND starts_with(one.subject_id, 'user:') AND one.subject_id NOT IN (SELECT subject_id FROM holders)
                AND NOT EXISTS (SELECT FROM holders WHERE subject_id = 'user:all')
                AND NOT EXISTS (SELECT FROM resources WHERE organization_id = $1 AND owner_id = one.subject_id)
                AND ",
            counts!("one")
        ),
        what: "active users who hold no role and no grant, and own nothing",
        fix: "assign them a role, or deactivate them",
    },
    Check {
        name: "unlisted_subjects",
        level: Level::Warning,
        sql: "SELECT DISTINCT one.subject_id AS id FROM assignments AS one WHERE one.organization_id = $1
            AND one.subject_id <> 'user:all' AND NOT EXISTS (SELECT FROM subjects AS listed
                WHERE listed.organization_id = $1 AND listed.subject_id = one.subject_id)",
        what: "subjects that hold roles and are not listed: they cannot be deactivated",
        fix: "list them as subjects, or delete their assignments",
    },
    Check {
        name: "unlisted_places",
        level: Level::Warning,
        sql: "SELECT DISTINCT one.at_type || ':' || one.at_id AS id
            FROM (SELECT at_type, at_id FROM assignments WHERE organization_id = $1
                  UNION SELECT at_type, at_id FROM grants WHERE organization_id = $1) AS one
            WHERE one.at_type IS NOT NULL AND NOT EXISTS (SELECT FROM resources WHERE organization_id = $1
                AND resource_type = one.at_type AND resource_id = one.at_id)",
        what: "resources at which roles or grants stand and that are not listed: nothing lies below them",
        fix: "list them with their edges, or correct the id",
    },
    Check {
        name: "resources_apart",
        level: Level::Warning,
        sql: "WITH below AS (SELECT DISTINCT child_type FROM resource_parents WHERE organization_id = $1)
            SELECT one.resource_type || ':' || one.resource_id AS id FROM resources AS one
            JOIN below ON below.child_type = one.resource_type
            WHERE one.organization_id = $1 AND NOT EXISTS (SELECT FROM resource_parents AS edge
                WHERE edge.organization_id = $1 AND edge.child_type = one.resource_type AND edge.child_id = one.resource_id)",
        what: "resources that lie below nothing, though others of their type do: roles at a scope do not reach them",
        fix: "add the edges that are missing",
    },
    Check {
        name: "empty_roles",
        level: Level::Warning,
        sql: "SELECT role_id AS id FROM roles AS one WHERE organization_id = $1 AND one.active
            AND EXISTS (SELECT FROM assignments WHERE organization_id = $1 AND role_id = one.role_id)
            AND NOT EXISTS (SELECT FROM role_permissions WHERE organization_id = $1 AND role_id = one.role_id)
            AND NOT EXISTS (SELECT FROM grants WHERE organization_id = $1 AND role_id = one.role_id)",
        what: "roles that are held and give nothing: at a scope that narrows they take everything away",
        fix: "give them permissions, unless that is what they are for",
    },
    Check {
        name: "ending_soon",
        level: Level::Warning,
        sql: concat!(
            "SELECT one.subject_id || ' ' || one.role_id AS id FROM assignments AS one WHERE one.organization_id = $1
                AND one.expires_at < now() + interval '14 days' AND ",
            counts!("one")
        ),
        what: "assignments that end within 14 days",
        fix: "renew those that are to last",
    },
    Check {
        name: "keys_ending_soon",
        level: Level::Warning,
        sql: "SELECT prefix || ' ' || name AS id FROM api_keys WHERE organization_id = $1 AND revoked_at IS NULL
            AND expires_at > now() AND expires_at < now() + interval '14 days'",
        what: "API keys that end within 14 days",
        fix: "`postern key rotate`, and give the new key to whoever uses this one",
    },
    Check {
        name: "former_role_ids",
        level: Level::Warning,
        sql: "SELECT alias_id || ' ' || role_id AS id FROM role_aliases WHERE organization_id = $1",
        what: "former ids of roles that are understood still: the change-over is not at its end",
        fix: "delete them once nobody writes grants under them any more",
    },
    Check {
        name: "undelivered",
        level: Level::Warning,
        sql: "SELECT DISTINCT url AS id FROM webhook_dead_letters JOIN webhooks USING (organization_id, webhook_id)
            WHERE organization_id = $1 AND NOT again",
        what: "webhooks that have missed something: it was given up after three days",
        fix: "see `GET …/webhooks/{id}/deliveries`, mend the receiver, and `POST …/webhooks/{id}/retry`",
    },
];

/// Looks at an organization as it is at one moment. `catalog`: what the code knows, if that is known, with the ids of its
/// built-in roles. `None` where there is no such organization.
pub async fn look(
    connection: &mut PgConnection,
    organization: &str,
    catalog: Option<(&Catalog, &[String])>,
) -> Result<Option<Preflight>, StoreError> {
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let Some(revision) = heads::revision(&mut transaction, organization).await? else { return Ok(None) };
    let keys: Vec<&str> =
        catalog.iter().flat_map(|(catalog, _)| catalog.permissions.keys()).map(String::as_str).collect();
    let types: Vec<&str> =
        catalog.iter().flat_map(|(catalog, _)| catalog.types.keys()).map(String::as_str).collect();
    let roles = catalog.map(|(_, roles)| roles).unwrap_or_default();
    let mut findings = Vec::new();
    for check in &CHECKS {
        let statement = format!(
            "SELECT count(*), (array_agg(id::text ORDER BY id))[1:{NAMED}] FROM ({}) AS found
             WHERE $2::text[] IS NOT NULL AND $3::text[] IS NOT NULL AND $4::text[] IS NOT NULL",
            check.sql
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(organization);
        let row = row.bind(&keys).bind(&types).bind(roles).fetch_one(&mut *transaction).await?;
        let count: i64 = row.try_get(0)?;
        if count > 0 {
            let Check { name, level, what, fix, .. } = *check;
            findings.push(Finding { check: name, level, count, examples: row.try_get(1)?, what, fix });
        }
    }
    transaction.commit().await?;
    Ok(Some(Preflight { revision, checks: CHECKS.len(), findings }))
}
