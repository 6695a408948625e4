//! What a row of a query becomes.

use super::document::{PlanError, Table, Value};
use super::template::{Columns, Template, When};
use crate::store::adopt::facts::Kind;

/// One rule of a plan: `[[query.edge]]`.
#[derive(Debug)]
pub(crate) struct Rule {
    /// `edge 2`, as provenance and reports call it.
    pub name: String,
    /// Where it begins in the plan.
    pub line: usize,
    /// Which rows it is about.
    pub when: When,
    /// What it makes.
    pub kind: Kind,
    /// The columns of the fact, in the order of [`Kind::columns`], without generated ids.
    pub fields: Vec<Field>,
    /// Of roles and grants.
    pub permissions: Vec<Choice>,
}

/// A column of a fact.
#[derive(Debug)]
pub(crate) struct Field {
    /// As the plan calls it.
    pub name: &'static str,
    /// What must be true of it.
    pub form: Form,
    /// `None`: the fact has none.
    pub template: Option<Template>,
    /// Of dimensions.
    pub dimensions: Vec<(String, Template)>,
}

/// What a column of a fact may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `<type>:<id>`
    Subject,
    /// The same, or `user:all`.
    Holder,
    /// The same, or a role.
    GrantHolder,
    /// `group:<id>`
    Group,
    /// `role:…`
    Role,
    /// A type, or a part of an alias.
    Id,
    /// An id that is not `*`.
    ResourceId,
    /// A key or a wildcard.
    Permission,
    /// Text for people.
    Name,
    /// `true` or `false`; NULL is refused.
    Boolean,
    /// A moment; NULL is none.
    Time,
    /// A subject that may be missing; NULL is none.
    Owner,
    /// A text that may be missing; NULL is none.
    Session,
    /// An object of texts; a NULL is left out.
    Dimensions,
    /// Written in the plan itself.
    Fixed,
}

impl Form {
    /// Whether NULL means that there is none. Elsewhere it is refused: what is missing must never widen a fact.
    pub fn may_be_missing(self) -> bool {
        matches!(self, Form::Time | Form::Owner | Form::Session | Form::Dimensions)
    }
}

/// An entry of `permissions`: the first whose condition holds gives the list.
#[derive(Debug)]
pub(crate) struct Choice {
    pub when: When,
    pub list: Vec<Template>,
}

/// The kinds of rules, as a plan calls them.
pub(super) const RULES: [(&str, Kind); 9] = [
    ("subject", Kind::Subject),
    ("alias", Kind::Alias),
    ("membership", Kind::Membership),
    ("resource", Kind::Resource),
    ("role", Kind::Role),
    ("role_permission", Kind::RolePermission),
    ("edge", Kind::Edge),
    ("assignment", Kind::Assignment),
    ("grant", Kind::Grant),
];

struct Fields<'t, 'd, 'c> {
    table: &'t mut Table<'d>,
    columns: &'c mut Columns,
    fields: Vec<Field>,
}

impl Fields<'_, '_, '_> {
    fn add(&mut self, name: &'static str, form: Form, template: Option<Template>) {
        self.fields.push(Field { name, form, template, dimensions: Vec::new() });
    }

    fn need(&mut self, name: &'static str, form: Form, example: &str) -> Result<(), PlanError> {
        let template = Template::parse(&self.table.need(name, example)?, self.columns)?;
        self.add(name, form, Some(template));
        Ok(())
    }

    fn may(&mut self, name: &'static str, form: Form) -> Result<(), PlanError> {
        let value = self.table.take(name);
        let template = value.map(|value| Template::parse(&value, self.columns)).transpose()?;
        self.add(name, form, template);
        Ok(())
    }

    fn dimensions(&mut self, name: &'static str) -> Result<(), PlanError> {
        let mut dimensions = Vec::new();
        if let Some(value) = self.table.take(name) {
            let place = value.place.clone();
            for (name, value) in value.table(place)?.all() {
                dimensions.push((name.to_owned(), Template::parse(&value, self.columns)?));
            }
        }
        self.fields.push(Field { name, form: Form::Dimensions, template: None, dimensions });
        Ok(())
    }

    fn life(&mut self) -> Result<(), PlanError> {
        self.may("active", Form::Boolean)?;
        self.may("not_before", Form::Time)?;
        self.may("expires_at", Form::Time)
    }

    /// `{ type = "site", id = "{site_id}" }`, or nothing where that is allowed.
    fn place(&mut self, name: &'static str, optional: bool) -> Result<(), PlanError> {
        const EXAMPLE: &str = "{ type = \"site\", id = \"{site_id}\" }";
        let value = match self.table.take(name) {
            Some(value) => value,
            None if optional => {
                self.add(name, Form::Id, None);
                self.add(name, Form::ResourceId, None);
                return Ok(());
            }
            None => {
                let what = format!("`{name}` is missing in {}: add `{name} = {EXAMPLE}`", self.table.place);
                return Err(PlanError::new(self.table.line, what));
            }
        };
        let place = value.place.clone();
        let mut table = value.table(place)?;
        let kind = Template::parse(&table.need("type", "`type = \"site\"`")?, self.columns)?;
        let id = Template::parse(&table.need("id", "`id = \"{site_id}\"`")?, self.columns)?;
        table.finish()?;
        self.add(name, Form::Id, Some(kind));
        self.add(name, Form::ResourceId, Some(id));
        Ok(())
    }

    fn fixed(&mut self, name: &'static str, line: usize, text: &str) -> Result<(), PlanError> {
        let template = Template::fixed(line, text);
        self.add(name, Form::Fixed, Some(template));
        Ok(())
    }
}

