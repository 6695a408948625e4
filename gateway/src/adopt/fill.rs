//! From a row of the source to facts. No clock and no database: the same row gives the same facts.

use super::plan::PlanQuery;
use super::rule::{Choice, Field, Form, Rule};
use super::template::{SourceRow, Template};
use crate::store::adopt::facts::{Fact, Kind};
use postern_vocab::{is_reserved_id, split_subject, valid_permission_key};
use postern_world::parse_time;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// As the domain `fact_text` of the migrations says.
const ID_BYTES_MAX: usize = 512;

/// What a row cannot become, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// Of the plan.
    pub line: usize,
    pub what: String,
}

/// Whose facts they are: part of the ids that are made of what facts say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'p> {
    pub organization: &'p str,
    pub plan: &'p str,
}

impl PlanQuery {
    /// The facts of a row, each with the number of its rule.
    pub fn facts(
        &self,
        owner: Owner<'_>,
        row: &SourceRow,
        out: &mut Vec<(usize, Fact)>,
    ) -> Result<(), Unfit> {
        for (number, rule) in self.rules.iter().enumerate() {
            if rule.when.holds(row) {
                rule.facts(owner, self, row, |fact| out.push((number, fact)))?;
            }
        }
        Ok(())
    }

    fn column(&self, number: usize) -> &str {
        &self.columns.names()[number].0
    }

    fn is_null(&self, template: &Template, column: usize, member: &str) -> Unfit {
        let column = self.column(column);
        let what = format!(
            "`{member}` needs column `{column}`, which is NULL: leave such rows out with \
             `when = {{ {column} = {{ null = false }} }}`"
        );
        Unfit { line: template.line, what }
    }

    fn text(&self, template: &Template, member: &str, row: &SourceRow) -> Result<String, Unfit> {
        template.fill(row).map_err(|column| self.is_null(template, column, member))
    }
}

impl Rule {
    fn facts(
        &self,
        owner: Owner<'_>,
        query: &PlanQuery,
        row: &SourceRow,
        mut out: impl FnMut(Fact),
    ) -> Result<(), Unfit> {
        let mut fields = Vec::with_capacity(self.fields.len() + 1);
        for field in &self.fields {
            fields.push(field.fill(query, row)?);
        }
        let mut permissions = Vec::new();
        if !self.permissions.is_empty() {
            permissions = self.list(query, row)?;
        }
        match self.kind {
            Kind::Alias => {
                // The alias of a user is asked for as a user.
                let (alias, subject) = (fields[0].take().unwrap_or_default(), fields[1].as_deref());
                let kind = subject.and_then(split_subject).map_or("", |(kind, _)| kind);
                fields[0] = Some(format!("{kind}:{alias}"));
                check(Form::Subject, fields[0].as_deref().unwrap_or_default())
                    .map_err(|what| self.fields[0].unfit(self.line, &what))?;
            }
            Kind::Membership | Kind::Assignment => fields.insert(0, Some(Uuid::now_v7().to_string())),
            Kind::Edge => {
                // Of relation ref there may be several that say the same, so the id tells whose it is.
                let id = match fields[4].as_deref() {
                    Some("ref") => derived(owner, "edge", &fields),
                    _ => Uuid::now_v7(),
                };
                fields.insert(0, Some(id.to_string()));
            }
            Kind::Grant => {
                // A grant that gives nothing is none.
                if permissions.is_empty() {
                    return Ok(());
                }
                fields.insert(0, Some(derived(owner, "grant", &fields).to_string()));
            }
            _ => {}
        }
        let holder = fields[0].clone();
        out(Fact { kind: self.kind, fields });
        let of = match self.kind {
            Kind::Role => Kind::RolePermission,
            _ => Kind::GrantPermission,
        };
        for permission in permissions {
            out(Fact { kind: of, fields: vec![holder.clone(), Some(permission)] });
        }
        Ok(())
    }

    /// The permissions that a row gives.
    fn list(&self, query: &PlanQuery, row: &SourceRow) -> Result<Vec<String>, Unfit> {
        let Some(Choice { list, .. }) = self.permissions.iter().find(|choice| choice.when.holds(row)) else {
            let what =
                "no entry of `permissions` is for this row: end the list with an entry that has no `when`";
            return Err(Unfit { line: self.line, what: what.to_owned() });
        };
        let mut permissions = Vec::with_capacity(list.len());
        for template in list {
            let permission = query.text(template, "permissions", row)?;
            check(Form::Permission, &permission)
                .map_err(|what| Unfit { line: template.line, what: format!("`permissions`: {what}") })?;
            permissions.push(permission);
        }
        permissions.sort_unstable();
        permissions.dedup();
        Ok(permissions)
    }

    /// Whether two rows of the query always make two facts: each column of the key stands alone in a part of what the
    /// fact is known by.
    pub fn tells_rows_apart(&self, key: &[usize]) -> bool {
        let known_by = self.kind.known_by();
        let alone = |column: &usize| {
            let mut known = self.fields.iter().filter(|field| known_by.contains(&field.name));
            known.any(|field| {
                field.template.as_ref().is_some_and(|template| template.only_column() == Some(*column))
            })
        };
        key.iter().all(alone)
    }
}

