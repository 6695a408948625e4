//! A plan: which queries, and what their rows become. `docs/adopting.md` describes the document.

use super::document::{PlanError, Table, listed, read};
use super::rule::{RULES, Rule};
use super::template::Columns;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What the first member of a plan says.
pub const FORMAT: &str = "postern-adopt/1";

/// A plan that can be run.
#[derive(Debug)]
pub struct Plan {
    /// What its facts are known by.
    pub name: String,
    /// The organization that it fills.
    pub organization: String,
    /// As it was written.
    pub text: String,
    pub(crate) queries: Vec<PlanQuery>,
    pub(crate) checks: Vec<Check>,
}

/// `[[query]]`
#[derive(Debug)]
pub(crate) struct PlanQuery {
    pub name: String,
    /// Without a semicolon.
    pub sql: String,
    /// The columns that tell its rows apart, as numbers.
    pub key: Vec<usize>,
    /// Where it begins.
    pub line: usize,
    pub columns: Columns,
    pub rules: Vec<Rule>,
}

/// `[[check]]`: decisions that the source can tell by itself.
#[derive(Debug)]
pub(crate) struct Check {
    pub name: String,
    pub sql: String,
    pub line: usize,
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// The line, what is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        read(text, |root| Plan::take(text, root))
    }

    fn take(text: &str, mut root: Table<'_>) -> Result<Self, PlanError> {
        let format = root.need("format", &format!("`format = \"{FORMAT}\"`"))?;
        if format.string()? != FORMAT {
            return Err(PlanError::new(format.line, format!("`format` must be \"{FORMAT}\"")));
        }
        let name = named(&mut root, "`name = \"fleet\"`: the facts are known by it")?;
        let value = root.need("organization", "`organization = \"acme\"`: the one that the facts are for")?;
        let organization = value.string()?.to_owned();
        if organization.is_empty() {
            return Err(PlanError::new(value.line, "`organization` is empty"));
        }
        let tables = root.need("query", "at least one [[query]]")?.tables("[[query]]")?;
        let queries = tables.into_iter().map(query).collect::<Result<Vec<_>, _>>()?;
        let tables = root.take("check").map(|value| value.tables("[[check]]")).transpose()?;
        let checks = tables.unwrap_or_default().into_iter().map(check).collect::<Result<Vec<_>, _>>()?;
        root.finish()?;
        unlike(queries.iter().map(|query| (query.name.as_str(), query.line)), "query")?;
        unlike(checks.iter().map(|check| (check.name.as_str(), check.line)), "check")?;
        Ok(Plan { name, organization, text: text.to_owned(), queries, checks })
    }

    /// SHA-256 of the text.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.text).into()
    }
}

fn named(table: &mut Table<'_>, example: &str) -> Result<String, PlanError> {
    let value = table.need("name", example)?;
    let name = value.string()?;
    if name.trim() != name || name.is_empty() || name.len() > 200 {
        return Err(PlanError::new(
            value.line,
            format!("{} has 1 to 200 bytes, without spaces around", value.place),
        ));
    }
    Ok(name.to_owned())
}

fn unlike<'n>(names: impl Iterator<Item = (&'n str, usize)>, what: &str) -> Result<(), PlanError> {
    let mut seen = BTreeMap::new();
    for (name, line) in names {
        if let Some(first) = seen.insert(name, line) {
            return Err(PlanError::new(
                line,
                format!("another {what} in line {first} is called `{name}`: give each a name of its own"),
            ));
        }
    }
    Ok(())
}

fn statement(table: &mut Table<'_>, example: &str) -> Result<String, PlanError> {
    let value = table.need("sql", example)?;
    let sql = value.string()?.trim().trim_end_matches(';').trim_end();
    if sql.is_empty() {
        return Err(PlanError::new(value.line, format!("`sql` is empty: write {example}")));
    }
    Ok(sql.to_owned())
}

fn query(mut table: Table<'_>) -> Result<PlanQuery, PlanError> {
    let line = table.line;
    let name = named(&mut table, "`name = \"users\"`")?;
    let sql = statement(&mut table, "`sql = \"SELECT id, email FROM users\"`")?;
    let mut columns = Columns::default();
    let value = table.need("key", "`key = [\"id\"]`: the columns that tell its rows apart")?;
    let mut key = Vec::new();
    for item in value.array()? {
        let number = columns.number(item.string()?, item.line);
        if key.contains(&number) {
            return Err(PlanError::new(item.line, "`key` names a column twice"));
        }
        key.push(number);
    }
    if key.is_empty() {
        return Err(PlanError::new(value.line, "`key` is empty: name the columns that tell the rows apart"));
    }
    let mut rules = Vec::new();
    for (kind_name, kind) in RULES {
        let Some(value) = table.take(kind_name) else { continue };
        let tables = value.tables(&format!("[[query.{kind_name}]]"))?;
        for (number, table) in tables.into_iter().enumerate() {
            rules.push(Rule::parse(format!("{kind_name} {}", number + 1), kind, table, &mut columns)?);
        }
    }
    table.finish()?;
    if rules.is_empty() {
        let all: Vec<String> = RULES.iter().map(|(name, _)| format!("[[query.{name}]]")).collect();
        return Err(PlanError::new(
            line,
            format!("query `{name}` makes nothing of its rows: add one of {}", listed(&all)),
        ));
    }
    Ok(PlanQuery { name, sql, key, line, columns, rules })
}

fn check(mut table: Table<'_>) -> Result<Check, PlanError> {
    let line = table.line;
    let name = named(&mut table, "`name = \"who may restart miners\"`")?;
    let example = "a SELECT of subject, permission, type, id and allowed";
    let sql = statement(&mut table, example)?;
    table.finish()?;
    Ok(Check { name, sql, line })
}
