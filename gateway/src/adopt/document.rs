//! A TOML document taken apart member by member, so that every complaint names its line and what belongs there.

use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Why a plan cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
pub struct PlanError {
    /// From 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl PlanError {
    pub(crate) fn new(line: usize, what: impl Into<String>) -> Self {
        PlanError { line, what: what.into() }
    }
}

/// Parses a document and takes it apart.
pub(crate) fn read<T>(
    text: &str,
    take: impl FnOnce(Table<'_>) -> Result<T, PlanError>,
) -> Result<T, PlanError> {
    let lines = Lines { text };
    let root = DeTable::parse(text).map_err(|error| {
        let line = lines.of(error.span().map_or(0, |span| span.start));
        PlanError::new(line, format!("this is no TOML: {}", error.message().replace('\n', ", ")))
    })?;
    take(Table::new(root.get_ref(), "the plan".to_owned(), 1, lines))
}

#[derive(Clone, Copy)]
struct Lines<'d> {
    text: &'d str,
}

impl Lines<'_> {
    fn of(self, at: usize) -> usize {
        self.text.as_bytes()[..at.min(self.text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// A table whose members are taken one by one; what is left in the end is refused.
pub(crate) struct Table<'d> {
    members: BTreeMap<&'d str, (usize, &'d Spanned<DeValue<'d>>)>,
    asked: Vec<&'static str>,
    /// What it is called in messages.
    pub place: String,
    /// Where it begins.
    pub line: usize,
    lines: Lines<'d>,
}

impl<'d> Table<'d> {
    fn new(table: &'d DeTable<'d>, place: String, line: usize, lines: Lines<'d>) -> Self {
        let members =
            table.iter().map(|(name, value)| (&**name.get_ref(), (lines.of(name.span().start), value)));
        Table { members: members.collect(), asked: Vec::new(), place, line, lines }
    }

    /// A member that may be missing.
    pub fn take(&mut self, name: &'static str) -> Option<Value<'d>> {
        self.asked.push(name);
        let (_, value) = self.members.remove(name)?;
        Some(self.value(name, value))
    }

    /// A member that must be there.
    pub fn need(&mut self, name: &'static str, example: &str) -> Result<Value<'d>, PlanError> {
        let (line, place) = (self.line, self.place.clone());
        self.take(name)
            .ok_or_else(|| PlanError::new(line, format!("`{name}` is missing in {place}: add {example}")))
    }

    /// All members, whatever they are called.
    pub fn all(self) -> Vec<(&'d str, Value<'d>)> {
        let members: Vec<_> = self.members.iter().map(|(name, (_, value))| (*name, *value)).collect();
        members.into_iter().map(|(name, value)| (name, self.value(name, value))).collect()
    }

    /// Nothing may be left.
    pub fn finish(self) -> Result<(), PlanError> {
        match self.members.first_key_value() {
            None => Ok(()),
            Some((name, (line, _))) => Err(PlanError::new(
                *line,
                format!("{} has no member `{name}`: it has {}", self.place, listed(&self.asked)),
            )),
        }
    }

    fn value(&self, name: &str, value: &'d Spanned<DeValue<'d>>) -> Value<'d> {
        let line = self.lines.of(value.span().start);
        Value {
            value: value.get_ref(),
            line,
            place: format!("`{name}` of {}", self.place),
            lines: self.lines,
        }
    }
}

/// Names as people write them.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// A value, with its place.
pub(crate) struct Value<'d> {
    value: &'d DeValue<'d>,
    /// Where it begins.
    pub line: usize,
    /// What it is called in messages.
    pub place: String,
    lines: Lines<'d>,
}

impl<'d> Value<'d> {
    fn refuse(&self, wanted: &str) -> PlanError {
        let found = self.value.type_str();
        PlanError::new(self.line, format!("{} is {wanted}, not a TOML {found}", self.place))
    }

    pub fn string(&self) -> Result<&'d str, PlanError> {
        self.value.as_str().ok_or_else(|| self.refuse("a text in quotes"))
    }

    /// Text, a whole number or a boolean, as the text that the database writes for it.
    pub fn scalar(&self) -> Result<String, PlanError> {
        match self.value {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().replace('_', "")),
            DeValue::Boolean(value) => Ok(value.to_string()),
            _ => Err(self.refuse("a text, a whole number, true or false")),
        }
    }

    pub fn boolean(&self) -> Result<bool, PlanError> {
        self.value.as_bool().ok_or_else(|| self.refuse("true or false"))
    }

    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub fn is_array(&self) -> bool {
        self.value.is_array()
    }

    pub fn array(&self) -> Result<Vec<Value<'d>>, PlanError> {
        let array = self.value.as_array().ok_or_else(|| self.refuse("an array"))?;
        let item = |item: &'d Spanned<DeValue<'d>>| Value {
            value: item.get_ref(),
            line: self.lines.of(item.span().start),
            place: format!("an item of {}", self.place),
            lines: self.lines,
        };
        Ok(array.iter().map(item).collect())
    }

    pub fn table(self, place: impl Into<String>) -> Result<Table<'d>, PlanError> {
        let table = self.value.as_table().ok_or_else(|| self.refuse("a table"))?;
        Ok(Table::new(table, place.into(), self.line, self.lines))
    }

    /// `[[name]]`
    pub fn tables(self, place: &str) -> Result<Vec<Table<'d>>, PlanError> {
        if !self.value.as_array().is_some_and(|array| array.iter().all(|item| item.get_ref().is_table())) {
            return Err(PlanError::new(
                self.line,
                format!("{} is written as {place}, with double brackets", self.place),
            ));
        }
        self.array()?.into_iter().map(|item| item.table(place)).collect()
    }
}
