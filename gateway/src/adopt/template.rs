//! Texts with columns in them, and conditions on columns.

use super::document::{PlanError, Value};

/// The columns that a query's rules use, each with the line where it is first used. Rules know them by their number.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    names: Vec<(String, usize)>,
}

impl Columns {
    /// The number of a column.
    pub fn number(&mut self, name: &str, line: usize) -> usize {
        let known = self.names.iter().position(|(known, _)| known == name);
        known.unwrap_or_else(|| {
            self.names.push((name.to_owned(), line));
            self.names.len() - 1
        })
    }

    /// Names and lines, by number.
    pub fn names(&self) -> &[(String, usize)] {
        &self.names
    }
}

/// A row of the source: the columns by their numbers, as text.
pub(crate) type SourceRow = Vec<Option<String>>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(usize),
}

/// `user:{id}`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    /// Where it stands in the plan.
    pub line: usize,
}

impl Template {
    pub fn parse(value: &Value<'_>, columns: &mut Columns) -> Result<Self, PlanError> {
        let (text, line) = (value.scalar()?, value.line);
        let fault = |what: &str| PlanError::new(line, format!("{}: {what}", value.place));
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.push_str(&from[..1]);
                rest = after;
                continue;
            }
            let Some(inner) = from.strip_prefix('{') else {
                return Err(fault("`}` without `{` before it; a brace itself is written `}}`"));
            };
            let Some((name, after)) = inner.split_once('}') else {
                return Err(fault("`{` without `}` after it; a brace itself is written `{{`"));
            };
            if name.trim() != name || name.is_empty() || name.contains('{') {
                return Err(fault("between braces stands the name of a column of the query: `{id}`"));
            }
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Column(columns.number(name, line)));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { parts, line })
    }

    /// A text without columns.
    pub fn fixed(line: usize, text: &str) -> Self {
        Template { parts: vec![Part::Text(text.to_owned())], line }
    }

    /// The text for a row; the number of a column that is NULL otherwise.
    pub fn fill(&self, row: &SourceRow) -> Result<String, usize> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Column(number) => text.push_str(row[*number].as_deref().ok_or(*number)?),
            }
        }
        Ok(text)
    }

    /// The only column in it, if it is one: other values of the column give other texts.
    pub fn only_column(&self) -> Option<usize> {
        let mut columns = self.parts.iter().filter_map(|part| match part {
            Part::Column(number) => Some(*number),
            Part::Text(_) => None,
        });
        let first = columns.next()?;
        columns.next().is_none().then_some(first)
    }
}

/// A text that may begin or end with `*` for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern(String);

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match (self.0.strip_prefix('*'), self.0.strip_suffix('*')) {
            (Some(_), Some(_)) if self.0.len() > 1 => text.contains(&self.0[1..self.0.len() - 1]),
            (Some(end), _) => text.ends_with(end),
            (None, Some(start)) => text.starts_with(start),
            (None, None) => text == self.0,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Is(Vec<Pattern>),
    IsNot(Vec<Pattern>),
    Null(bool),
}

/// `when = { role = "ADMIN" }`: all of its columns must be so. Empty: always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct When(Vec<(usize, Test)>);

impl When {
    pub fn parse(value: Option<Value<'_>>, columns: &mut Columns) -> Result<Self, PlanError> {
        let Some(value) = value else { return Ok(When::default()) };
        let place = value.place.clone();
        let mut tests = Vec::new();
        for (name, value) in value.table(place)?.all() {
            let number = columns.number(name, value.line);
            tests.push((number, Test::parse(value)?));
        }
        Ok(When(tests))
    }

    pub fn holds(&self, row: &SourceRow) -> bool {
        self.0.iter().all(|(number, test)| {
            let value = row[*number].as_deref();
            let any = |patterns: &[Pattern]| {
                value.is_some_and(|text| patterns.iter().any(|pattern| pattern.matches(text)))
            };
            match test {
                Test::Is(patterns) => any(patterns),
                Test::IsNot(patterns) => !any(patterns),
                Test::Null(wanted) => value.is_none() == *wanted,
            }
        })
    }
}

impl Test {
    fn parse(value: Value<'_>) -> Result<Self, PlanError> {
        if !value.is_table() {
            return Ok(Test::Is(patterns(&value)?));
        }
        let mut table = value.table("a condition")?;
        let line = table.line;
        let (not, null) = (table.take("not"), table.take("null"));
        table.finish()?;
        match (not, null) {
            (Some(not), None) => Ok(Test::IsNot(patterns(&not)?)),
            (None, Some(null)) => Ok(Test::Null(null.boolean()?)),
            _ => Err(PlanError::new(line, "a condition is a text, several, { not = … } or { null = true }")),
        }
    }
}

fn patterns(value: &Value<'_>) -> Result<Vec<Pattern>, PlanError> {
    let items = if value.is_array() { value.array()? } else { return Ok(vec![Pattern(value.scalar()?)]) };
    items.iter().map(|item| item.scalar().map(Pattern)).collect()
}