impl Field {
    fn unfit(&self, line: usize, what: &str) -> Unfit {
        Unfit {
            line: self.template.as_ref().map_or(line, |template| template.line),
            what: format!("`{}`: {what}", self.name),
        }
    }

    fn fill(&self, query: &PlanQuery, row: &SourceRow) -> Result<Option<String>, Unfit> {
        if self.form == Form::Dimensions {
            let mut object = serde_json::Map::new();
            for (name, template) in &self.dimensions {
                if let Ok(text) = template.fill(row) {
                    object.insert(name.clone(), text.into());
                }
            }
            return Ok(Some(serde_json::Value::Object(object).to_string()));
        }
        let Some(template) = &self.template else {
            return Ok(match (self.form, self.name) {
                (Form::Boolean, "own") => Some("false".to_owned()),
                (Form::Boolean, _) => Some("true".to_owned()),
                _ => None,
            });
        };
        let text = match template.fill(row) {
            Ok(text) => text,
            Err(_) if self.form.may_be_missing() => return Ok(None),
            Err(column) => return Err(query.is_null(template, column, self.name)),
        };
        match self.form {
            Form::Boolean => boolean(&text).map(|value| Some(value.to_owned())),
            Form::Time => moment(&text).map(|micros| Some(micros.to_string())),
            form => check(form, &text).map(|()| Some(text)),
        }
        .map_err(|what| self.unfit(template.line, &what))
    }
}

/// As Postgres writes booleans, and as others do.
fn boolean(text: &str) -> Result<&'static str, String> {
    match text {
        "true" | "t" | "1" => Ok("true"),
        "false" | "f" | "0" => Ok("false"),
        other => Err(format!(
            "`{other}` is neither true nor false: compare it in the query, as in `status = 'active' AS active`"
        )),
    }
}

/// Microseconds since 1970 of what Postgres writes for a `timestamptz` in UTC: `2026-01-02 03:04:05.6+00`.
fn moment(text: &str) -> Result<i64, String> {
    let zone = text.strip_suffix("+00").map(|rest| format!("{rest}Z"));
    let iso = zone.as_deref().unwrap_or(text).replacen(' ', "T", 1);
    parse_time(&iso).map_err(|_| {
        format!("`{text}` is no moment: select a `timestamptz`, and NULL where there is none (`NULLIF(until, 'infinity')`)")
    })
}

fn check(form: Form, text: &str) -> Result<(), String> {
    let kind = split_subject(text).map(|(kind, id)| (kind, is_reserved_id(id)));
    let fits = match form {
        Form::Name | Form::Fixed => return Ok(()),
        Form::Subject | Form::Owner => matches!(kind, Some((kind, false)) if kind != "role"),
        Form::Holder => text == "user:all" || matches!(kind, Some((kind, false)) if kind != "role"),
        Form::GrantHolder => text == "user:all" || matches!(kind, Some((_, false))),
        Form::Group => matches!(kind, Some(("group", false))),
        Form::Role => matches!(kind, Some(("role", _))),
        Form::ResourceId => !text.is_empty() && text != "*",
        // `a:*` stands for the keys of a type, of which `a:x` has the form.
        Form::Permission => match text.strip_suffix(":*") {
            Some(kind) => valid_permission_key(&format!("{kind}:x")),
            None => text == "*" || valid_permission_key(text),
        },
        _ => !text.is_empty(),
    };
    if !fits {
        return Err(format!("`{text}` is {}", wanted(form)));
    }
    match text.len() > ID_BYTES_MAX {
        true => Err(format!(
            "an id of {} bytes is longer than the {ID_BYTES_MAX} that the database takes",
            text.len()
        )),
        false => Ok(()),
    }
}

fn wanted(form: Form) -> &'static str {
    match form {
        Form::Subject | Form::Owner => "no subject: it is written <type>:<id>, as in \"user:{id}\"",
        Form::Holder => "neither a subject (<type>:<id>) nor `user:all`",
        Form::GrantHolder => "neither a subject (<type>:<id>) nor a role nor `user:all`",
        Form::Group => "no group: it is written group:<id>, as in \"group:{team_id}\"",
        Form::Role => "no role: it is written role:organization:<uuid>, role:system:<name> or role:<slug>",
        Form::ResourceId => "no id of a resource",
        Form::Permission => "no permission: it is written <type>:<action>, <type>:* or *",
        _ => "empty",
    }
}

/// An id that is made of what a fact says: the same fact of the same plan always has the same one. UUID version 8.
fn derived(owner: Owner<'_>, kind: &str, fields: &[Option<String>]) -> Uuid {
    let mut digest = Sha256::new();
    let mut add = |text: Option<&str>| {
        // With lengths, so that no two lists of texts are one.
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        digest.update(length.to_be_bytes());
        digest.update(text.unwrap_or_default());
    };
    for text in ["postern-adopt/1", kind, owner.organization, owner.plan] {
        add(Some(text));
    }
    for field in fields {
        add(field.as_deref());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
