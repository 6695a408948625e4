//! Taking back what a plan made, and nothing else: a few pages of a table in each transaction.
//!
//! Rows are found by where they lie, not by an index, which every row of every run would have to pay for. A row that
//! another row depends on, which is not the plan's, stays: deleting it would delete that one too.

use super::facts::Kind;
use crate::store::{StoreError, manage};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

/// From the leaves up.
pub const ORDER: [Kind; 10] = [
    Kind::Edge,
    Kind::Assignment,
    Kind::GrantPermission,
    Kind::Grant,
    Kind::RolePermission,
    Kind::Role,
    Kind::Membership,
    Kind::Alias,
    Kind::Resource,
    Kind::Subject,
];

/// What was found in some pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows that were deleted.
    pub deleted: i64,
    /// Rows of the plan that others depend on, or hold at this moment.
    pub left: i64,
}

/// How many pages a table has now.
pub async fn pages(connection: &mut PgConnection, kind: Kind) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::int8",
    )
    .bind(kind.table())
    .fetch_one(connection)
    .await?)
}

/// Clears what was deleted of a table away, and has the planner look at what is left: the checks for what depends on a row
/// would go through all of it again and again. A role that may not is told a warning, and nothing depends on it.
pub async fn clear(connection: &mut PgConnection, kind: Kind) -> Result<(), StoreError> {
    let sql = format!("VACUUM (ANALYZE, TRUNCATE false) {}", kind.table());
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

/// Deletes what the rules made in the pages from `from` to before `to`.
pub async fn sweep(
    connection: &mut PgConnection,
    organization: &str,
    rules: &[i32],
    kind: Kind,
    (from, to): (i64, i64),
) -> Result<Swept, StoreError> {
    let table = kind.table();
    let mut transaction = connection.begin().await?;
    manage::lock(&mut transaction, organization).await?;
    // SKIP LOCKED: who holds such a row waits for us, or does not know yet that it will.
    let sql = format!(
        "WITH mine AS MATERIALIZED (
             SELECT ctid FROM {table} AS fact
             WHERE ctid >= format('(%s,0)', $3::int8)::tid AND ctid < format('(%s,0)', $4::int8)::tid
               AND organization_id = $1 AND adoption_rule_id = ANY ($2)),
         free AS MATERIALIZED (
             SELECT fact.ctid FROM {table} AS fact
             WHERE fact.ctid = ANY (ARRAY(SELECT ctid FROM mine)) {}
             FOR UPDATE OF fact SKIP LOCKED),
         gone AS (DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM free)) RETURNING 1)
         SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM mine)",
        depends(kind)
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(organization)
        .bind(rules)
        .bind(from)
        .bind(to)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    let (deleted, found): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Swept { deleted, left: found - deleted })
}

/// The references that a deletion would follow.
fn depends(kind: Kind) -> &'static str {
    match kind {
        Kind::Subject => {
            "AND NOT EXISTS (SELECT FROM subject_aliases AS other
                 WHERE (other.organization_id, other.subject_id) = (fact.organization_id, fact.subject_id))
             AND (fact.subject_id NOT LIKE 'group:%' OR NOT EXISTS (SELECT FROM memberships AS other
                 WHERE (other.organization_id, other.group_id) = (fact.organization_id, fact.subject_id))
             AND NOT EXISTS (SELECT FROM memberships AS other
                 WHERE (other.organization_id, other.member_group_id) = (fact.organization_id, fact.subject_id))
             AND NOT EXISTS (SELECT FROM assignments AS other
                 WHERE (other.organization_id, other.group_id) = (fact.organization_id, fact.subject_id))
             AND NOT EXISTS (SELECT FROM grants AS other
                 WHERE (other.organization_id, other.subject_id) = (fact.organization_id, fact.subject_id))
             AND NOT EXISTS (SELECT FROM resources AS other
                 WHERE (other.organization_id, other.owner_group_id) = (fact.organization_id, fact.subject_id)))"
        }
        Kind::Resource => {
            "AND NOT EXISTS (SELECT FROM resource_parents AS other
                 WHERE (other.organization_id, other.child_type, other.child_id)
                     = (fact.organization_id, fact.resource_type, fact.resource_id))
             AND NOT EXISTS (SELECT FROM resource_parents AS other
                 WHERE (other.organization_id, other.parent_type, other.parent_id)
                     = (fact.organization_id, fact.resource_type, fact.resource_id))
             AND NOT EXISTS (SELECT FROM roles AS other
                 WHERE (other.organization_id, other.scope_type, other.scope_id)
                     = (fact.organization_id, fact.resource_type, fact.resource_id))"
        }
        Kind::Role => {
            "AND NOT EXISTS (SELECT FROM role_permissions AS other
                 WHERE (other.organization_id, other.role_id) = (fact.organization_id, fact.role_id))
             AND NOT EXISTS (SELECT FROM assignments AS other
                 WHERE (other.organization_id, other.role_id) = (fact.organization_id, fact.role_id))
             AND NOT EXISTS (SELECT FROM grants AS other
                 WHERE (other.organization_id, other.subject_id) = (fact.organization_id, fact.role_id))"
        }
        Kind::Grant => {
            "AND NOT EXISTS (SELECT FROM grant_permissions AS other
                 WHERE (other.organization_id, other.grant_id) = (fact.organization_id, fact.grant_id))
             AND NOT EXISTS (SELECT FROM resource_parents AS other
                 WHERE (other.organization_id, other.share_grant_id) = (fact.organization_id, fact.grant_id))"
        }
        Kind::Alias | Kind::Membership | Kind::RolePermission | Kind::Edge | Kind::Assignment
        | Kind::GrantPermission => "",
    }
}
