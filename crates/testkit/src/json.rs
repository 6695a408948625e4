//! Worlds and questions as JSON text, written without the writer of `postern-world`, which is under test too.

use postern_world::{Effect, Grant, Life, Op, Query, Resource, ResourceRef, World};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How much a document spells out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Every member, those with default values too.
    Full,
    /// Only what differs from its default.
    Terse,
}

/// A world document.
pub fn world_text(world: &World, style: Style) -> String {
    let types = world.catalog.types.iter().map(|(name, kind)| {
        let mut members = Members::new(style);
        members.flag("scope", kind.scope, false);
        members.flag("narrows", kind.narrows, false);
        members.flag("registered", kind.registered, true);
        members.texts("owner_permissions", &kind.owner_permissions);
        (name.clone(), members.value())
    });
    let permissions = world.catalog.permissions.iter().map(|(key, permission)| {
        let mut members = Members::new(style);
        members.put("description", json!(permission.description), permission.description.is_empty());
        members.texts("implied_by", &permission.implied_by);
        members.texts("excluded_by", &permission.excluded_by);
        members.texts("requires", &permission.requires);
        members.flag("works_when_inactive", permission.works_when_inactive, false);
        (key.clone(), members.value())
    });
    let subjects = world.subjects.iter().map(|subject| {
        let mut members = Members::new(style);
        members.always("id", json!(subject.id));
        members.texts("aliases", &subject.aliases);
        members.map("attributes", &subject.attributes);
        members.life(&subject.life);
        members.value()
    });
    let memberships = world.memberships.iter().map(|membership| {
        let mut members = Members::new(style);
        members.always("subject", json!(membership.subject));
        members.always("group", json!(membership.group));
        members.life(&membership.life);
        members.value()
    });
    let roles = world.roles.iter().map(|role| {
        let mut members = Members::new(style);
        members.always("id", json!(role.id));
        members.always("name", json!(role.name));
        members.texts("permissions", &role.permissions);
        members.flag("active", role.active, true);
        members.value()
    });
    let assignments = world.assignments.iter().map(|assignment| {
        let mut members = Members::new(style);
        members.always("subject", json!(assignment.subject));
        members.always("role", json!(assignment.role));
        members.put("at", place(&assignment.at), assignment.at.is_none());
        members.life(&assignment.life);
        members.value()
    });
    json!({
        "format": "postern-world/1",
        "organization": world.organization,
        "revision": world.revision,
        "catalog": {
            "types": types.collect::<Map<String, Value>>(),
            "permissions": permissions.collect::<Map<String, Value>>(),
        },
        "subjects": subjects.collect::<Value>(),
        "memberships": memberships.collect::<Value>(),
        "resources": world.resources.iter().map(|it| resource(it, style)).collect::<Value>(),
        "roles": roles.collect::<Value>(),
        "assignments": assignments.collect::<Value>(),
        "grants": world.grants.iter().map(|it| grant(it, style)).collect::<Value>(),
    })
    .to_string()
}

fn resource(resource: &Resource, style: Style) -> Value {
    let parents = resource.parents.iter().map(|parent| {
        let mut members = Members::new(style);
        members.always("type", json!(parent.at.kind));
        members.always("id", json!(parent.at.id));
        match &parent.cap {
            None => members.put("relation", json!("auto"), true),
            Some(cap) => {
                members.always("relation", json!("ref"));
                members.texts("cap", cap);
            }
        }
        members.value()
    });
    let mut members = Members::new(style);
    members.always("type", json!(resource.at.kind));
    members.always("id", json!(resource.at.id));
    members.put("parents", parents.collect::<Value>(), resource.parents.is_empty());
    members.put("owner", json!(resource.owner), resource.owner.is_none());
    members.map("attributes", &resource.attributes);
    members.life(&resource.life);
    members.value()
}

