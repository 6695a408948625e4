//! The head rows: which organizations have changed.

use super::StoreError;
use sqlx::{PgConnection, Row};

/// What has become of one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its id.
    pub organization: String,
    /// Its revision.
    pub revision: u64,
    /// Raised when a key of it is made, changed or revoked.
    pub credentials_revision: i64,
    /// It is no more.
    pub deleted: bool,
}

/// Where to go on asking. The first transaction that the last answer may have missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon(String);

impl Horizon {
    /// Everything is news.
    pub fn start() -> Self {
        Horizon("0".to_owned())
    }
}

/// The heads that were changed by a transaction which the snapshot of the last answer did not see, and maybe some that
/// were known. One index lookup: an answer that is empty costs the same for ten organizations as for ten million.
///
/// Transactions below the oldest one that runs (`pg_snapshot_xmin`) have all ended, so the last answer had them; every
/// one that it lacked has a number from there on. A long transaction holds the horizon back, and rows repeat; none is
/// ever left out.
pub async fn changed_since(
    connection: &mut PgConnection,
    horizon: &Horizon,
) -> Result<(Vec<Head>, Horizon), StoreError> {
    let rows = sqlx::query(
        "SELECT here.horizon, head.organization_id::text, head.revision::text, head.credentials_revision,
                head.deleted_at IS NOT NULL
         FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon) AS here
         LEFT JOIN organization_heads AS head ON head.changed_in >= $1::text::xid8",
    )
    .bind(&horizon.0)
    .fetch_all(connection)
    .await?;
    let mut heads = Vec::new();
    let mut next = horizon.clone();
    for row in rows {
        next = Horizon(row.try_get(0)?);
        if let Some(organization) = row.try_get::<Option<String>, _>(1)? {
            let revision = parse_revision(row.try_get(2)?)?;
            heads.push(Head {
                organization,
                revision,
                credentials_revision: row.try_get(3)?,
                deleted: row.try_get(4)?,
            });
        }
    }
    Ok((heads, next))
}

/// The revision of an organization that exists.
pub async fn revision(connection: &mut PgConnection, organization: &str) -> Result<Option<u64>, StoreError> {
    let revision: Option<String> = sqlx::query_scalar(
        "SELECT head.revision::text FROM organizations JOIN organization_heads AS head USING (organization_id)
         WHERE organization_id = $1",
    )
    .bind(organization)
    .fetch_optional(connection)
    .await?;
    revision.map(parse_revision).transpose()
}

/// The history that this database's revisions belong to: another one after it was restored.
pub async fn epoch(connection: &mut PgConnection) -> Result<String, StoreError> {
    Ok(sqlx::query_scalar("SELECT database_epoch()").fetch_one(connection).await?)
}

/// After a dump was restored, transaction numbers of the other cluster may be ahead of this one's. They would be news
/// for ever; and none of their transactions is running.
pub(super) async fn forget_other_clusters(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE organization_heads SET changed_in = '0'
         WHERE changed_in > pg_snapshot_xmax(pg_current_snapshot())",
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) fn parse_revision(text: String) -> Result<u64, StoreError> {
    text.parse().map_err(|_| StoreError::Inconsistent {
        table: "organization_heads",
        what: format!("revision `{text}` is not an unsigned 64-bit number"),
    })
}
