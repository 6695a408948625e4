//! The pages of a query, in the order of its key.

use super::document::{PlanError, listed};
use super::error::AdoptError;
use super::plan::{Plan, PlanQuery};
use super::template::SourceRow;
use crate::store::adopt::source::{Pages, Source, Unsuited};

/// Reads one query.
pub(super) struct Reader {
    pages: Pages,
}

/// Some rows, after those of the page before.
pub(super) struct Page {
    pub rows: Vec<SourceRow>,
    first_key: Option<Vec<String>>,
    /// Of the last row. `None`: there is no row.
    pub last_key: Option<Vec<String>>,
    /// No row comes after it.
    pub is_last: bool,
}

impl Reader {
    /// Asks the source for the columns of all queries: what does not fit is said before anything is written.
    pub async fn all(plan: &Plan, source: &mut Source) -> Result<Vec<Self>, AdoptError> {
        let mut readers = Vec::new();
        for query in &plan.queries {
            readers.push(Reader { pages: pages(query, source).await? });
        }
        Ok(readers)
    }

    /// The rows after a key. One more is asked for than is taken: it tells whether the key is good at the seam.
    pub async fn page(
        &self,
        query: &PlanQuery,
        source: &mut Source,
        after: Option<&[String]>,
        limit: usize,
    ) -> Result<Page, AdoptError> {
        let rows = source.page(&self.pages, after, limit + 1).await;
        let mut rows = rows.map_err(|error| AdoptError::Source { query: query.name.clone(), error })?;
        let fault = |row: &SourceRow, what: String| AdoptError::Row {
            line: query.line,
            query: query.name.clone(),
            row: self.named(query, row),
            what,
        };
        let (mut first_key, mut last_key, mut before) = (None, None, None);
        for (at, row) in rows.iter().enumerate() {
            let Some(key) = self.pages.key(row) else {
                return Err(fault(
                    row,
                    "a column of the key is NULL: leave such rows out, or choose another `key`".to_owned(),
                ));
            };
            if before.as_ref() == Some(&key) {
                let what = "two rows have this key, so that one could be missed: add columns to `key` until it is unique";
                return Err(fault(row, what.to_owned()));
            }
            if at < limit {
                last_key = Some(key.clone());
                first_key.get_or_insert_with(|| key.clone());
            }
            before = Some(key);
        }
        let is_last = rows.len() <= limit;
        rows.truncate(limit);
        Ok(Page { rows, first_key, last_key, is_last })
    }

    /// How many rows the query has now.
    pub async fn count(&self, query: &PlanQuery, source: &mut Source) -> Result<u64, AdoptError> {
        let names: Vec<&str> =
            query.key.iter().map(|number| query.columns.names()[*number].0.as_str()).collect();
        let counted = source.count(&query.sql, &names).await;
        match counted.map_err(|error| AdoptError::Source { query: query.name.clone(), error })? {
            (count, 0) => Ok(count),
            (_, nulls) => {
                let what = format!(
                    "query `{}`: {nulls} of its rows have NULL in {}, a column of the key: leave them out in the SQL, or \
                     choose another `key`",
                    query.name,
                    listed(&names)
                );
                Err(PlanError::new(query.line, what).into())
            }
        }
    }

    /// A row by its key, for people.
    pub fn named(&self, query: &PlanQuery, row: &SourceRow) -> String {
        let of = |number: &usize| {
            let value = row[*number].as_deref().unwrap_or("NULL");
            format!("{}={value}", query.columns.names()[*number].0)
        };
        query.key.iter().map(of).collect::<Vec<_>>().join(" ")
    }
}

impl Page {
    /// From which row to which.
    pub fn range(&self) -> String {
        let text = |key: &Option<Vec<String>>| key.as_ref().map_or("none".to_owned(), |key| key.join(" "));
        format!("{} to {}", text(&self.first_key), text(&self.last_key))
    }
}

async fn pages(query: &PlanQuery, source: &mut Source) -> Result<Pages, AdoptError> {
    let names: Vec<&str> = query.columns.names().iter().map(|(name, _)| name.as_str()).collect();
    let pages = source.pages(&query.sql, &names, &query.key).await;
    let pages = pages.map_err(|error| AdoptError::Source { query: query.name.clone(), error })?;
    pages.map_err(|unsuited| {
        let line = |name: &str| {
            let found = query.columns.names().iter().find(|(known, _)| known == name);
            found.map_or(query.line, |(_, line)| *line)
        };
        let fault = match unsuited {
            Unsuited::NoColumn(name, there) => PlanError::new(
                line(&name),
                format!("query `{}` has no column `{name}`: it has {}", query.name, listed(&there)),
            ),
            Unsuited::KeyType(name, kind) => PlanError::new(
                line(&name),
                format!(
                    "`key`: column `{name}` of query `{}` is of type {kind}, whose order pages cannot follow: \
                     use columns of numbers, UUIDs, texts or times",
                    query.name
                ),
            ),
        };
        fault.into()
    })
}
