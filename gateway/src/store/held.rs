//! Facts as they came from the database, kept so that a change reads again what it changed and nothing else.
//!
//! Rows are kept as COPY sent them, one after the other. What is read again stands beside them and in their place, until
//! it is so much that all of it is put together anew.

use super::copy::{Fields, PutField};
use super::facts::{FactSink, Relation, Rows};
use super::{StoreError, heads, set_organization};
use sqlx::{Connection, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// LIMIT: changes that are read one by one; with more of them everything is read again.
const CHANGES_MAX: i64 = 4096;
/// LIMIT: an organization with more than this is read anew for every revision.
const BYTES_MAX: usize = 512 * 1024 * 1024;
/// What stands beside the rows is put among them when it is more than this, and more than an eighth of them.
const BESIDE_BYTES: usize = 64 * 1024;

/// The facts of one organization at one revision.
#[derive(Debug)]
pub struct Held {
    /// The revision.
    pub revision: u64,
    /// The history that it belongs to.
    pub epoch: String,
    relations: [HeldRows; Relation::ALL.len()],
}

#[derive(Debug, Default)]
struct HeldRows {
    /// `(length u32, row)*`
    rows: Vec<u8>,
    /// By key: what is there instead of the rows with that key.
    beside: HashMap<Vec<u8>, Vec<u8>>,
}

/// What has changed of a relation.
#[derive(Debug, Default)]
struct Changed {
    all: bool,
    keys: Vec<(String, String)>,
}

impl Held {
    /// The facts as they are now, read as far as they are not held. `None` where there is no such organization.
    pub async fn read(
        connection: &mut PgConnection,
        organization: &str,
        held: Option<Held>,
    ) -> Result<Option<Held>, StoreError> {
        // One snapshot of the database for all statements: the revision and the facts belong together.
        let mut transaction =
            connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let Some(revision) = heads::revision(&mut transaction, organization).await? else {
            return Ok(None);
        };
        let epoch = heads::epoch(&mut transaction).await?;
        set_organization(&mut transaction, organization).await?;
        let held = held.filter(|held| held.epoch == epoch && held.revision <= revision);
        let known = match held {
            Some(held) => {
                let changes = changes(&mut transaction, organization, (held.revision, revision)).await?;
                changes.map(|changes| (held, changes))
            }
            None => None,
        };
        let mut read = match known {
            Some((mut held, changes)) => {
                for (relation, changed) in &changes {
                    held.relations[*relation]
                        .update(&mut transaction, Relation::ALL[*relation], changed)
                        .await?;
                }
                held
            }
            None => {
                let mut relations: [HeldRows; Relation::ALL.len()] = Default::default();
                for (rows, relation) in relations.iter_mut().zip(Relation::ALL) {
                    rows.read(&mut transaction, relation).await?;
                }
                Held { revision, epoch: String::new(), relations }
            }
        };
        transaction.commit().await?;
        (read.revision, read.epoch) = (revision, epoch);
        Ok(Some(read))
    }

    /// Tells a sink of all facts, the catalog first and else in no order.
    pub fn tell(&self, organization: &str, sink: &mut impl FactSink) -> Result<(), StoreError> {
        sink.begin(organization, self.revision)?;
        for (rows, relation) in self.relations.iter().zip(Relation::ALL) {
            rows.each(relation, |row| relation.tell(row, sink))?;
        }
        Ok(())
    }

    /// Whether it is small enough to be kept.
    pub fn may_stay(&self) -> bool {
        self.relations.iter().map(|rows| rows.rows.len() + rows.beside_bytes()).sum::<usize>() <= BYTES_MAX
    }
}

/// What the revisions after the first one, up to the second, have changed, by the number of the relation; `None` where
/// that is not known of each of them.
async fn changes(
    connection: &mut PgConnection,
    organization: &str,
    (from, to): (u64, u64),
) -> Result<Option<BTreeMap<usize, Changed>>, StoreError> {
    let rows = sqlx::query(
        "SELECT revision::text, relation, key, key2 FROM fact_changes
         WHERE organization_id = $1 AND revision > $2::numeric AND revision <= $3::numeric LIMIT $4",
    )
    .bind(organization)
    .bind(from.to_string())
    .bind(to.to_string())
    .bind(CHANGES_MAX + 1)
    .fetch_all(connection)
    .await?;
    let (mut revisions, mut changes) = (BTreeSet::new(), BTreeMap::<usize, Changed>::new());
    for row in &rows {
        revisions.insert(row.try_get::<String, _>(0)?);
        let relation: String = row.try_get(1)?;
        let Some(relation) = Relation::ALL.iter().position(|known| known.name() == relation) else {
            return Ok(None);
        };
        let (key, key2): (String, String) = (row.try_get(2)?, row.try_get(3)?);
        let changed = changes.entry(relation).or_default();
        match key.is_empty() {
            true => changed.all = true,
            false => changed.keys.push((key, key2)),
        }
    }
    let known = rows.len() as i64 <= CHANGES_MAX && revisions.len() as u64 == to - from;
    Ok(known.then_some(changes))
}

impl HeldRows {
    /// Reads all rows.
    async fn read(&mut self, connection: &mut PgConnection, relation: Relation) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        relation.read(connection, Rows::All, |row| push(&mut rows, row.take())).await?;
        rows.shrink_to_fit();
        *self = HeldRows { rows, beside: HashMap::new() };
        Ok(())
    }

    /// Reads what has changed.
    async fn update(
        &mut self,
        connection: &mut PgConnection,
        relation: Relation,
        changed: &Changed,
    ) -> Result<(), StoreError> {
        if changed.all {
            return self.read(connection, relation).await;
        }
        let lists: [Vec<&str>; 2] = [
            changed.keys.iter().map(|(key, _)| key.as_str()).collect(),
            changed.keys.iter().map(|(_, key2)| key2.as_str()).collect(),
        ];
        sqlx::query(
            "SELECT set_config('postern.keys', $1::text[]::text, true),
                set_config('postern.keys2', $2::text[]::text, true)",
        )
        .bind(&lists[0])
        .bind(&lists[1])
        .execute(&mut *connection)
        .await?;
        // What is gone has no rows to say so.
        let mut read: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        for (key, key2) in &changed.keys {
            let mut bytes = Vec::with_capacity(key.len() + key2.len() + 8);
            bytes.put(key.as_bytes());
            if relation.key_fields() == 2 {
                bytes.put(key2.as_bytes());
            }
            read.insert(bytes, Vec::new());
        }
        let keyed = |row: &mut Fields<'_>| {
            let length = row.length_of(relation.key_fields())?;
            let row = row.take();
            push(read.entry(row[..length].to_vec()).or_default(), row)
        };
        relation.read(connection, Rows::Keyed, keyed).await?;
        self.beside.extend(read);
        if self.beside_bytes() > BESIDE_BYTES.max(self.rows.len() / 8) {
            let mut rows = Vec::with_capacity(self.rows.len() + self.beside_bytes());
            self.each(relation, |row| push(&mut rows, row.take()))?;
            *self = HeldRows { rows, beside: HashMap::new() };
        }
        Ok(())
    }

    fn beside_bytes(&self) -> usize {
        self.beside.iter().map(|(key, rows)| key.len() + rows.len() + 64).sum()
    }

    fn each(
        &self,
        relation: Relation,
        mut each: impl FnMut(&mut Fields<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let replaced = |row: &[u8]| -> Result<bool, StoreError> {
            if self.beside.is_empty() {
                return Ok(false);
            }
            let length = Fields::of(row, relation.name()).length_of(relation.key_fields())?;
            Ok(self.beside.contains_key(&row[..length]))
        };
        for row in iterate(&self.rows) {
            if !replaced(row)? {
                each(&mut Fields::of(row, relation.name()))?;
            }
        }
        for row in self.beside.values().flat_map(|rows| iterate(rows)) {
            each(&mut Fields::of(row, relation.name()))?;
        }
        Ok(())
    }
}

fn push(rows: &mut Vec<u8>, row: &[u8]) -> Result<(), StoreError> {
    // Postgres sends no row of more than 1 GiB.
    rows.extend_from_slice(&(row.len() as u32).to_le_bytes());
    rows.extend_from_slice(row);
    Ok(())
}

fn iterate(mut rows: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = rows.split_first_chunk::<4>()?;
        let (row, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        rows = rest;
        Some(row)
    })
}
