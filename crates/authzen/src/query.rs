//! From entities to a question.
//!
//! | request | question |
//! | --- | --- |
//! | subject type and id | subject `<type>:<id>` |
//! | resource type and action name | permission `<type>:<name>` |
//! | resource type and id | the resource |
//! | resource property | dimension of that name |
//! | subject property, action property, member of the context | dimensions `subject.…`, `action.…`, `context.…` |
//! | the owner property | `owner`, and a dimension as well |
//! | resource property `parents` | `in` |
//! | `session` of the context | `session`, and a dimension as well |
//! | resource property `postern.at`: `"organization"` | a question at organization level |

use crate::endpoint::Made;
use crate::entity::{Action, Entity, Parts};
use crate::evaluation::{allows, reason};
use crate::plain::Whole;
use crate::properties::{Members, dimension};
use crate::{BadRequest, Mapping};
use postern_resolver::view::View;
use postern_resolver::{Context, Question, check};
use postern_vocab::{Answer, QueryError};
use serde_json::Value;
use std::borrow::Cow;

/// What accompanies a question.
#[derive(Default)]
pub(crate) struct Stated {
    dimensions: Vec<(String, String)>,
    parents: Vec<(String, String)>,
    owner: Option<String>,
    session: Option<String>,
    at_organization: bool,
}

impl Stated {
    /// Of a subject's properties.
    pub fn subject(&mut self, properties: Members) {
        self.add("subject.", properties);
    }

    /// Of an action's properties.
    pub fn action(&mut self, properties: Members) {
        self.add("action.", properties);
    }

    /// Of the context.
    pub fn context(&mut self, context: Members) {
        self.session = context.0.iter().find_map(|(name, value)| match value {
            Value::String(session) if name == "session" && !session.is_empty() => Some(session.clone()),
            _ => None,
        });
        self.add("context.", context);
    }

    /// Of a resource's properties. `asking`: the type of a subject, for owners that are named without one.
    pub fn resource(
        &mut self,
        properties: Members,
        asking: &str,
        mapping: &Mapping,
        place: &str,
    ) -> Result<(), BadRequest> {
        for (name, value) in properties.0 {
            let here = || format!("{place}.properties.{name}");
            if name == mapping.owner_property {
                self.owner = owner(&value, asking).map_err(|what| BadRequest::new(here(), what))?;
            }
            if name == "parents" {
                self.parents = parents(&value).map_err(|what| BadRequest::new(here(), what))?;
                continue;
            }
            if name == "postern.at" {
                if value != "organization" {
                    return Err(BadRequest::new(here(), "the only value is \"organization\""));
                }
                self.at_organization = true;
                continue;
            }
            if let Some(prefix) = ["subject.", "action.", "context.", "postern."]
                .into_iter()
                .find(|prefix| name.starts_with(prefix))
            {
                let what = format!("names that begin with `{prefix}` are no resource's");
                return Err(BadRequest::new(here(), what));
            }
            if let Some(text) = dimension(value) {
                self.dimensions.push((name, text));
            }
        }
        Ok(())
    }

    fn add(&mut self, prefix: &str, members: Members) {
        let stated = members.0.into_iter().filter_map(|(name, value)| Some((name, dimension(value)?)));
        self.dimensions.extend(stated.map(|(name, text)| (format!("{prefix}{name}"), text)));
    }

    /// Calls `ask` with all of it. `now` in microseconds since 1970.
    pub fn accompany<T>(&self, now: i64, ask: impl FnOnce(&Context<'_>) -> T) -> T {
        let dimensions: Vec<_> =
            self.dimensions.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        let parents: Vec<_> = self.parents.iter().map(|(kind, id)| (&kind[..], &id[..])).collect();
        ask(&Context {
            parents: &parents,
            owner: self.owner.as_deref(),
            dimensions: &dimensions,
            session: self.session.as_deref(),
            now,
        })
    }

    /// The resource that a check is about.
    pub fn place<'r>(&self, kind: &'r str, id: &'r str) -> Option<(&'r str, &'r str)> {
        if self.at_organization { None } else { Some((kind, id)) }
    }
}

/// The permission of a resource type and an action name. `None` where there can be none: what follows the last colon
/// is a permission's action, so that an action with a colon would speak of another type.
pub(crate) fn permission(kind: &str, action: &str) -> Option<String> {
    (!action.contains(':')).then(|| joined(kind, action))
}