fn grant(grant: &Grant, style: Style) -> Value {
    let mut members = Members::new(style);
    members.always("subject", json!(grant.subject));
    members.always("effect", json!(if grant.effect == Effect::Allow { "allow" } else { "exclude" }));
    members.texts("permissions", &grant.permissions);
    members.put("at", place(&grant.at), grant.at.is_none());
    members.map("where", &grant.conditions);
    members.map("require", &grant.require);
    members.flag("own", grant.own, false);
    members.put("session", json!(grant.session), grant.session.is_none());
    members.life(&grant.life);
    members.value()
}

/// One line of a query file: only the members that the question's `op` uses.
pub fn query_text(query: &Query, style: Style) -> String {
    let (resource, kind) = match query.op {
        Op::Check | Op::Explain | Op::Actions => (true, false),
        Op::Filter => (false, true),
        Op::Subjects => (true, true),
        Op::Anywhere | Op::Everywhere => (false, false),
    };
    let mut members = Members::new(style);
    members.put("op", json!(op_name(query.op)), query.op == Op::Check);
    if query.op != Op::Subjects {
        members.put("subject", json!(query.subject), query.subject.is_empty());
    }
    if query.op != Op::Actions {
        members.put("permission", json!(query.permission), query.permission.is_empty());
    }
    if resource {
        members.always("resource", place(&query.resource));
        members.put("in", query.parents.iter().map(reference).collect::<Value>(), query.parents.is_empty());
        members.put("owner", json!(query.owner), query.owner.is_none());
    }
    if kind {
        members.always("type", json!(query.kind));
    }
    members.map("where", &query.dimensions);
    members.put("session", json!(query.session), query.session.is_none());
    if let Some(now) = query.now {
        members.always("now", json!(time_text(now)));
    }
    members.value().to_string()
}

/// The name of a question in a query file.
pub fn op_name(op: Op) -> &'static str {
    match op {
        Op::Check => "check",
        Op::Filter => "filter",
        Op::Subjects => "subjects",
        Op::Actions => "actions",
        Op::Anywhere => "anywhere",
        Op::Everywhere => "everywhere",
        Op::Explain => "explain",
    }
}

fn place(at: &Option<ResourceRef>) -> Value {
    at.as_ref().map_or(Value::Null, reference)
}

fn reference(at: &ResourceRef) -> Value {
    json!({"type": at.kind, "id": at.id})
}

/// A time of the years 1970 to 9999 as RFC 3339 text, with as many digits as it needs.
pub fn time_text(micros: i64) -> String {
    let (mut days, of_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + i64::from(is_leap(year)) {
        days -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z", days + 1)
}

/// The members of an object; those with default values only in the full style.
struct Members(Map<String, Value>, Style);

impl Members {
    fn new(style: Style) -> Members {
        Members(Map::new(), style)
    }

    fn always(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_string(), value);
    }

    fn put(&mut self, name: &str, value: Value, is_default: bool) {
        if !is_default || self.1 == Style::Full {
            self.always(name, value);
        }
    }

    fn flag(&mut self, name: &str, value: bool, default: bool) {
        self.put(name, json!(value), value == default);
    }

    fn texts(&mut self, name: &str, values: &[String]) {
        self.put(name, json!(values), values.is_empty());
    }

    fn map(&mut self, name: &str, values: &BTreeMap<String, String>) {
        self.put(name, json!(values), values.is_empty());
    }

    fn life(&mut self, life: &Life) {
        self.flag("active", life.active, true);
        self.put("not_before", json!(life.not_before.map(time_text)), life.not_before.is_none());
        self.put("expires_at", json!(life.expires_at.map(time_text)), life.expires_at.is_none());
    }

    fn value(self) -> Value {
        Value::Object(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::time_text;

    #[test]
    fn times_are_written() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (951_868_800_000_000, "2000-03-01T00:00:00Z"),
            (1_767_225_599_999_999, "2025-12-31T23:59:59.999999Z"),
            (1_767_225_600_000_000, "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(time_text(micros), text);
        }
    }
}