impl Rule {
    /// Takes one rule apart.
    pub fn parse(
        name: String,
        kind: Kind,
        mut table: Table<'_>,
        columns: &mut Columns,
    ) -> Result<Self, PlanError> {
        let line = table.line;
        let when = When::parse(table.take("when"), columns)?;
        let mut permissions = Vec::new();
        let mut fields = Fields { table: &mut table, columns, fields: Vec::new() };
        match kind {
            Kind::Subject => {
                fields.need("id", Form::Subject, "`id = \"user:{id}\"`")?;
                fields.dimensions("attributes")?;
                fields.life()?;
            }
            Kind::Alias => {
                fields.need("alias", Form::Id, "`alias = \"{email}\"`, without the type")?;
                fields.need("subject", Form::Subject, "`subject = \"user:{id}\"`")?;
            }
            Kind::Membership => {
                fields.need("subject", Form::Subject, "`subject = \"user:{user_id}\"`")?;
                fields.need("group", Form::Group, "`group = \"group:{team_id}\"`")?;
                fields.life()?;
            }
            Kind::Resource => {
                fields.need("type", Form::Id, "`type = \"site\"`")?;
                fields.need("id", Form::ResourceId, "`id = \"{id}\"`")?;
                fields.may("owner", Form::Owner)?;
                fields.dimensions("attributes")?;
                fields.life()?;
            }
            Kind::Role => {
                fields.need("id", Form::Role, "`id = \"role:organization:{id}\"`")?;
                fields.need("name", Form::Name, "`name = \"{name}\"`")?;
                fields.may("active", Form::Boolean)?;
                if let Some(value) = fields.table.take("permissions") {
                    permissions = choices(value, fields.columns)?;
                }
            }
            Kind::RolePermission => {
                fields.need("role", Form::Role, "`role = \"role:organization:{role_id}\"`")?;
                fields.need("permission", Form::Permission, "`permission = \"{permission}\"`")?;
            }
            Kind::Edge => {
                fields.place("child", false)?;
                fields.place("parent", false)?;
                edge(&mut fields, line)?;
            }
            Kind::Assignment => {
                fields.need("subject", Form::Holder, "`subject = \"user:{user_id}\"`")?;
                fields.need("role", Form::Role, "`role = \"role:organization:{role_id}\"`")?;
                fields.place("at", true)?;
                fields.life()?;
            }
            Kind::Grant | Kind::GrantPermission => {
                fields.need("subject", Form::GrantHolder, "`subject = \"user:{user_id}\"`")?;
                let effect = fields.table.take("effect");
                let text = effect.as_ref().map_or(Ok("allow"), Value::string)?;
                if !["allow", "exclude"].contains(&text) {
                    let line = effect.map_or(line, |value| value.line);
                    return Err(PlanError::new(line, "`effect` is \"allow\" or \"exclude\""));
                }
                fields.fixed("effect", line, text)?;
                fields.place("at", true)?;
                fields.dimensions("where")?;
                fields.dimensions("require")?;
                fields.may("own", Form::Boolean)?;
                fields.may("session", Form::Session)?;
                fields.life()?;
                let value = fields.table.need("permissions", "`permissions = [\"session:read\"]`")?;
                permissions = choices(value, fields.columns)?;
            }
        }
        let fields = fields.fields;
        table.finish()?;
        Ok(Rule { name, line, when, kind, fields, permissions })
    }
}

fn edge(fields: &mut Fields<'_, '_, '_>, line: usize) -> Result<(), PlanError> {
    let relation = fields.table.take("relation");
    let text = relation.as_ref().map_or(Ok("auto"), Value::string)?;
    if !["auto", "ref"].contains(&text) {
        let line = relation.map_or(line, |value| value.line);
        return Err(PlanError::new(line, "`relation` is \"auto\" or \"ref\""));
    }
    fields.fixed("relation", line, text)?;
    let mut actions = Vec::new();
    if let Some(cap) = fields.table.take("cap") {
        if text == "auto" {
            return Err(PlanError::new(cap.line, "`cap` is of edges with `relation = \"ref\"` only"));
        }
        for item in cap.array()? {
            let action = item.string()?;
            if action.is_empty() || action.contains(['*', ':', ',', '{', '}', '"', '\\']) {
                return Err(PlanError::new(item.line, "`cap` lists actions: [\"read\", \"update\"]"));
            }
            actions.push(action.to_owned());
        }
    }
    actions.sort_unstable();
    actions.dedup();
    let quoted: Vec<String> = actions.iter().map(|action| format!("\"{action}\"")).collect();
    // As Postgres reads an array.
    fields.fixed("cap", line, &format!("{{{}}}", quoted.join(",")))
}

/// `["a:read"]`, or entries of `{ when = …, list = […] }`.
fn choices(value: Value<'_>, columns: &mut Columns) -> Result<Vec<Choice>, PlanError> {
    let items = value.array()?;
    if !items.iter().any(Value::is_table) {
        let list = items.iter().map(|item| Template::parse(item, columns)).collect::<Result<_, _>>()?;
        return Ok(vec![Choice { when: When::default(), list }]);
    }
    let mut choices = Vec::new();
    for item in items {
        let mut table = item.table("an entry of `permissions`")?;
        let when = When::parse(table.take("when"), columns)?;
        let list = table.need("list", "`list = [\"session:read\"]`, or `list = []` for none")?.array()?;
        let list = list.iter().map(|item| Template::parse(item, columns)).collect::<Result<_, _>>()?;
        table.finish()?;
        choices.push(Choice { when, list });
    }
    Ok(choices)
}
