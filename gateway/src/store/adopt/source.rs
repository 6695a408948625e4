//! Reading the database that is adopted. Nothing is written there: its transactions are read-only.

use crate::store::{StoreError, connect};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Column, Connection, Executor, PgConnection, Row, SqlSafeStr, Statement};

/// A connection to the source.
pub struct Source {
    connection: PgConnection,
}

/// A query as it is read: its columns as text, its rows in the order of its key, a page at a time.
#[derive(Debug)]
pub struct Pages {
    first: String,
    next: String,
    /// Where the columns of the key are among those that are read.
    key: Vec<usize>,
}

/// Types whose order a key may have. Each reads its own text back as the same value.
const KEY_TYPES: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "oid",
    "numeric",
    "uuid",
    "text",
    "character varying",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
    "bytea",
];

/// What is wrong with a query's columns.
#[derive(Debug)]
pub enum Unsuited {
    /// It has no such column; those that it has.
    NoColumn(String, Vec<String>),
    /// A column of the key has a type without an order that pages can follow.
    KeyType(String, String),
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Source {
    /// Connects. Times are read in UTC, whatever the server's settings are.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let mut connection = connect(url).await?;
        connection
            .execute(
                "SET default_transaction_read_only = on; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; \
                 SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex'; SET statement_timeout = 0",
            )
            .await?;
        Ok(Source { connection })
    }

    /// Ends the connection.
    pub async fn close(self) {
        // It was only read from.
        let _ = self.connection.close().await;
    }

    /// Host, port and database, without credentials: where facts come from.
    pub async fn address(&mut self) -> Result<String, StoreError> {
        let row = "SELECT coalesce(host(inet_server_addr()) || ':' || inet_server_port(), 'local') || '/' ||
            current_database()";
        Ok(sqlx::query_scalar(row).fetch_one(&mut self.connection).await?)
    }

    /// Asks for a query's columns, and makes the statements that read its pages. The columns come in this order; `key`
    /// are numbers among them.
    pub async fn pages(
        &mut self,
        sql: &str,
        columns: &[&str],
        key: &[usize],
    ) -> Result<Result<Pages, Unsuited>, StoreError> {
        let probe = format!("SELECT * FROM (\n{sql}\n) AS source LIMIT 0");
        let statement = (&mut self.connection).prepare(AssertSqlSafe(probe).into_sql_str()).await?;
        let there: Vec<(String, Option<u32>)> = statement
            .columns()
            .iter()
            .map(|column| (column.name().to_owned(), column.type_info().oid().map(|oid| oid.0)))
            .collect();
        for wanted in columns {
            if !there.iter().any(|(name, _)| name == wanted) {
                let names = there.into_iter().map(|(name, _)| name).collect();
                return Ok(Err(Unsuited::NoColumn((*wanted).to_owned(), names)));
            }
        }
        let mut types = Vec::new();
        for number in key {
            let name = columns[*number];
            // INVARIANT: looked for above.
            let oid = there.iter().find(|(there, _)| there == name).and_then(|(_, oid)| *oid).unwrap_or(0);
            let kind: String = sqlx::query_scalar("SELECT format_type($1::int8::oid, NULL)")
                .bind(i64::from(oid))
                .fetch_one(&mut self.connection)
                .await?;
            if !KEY_TYPES.contains(&kind.as_str()) {
                return Ok(Err(Unsuited::KeyType(name.to_owned(), kind)));
            }
            types.push(kind);
        }
        Ok(Ok(Pages::new(sql, columns, key, &types)))
    }

    /// How many rows a query has now, and how many of them no page can have, because a column of the key is NULL.
    pub async fn count(&mut self, sql: &str, key: &[&str]) -> Result<(u64, u64), StoreError> {
        let null: Vec<String> = key.iter().map(|name| format!("source.{} IS NULL", quoted(name))).collect();
        let null = null.join(" OR ");
        let count = format!("SELECT count(*), count(*) FILTER (WHERE {null}) FROM (\n{sql}\n) AS source");
        let row = sqlx::query(AssertSqlSafe(count)).fetch_one(&mut self.connection).await?;
        let number = |at: usize| row.try_get::<i64, _>(at).map(i64::unsigned_abs);
        Ok((number(0)?, number(1)?))
    }

    /// The rows after a key, at most so many; from the beginning without one.
    pub async fn page(
        &mut self,
        pages: &Pages,
        after: Option<&[String]>,
        limit: usize,
    ) -> Result<Vec<Vec<Option<String>>>, StoreError> {
        let sql = if after.is_some() { &pages.next } else { &pages.first };
        let mut query =
            sqlx::query(AssertSqlSafe(sql.as_str())).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        for value in after.into_iter().flatten() {
            query = query.bind(value);
        }
        let rows = query.fetch_all(&mut self.connection).await?;
        rows.iter().map(texts).collect()
    }

    /// What a query says of subjects, permissions, types, ids and whether it is allowed: row by row, from a cursor.
    pub async fn allowed(
        &mut self,
        sql: &str,
        mut each: impl FnMut([Option<String>; 5]),
    ) -> Result<u64, StoreError> {
        use futures_util::TryStreamExt;
        let sql = format!(
            "SELECT subject::text, permission::text, type::text, id::text, allowed::text FROM (\n{sql}\n) AS source"
        );
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut self.connection);
        let mut count = 0;
        while let Some(row) = rows.try_next().await? {
            each([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?]);
            count += 1;
        }
        Ok(count)
    }
}

fn texts(row: &PgRow) -> Result<Vec<Option<String>>, StoreError> {
    (0..row.len()).map(|column| Ok(row.try_get(column)?)).collect()
}

impl Pages {
    fn new(sql: &str, columns: &[&str], key: &[usize], types: &[String]) -> Self {
        let read: Vec<String> = columns.iter().map(|name| format!("source.{}::text", quoted(name))).collect();
        let names: Vec<String> =
            key.iter().map(|number| format!("source.{}", quoted(columns[*number]))).collect();
        // The last key comes back as text and is made what it was: rows are compared by their own type.
        let last: Vec<String> =
            types.iter().enumerate().map(|(at, kind)| format!("${}::text::{kind}", at + 2)).collect();
        let (read, names, last) = (read.join(", "), names.join(", "), last.join(", "));
        let from = format!("SELECT {read} FROM (\n{sql}\n) AS source");
        Pages {
            first: format!("{from} ORDER BY {names} LIMIT $1"),
            next: format!("{from} WHERE ({names}) > ({last}) ORDER BY {names} LIMIT $1"),
            key: key.to_vec(),
        }
    }

    /// The key of a row. `None`: a column of it is NULL.
    pub fn key(&self, row: &[Option<String>]) -> Option<Vec<String>> {
        self.key.iter().map(|number| row[*number].clone()).collect()
    }
}
