//! What is kept of an adoption: the plan, how far it has come, and its rules.

use crate::store::StoreError;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// An adoption that was begun.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// Its number in the organization.
    pub id: i32,
    /// SHA-256 of the plan that was run last.
    pub digest: Vec<u8>,
    /// Whether that run came to its end.
    pub finished: bool,
}

/// How far a query has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The key of the last row. `None`: no row was read.
    pub last_key: Option<Vec<String>>,
    /// Rows that were read.
    pub rows_read: i64,
    /// There were no more.
    pub finished: bool,
}

/// Keeps others from running the same plan at the same time, as long as the connection lasts. False: somebody does.
pub async fn lock(connection: &mut PgConnection, organization: &str, plan: &str) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT pg_try_advisory_lock(hashtextextended('postern adopt ' || $1 || chr(10) || $2, 0))",
    )
    .bind(organization)
    .bind(plan)
    .fetch_one(connection)
    .await?)
}

/// The adoption of a plan's name.
pub async fn find(
    connection: &mut PgConnection,
    organization: &str,
    plan: &str,
) -> Result<Option<Adoption>, StoreError> {
    let row = sqlx::query(
        "SELECT adoption_id, plan_digest, finished_at IS NOT NULL FROM adoptions
         WHERE organization_id = $1 AND plan_name = $2",
    )
    .bind(organization)
    .bind(plan)
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok(Adoption { id: row.try_get(0)?, digest: row.try_get(1)?, finished: row.try_get(2)? }))
        .transpose()
}

/// What a run begins with.
pub struct Begin<'p> {
    /// The organization.
    pub organization: &'p str,
    /// The plan's name.
    pub plan: &'p str,
    /// Its text.
    pub text: &'p str,
    /// SHA-256 of it.
    pub digest: &'p [u8],
    /// Where it is read from.
    pub source: &'p str,
}

/// Begins a run from the start, or makes the adoption; its number.
pub async fn begin(connection: &mut PgConnection, begin: &Begin<'_>) -> Result<i32, StoreError> {
    let id: i32 = sqlx::query_scalar(
        "INSERT INTO adoptions (organization_id, plan_name, plan_digest, plan, source) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (organization_id, plan_name) DO UPDATE SET plan_digest = EXCLUDED.plan_digest,
            plan = EXCLUDED.plan, source = EXCLUDED.source, begun_at = now(), finished_at = NULL
         RETURNING adoption_id",
    )
    .bind(begin.organization)
    .bind(begin.plan)
    .bind(begin.digest)
    .bind(begin.text)
    .bind(begin.source)
    .fetch_one(&mut *connection)
    .await?;
    forget_progress(connection, begin.organization, id).await?;
    Ok(id)
}

/// The next run begins from the start.
pub async fn forget_progress(
    connection: &mut PgConnection,
    organization: &str,
    adoption: i32,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM adoption_queries WHERE organization_id = $1 AND adoption_id = $2")
        .bind(organization)
        .bind(adoption)
        .execute(connection)
        .await?;
    Ok(())
}

/// How far each query has come.
pub async fn progress(
    connection: &mut PgConnection,
    organization: &str,
    adoption: i32,
) -> Result<BTreeMap<String, Progress>, StoreError> {
    let rows = sqlx::query(
        "SELECT query_name::text, last_key, rows_read, finished FROM adoption_queries
         WHERE organization_id = $1 AND adoption_id = $2",
    )
    .bind(organization)
    .bind(adoption)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let progress =
                Progress { last_key: row.try_get(1)?, rows_read: row.try_get(2)?, finished: row.try_get(3)? };
            Ok((row.try_get(0)?, progress))
        })
        .collect()
}

/// Keeps how far a query has come: in the transaction of the facts.
pub async fn advance(
    connection: &mut PgConnection,
    organization: &str,
    adoption: i32,
    query: &str,
    progress: &Progress,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO adoption_queries (organization_id, adoption_id, query_name, last_key, rows_read, finished)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (organization_id, adoption_id, query_name) DO UPDATE SET last_key = EXCLUDED.last_key,
            rows_read = EXCLUDED.rows_read, finished = EXCLUDED.finished",
    )
    .bind(organization)
    .bind(adoption)
    .bind(query)
    .bind(&progress.last_key)
    .bind(progress.rows_read)
    .bind(progress.finished)
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds to what a rule made.
pub async fn count(
    connection: &mut PgConnection,
    organization: &str,
    rule: i32,
    made: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE adoption_rules SET rows_created = rows_created + $3
         WHERE organization_id = $1 AND adoption_rule_id = $2",
    )
    .bind(organization)
    .bind(rule)
    .bind(made)
    .execute(connection)
    .await?;
    Ok(())
}