/// `<kind>:<rest>`
pub(crate) fn joined(kind: &str, rest: &str) -> String {
    let mut whole = String::with_capacity(kind.len() + 1 + rest.len());
    whole.push_str(kind);
    whole.push(':');
    whole.push_str(rest);
    whole
}

/// A request for one decision.
pub(crate) struct Query<'a> {
    subject: String,
    permission: Option<String>,
    kind: Cow<'a, str>,
    id: Cow<'a, str>,
    stated: Stated,
}

impl<'a> Query<'a> {
    pub fn read(parts: &Parts<'a>, mapping: &Mapping) -> Result<Self, BadRequest> {
        let whole = Whole {
            subject: Entity::read(parts.subject, "subject")?,
            action: Action::read(parts.action, "action")?,
            resource: Entity::read(parts.resource, "resource")?,
            context: parts.context,
        };
        Query::of(whole, mapping)
    }

    /// Of what is read already.
    pub fn of(whole: Whole<'a>, mapping: &Mapping) -> Result<Self, BadRequest> {
        let Whole { subject, action, resource, context } = whole;
        let mut stated = Stated::default();
        stated.resource(resource.properties, &subject.kind, mapping, "resource")?;
        stated.subject(subject.properties);
        stated.action(action.properties);
        stated.context(Members::read(context, "context")?);
        Ok(Query {
            subject: joined(&subject.kind, &subject.id),
            permission: permission(&resource.kind, &action.name),
            kind: resource.kind,
            id: resource.id,
            stated,
        })
    }

    /// What was decided.
    pub fn made<'q>(&'q self, answer: &Answer) -> Made<'q> {
        Made {
            subject: &self.subject,
            permission: self.permission.as_deref(),
            resource: (&self.kind, &self.id),
            allowed: allows(answer),
            reason: reason(answer),
        }
    }

    /// Decides it.
    ///
    /// # Errors
    /// An id that rule 1 calls malformed: `*`, and for a subject `all`.
    pub fn decide<V: View>(&self, view: &V, now: i64) -> Result<Answer, BadRequest> {
        let Some(permission) = &self.permission else {
            return Ok(Err(QueryError::UnknownPermission));
        };
        let resource = self.stated.place(&self.kind, &self.id);
        let answer = self.stated.accompany(now, |context| {
            check(view, &Question { subject: &self.subject, permission, resource, context: *context })
        });
        match answer {
            Err(QueryError::InvalidRequest) => Err(reserved(&self.subject)),
            answer => Ok(answer),
        }
    }
}

/// What rule 1 refuses of texts that are not empty.
pub(crate) fn reserved(subject: &str) -> BadRequest {
    let all = postern_vocab::split_subject(subject).is_none_or(|(_, id)| postern_vocab::is_reserved_id(id));
    match all {
        true => BadRequest::new("subject.id", "it stands for no single subject (semantics.md rule 1)"),
        false => BadRequest::new("resource.id", "it stands for no single resource (semantics.md rule 1)"),
    }
}

/// The subject id of an owner: a string, of the asking subject's type unless it names one itself, or an object with
/// type and id.
fn owner(value: &Value, asking: &str) -> Result<Option<String>, &'static str> {
    const FORM: &str = "an owner is an id, `<type>:<id>`, or an object with the strings `type` and `id`";
    match value {
        Value::Null => Ok(None),
        Value::String(id) if id.is_empty() => Ok(None),
        Value::String(id) if id.contains(':') => Ok(Some(id.clone())),
        Value::String(id) => Ok(Some(format!("{asking}:{id}"))),
        Value::Object(_) => {
            let (kind, id) = reference(value).filter(|(kind, _)| !kind.contains(':')).ok_or(FORM)?;
            Ok(Some(format!("{kind}:{id}")))
        }
        _ => Err(FORM),
    }
}

fn parents(value: &Value) -> Result<Vec<(String, String)>, &'static str> {
    const FORM: &str = "parents are a list of objects with the strings `type` and `id`";
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => list.iter().map(|one| reference(one).ok_or(FORM)).collect(),
        _ => Err(FORM),
    }
}

fn reference(value: &Value) -> Option<(String, String)> {
    let text = |name: &str| value.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some((text("type")?, text("id")?))
}
