//! What the management interface reads and writes. An item is the JSON that callers see of a row, made by the database:
//! there is one place that says what it looks like, and what is audited is what was shown.

pub mod assignments;
pub mod audit;
pub mod catalog;
pub mod directory;
pub mod edges;
pub mod grants;
pub mod hidden;
pub mod invitations;
pub mod memberships;
pub mod places;
pub mod presets;
pub mod replay;
pub mod resources;
pub mod revisions;
pub mod role_aliases;
pub mod roles;
pub mod scopes;
pub mod secrets;
pub mod shares;
pub mod subjects;
pub mod webhooks;

use super::StoreError;
use postern_world::Life;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{PgConnection, Postgres, Row};
use uuid::Uuid;

/// A row as callers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is known by among its kind.
    pub id: String,
    /// JSON: members in a fixed order, so that equal rows have equal texts.
    pub text: String,
}

impl Item {
    /// The value of the text.
    pub fn json(&self) -> Value {
        // INVARIANT: the database made it of a jsonb.
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A strong tag (RFC 9110 section 8.8.3): another text has another one.
    pub fn etag(&self) -> String {
        let digest = Sha256::digest(&self.text);
        format!("\"{}\"", hex::encode(&digest[..16]))
    }

    fn of(row: &PgRow) -> Result<Item, StoreError> {
        Ok(Item { id: row.try_get(0)?, text: row.try_get(1)? })
    }

    /// The one that a statement of organization and UUID selects, if there is one.
    async fn by_id(
        connection: &mut PgConnection,
        statement: &'static str,
        organization: &str,
        id: Uuid,
    ) -> Result<Option<Item>, StoreError> {
        Item::one(connection, sqlx::query(statement).bind(organization).bind(id)).await
    }

    /// Those that a statement selects: rows of id and text.
    pub(in crate::store) async fn all(
        connection: &mut PgConnection,
        statement: Statement<'_>,
    ) -> Result<Vec<Item>, StoreError> {
        statement.fetch_all(connection).await?.iter().map(Item::of).collect()
    }

    /// A part of a list of items that have UUIDs. The statement takes the organization, the last one before, how many, and
    /// the filters.
    async fn page(
        connection: &mut PgConnection,
        statement: &'static str,
        organization: &str,
        range: &Range,
        filters: &[Option<&str>],
    ) -> Result<Vec<Item>, StoreError> {
        // A cursor of another form is none of theirs, and before everything.
        let after: Option<Uuid> = range.after.as_ref().and_then(|after| after.parse().ok());
        let statement = sqlx::query(statement).bind(organization).bind(after).bind(range.limit);
        let statement = filters.iter().fold(statement, |statement, filter| statement.bind(*filter));
        Item::all(connection, statement).await
    }

    /// A part of a list of items that have a type and an id; of one type if wanted. The statement takes the organization,
    /// type and id of the last one before, how many, and the type.
    async fn page_by_place(
        connection: &mut PgConnection,
        statement: &'static str,
        organization: &str,
        range: &Range,
        kind: Option<&str>,
    ) -> Result<Vec<Item>, StoreError> {
        let after: Option<(String, String)> =
            range.after.as_ref().and_then(|after| serde_json::from_str(after).ok());
        let statement = sqlx::query(statement)
            .bind(organization)
            .bind(after.as_ref().map(|after| after.0.as_str()))
            .bind(after.as_ref().map(|after| after.1.as_str()))
            .bind(range.limit)
            .bind(kind);
        Item::all(connection, statement).await
    }

    /// The one that a statement of organization, type and id selects, if there is one.
    async fn by_place(
        connection: &mut PgConnection,
        statement: &'static str,
        organization: &str,
        at: (&str, &str),
    ) -> Result<Option<Item>, StoreError> {
        Item::one(connection, sqlx::query(statement).bind(organization).bind(at.0).bind(at.1)).await
    }

    /// The one that a statement selects, if there is one.
    pub(in crate::store) async fn one(
        connection: &mut PgConnection,
        statement: Statement<'_>,
    ) -> Result<Option<Item>, StoreError> {
        statement.fetch_optional(connection).await?.as_ref().map(Item::of).transpose()
    }
}

type Statement<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// Which items of a list.
#[derive(Clone, Debug)]
pub struct Range {
    /// The last one of the page before.
    pub after: Option<String>,
    /// How many at most.
    pub limit: i64,
}

/// The organization's head, locked as every write of a fact locks it, until the transaction ends: nobody else writes
/// facts meanwhile. Its revision; `None` where there is no such organization.
pub async fn lock(connection: &mut PgConnection, organization: &str) -> Result<Option<u64>, StoreError> {
    let revision: Option<String> = sqlx::query_scalar(
        "SELECT head.revision::text FROM organization_heads AS head JOIN organizations USING (organization_id)
         WHERE organization_id = $1 FOR NO KEY UPDATE OF head",
    )
    .bind(organization)
    .fetch_optional(connection)
    .await?;
    revision.map(super::heads::parse_revision).transpose()
}

/// Checks what the database would check when the transaction is committed.
pub async fn check_now(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SET CONSTRAINTS ALL IMMEDIATE").execute(connection).await?;
    Ok(())
}

/// Begins a part of a transaction that can be taken back.
pub async fn begin_trial(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SAVEPOINT trial").execute(connection).await?;
    Ok(())
}

/// Takes back what was done since the trial began.
pub async fn take_back(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("ROLLBACK TO SAVEPOINT trial").execute(connection).await?;
    Ok(())
}

/// Executes a statement of organization and UUID.
async fn execute_by_id(
    connection: &mut PgConnection,
    statement: &'static str,
    organization: &str,
    id: Uuid,
) -> Result<(), StoreError> {
    sqlx::query(statement).bind(organization).bind(id).execute(connection).await?;
    Ok(())
}

/// The bounds of a life for two parameters: microseconds since 1970.
fn bounds(life: Life) -> (Option<i64>, Option<i64>) {
    (life.not_before, life.expires_at)
}

/// A parameter in microseconds as a time.
macro_rules! moment {
    ($parameter:literal) => {
        concat!("('epoch'::timestamptz + ", $parameter, "::int8 * interval '1 microsecond')")
    };
}

/// A time as text, to the microsecond.
macro_rules! iso {
    ($column:literal) => {
        concat!("to_char(", $column, " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    };
}

/// The edges of a resource that are no share's, as an array.
macro_rules! parents {
    ($resource:literal) => {
        concat!(
            "ARRAY(SELECT jsonb_build_object('type', parent_type, 'id', parent_id, 'relation', relation,
                    'cap', ARRAY(SELECT DISTINCT action COLLATE \"C\" FROM unnest(cap) AS action ORDER BY 1))
                FROM resource_parents AS edge WHERE edge.organization_id = ",
            $resource,
            ".organization_id AND edge.child_type = ",
            $resource,
            ".resource_type AND edge.child_id = ",
            $resource,
            ".resource_id AND edge.share_grant_id IS NULL
                ORDER BY parent_type, parent_id, relation, cap, resource_parent_id)"
        )
    };
}

pub(in crate::store) use moment;
use {iso, parents};