/// The run came to its end.
pub async fn finish(
    connection: &mut PgConnection,
    organization: &str,
    adoption: i32,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE adoptions SET finished_at = clock_timestamp() WHERE organization_id = $1 AND adoption_id = $2",
    )
    .bind(organization)
    .bind(adoption)
    .execute(connection)
    .await?;
    Ok(())
}

/// The number of a rule, which is made if it has none.
pub async fn rule(
    connection: &mut PgConnection,
    organization: &str,
    adoption: i32,
    query: &str,
    name: &str,
) -> Result<i32, StoreError> {
    let known: Option<i32> = sqlx::query_scalar(
        "SELECT adoption_rule_id FROM adoption_rules
         WHERE organization_id = $1 AND adoption_id = $2 AND query_name = $3 AND rule_name = $4",
    )
    .bind(organization)
    .bind(adoption)
    .bind(query)
    .bind(name)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(number) = known {
        return Ok(number);
    }
    Ok(sqlx::query_scalar(
        "INSERT INTO adoption_rules (organization_id, adoption_id, query_name, rule_name) VALUES ($1, $2, $3, $4)
         RETURNING adoption_rule_id",
    )
    .bind(organization)
    .bind(adoption)
    .bind(query)
    .bind(name)
    .fetch_one(connection)
    .await?)
}

/// All rules that ever made facts for an adoption: number, query, name, and how many they made.
pub async fn rules(
    connection: &mut PgConnection,
    organization: &str,
    adoption: i32,
) -> Result<Vec<(i32, String, String, i64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT adoption_rule_id, query_name::text, rule_name::text, rows_created FROM adoption_rules
         WHERE organization_id = $1 AND adoption_id = $2 ORDER BY adoption_rule_id",
    )
    .bind(organization)
    .bind(adoption)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))).collect()
}

/// Forgets an adoption of which nothing is left.
pub async fn forget(
    connection: &mut PgConnection,
    organization: &str,
    adoption: i32,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM adoptions WHERE organization_id = $1 AND adoption_id = $2")
        .bind(organization)
        .bind(adoption)
        .execute(connection)
        .await?;
    Ok(())
}

/// How many rows of a table bear the number of each rule. Reads the whole table.
pub async fn marked(
    connection: &mut PgConnection,
    organization: &str,
    kind: super::facts::Kind,
    rules: &[i32],
) -> Result<BTreeMap<i32, i64>, StoreError> {
    let sql = format!(
        "SELECT adoption_rule_id, count(*) FROM {}
         WHERE organization_id = $1 AND adoption_rule_id = ANY ($2) GROUP BY adoption_rule_id",
        kind.table()
    );
    let rows =
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(organization).bind(rules).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// After a part was taken back: what each rule has made is what is still there.
pub async fn settle(
    connection: &mut PgConnection,
    organization: &str,
    adoption: i32,
    rules: &[i32],
) -> Result<(), StoreError> {
    let mut there: BTreeMap<i32, i64> = rules.iter().map(|rule| (*rule, 0)).collect();
    for kind in super::facts::KINDS {
        for (rule, count) in marked(connection, organization, kind, rules).await? {
            *there.entry(rule).or_default() += count;
        }
    }
    let (rules, counts): (Vec<i32>, Vec<i64>) = there.into_iter().unzip();
    sqlx::query(
        "UPDATE adoption_rules AS rule SET rows_created = left_over.count
         FROM unnest($3::int4[], $4::int8[]) AS left_over (number, count)
         WHERE organization_id = $1 AND adoption_id = $2 AND adoption_rule_id = left_over.number",
    )
    .bind(organization)
    .bind(adoption)
    .bind(rules)
    .bind(counts)
    .execute(connection)
    .await?;
    Ok(())
}
