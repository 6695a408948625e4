//! Subject, resource and action as they stand in a request (section 5).

use crate::BadRequest;
use crate::properties::{Members, wrong};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What may stand at the top of a request, and in an item of a batch. Unknown members are ignored everywhere.
#[derive(Clone, Copy, Default, Deserialize)]
pub(crate) struct Parts<'a> {
    #[serde(borrow, default)]
    pub subject: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub action: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub context: Option<&'a RawValue>,
}

/// A subject or a resource. In a search the one that is searched for has no id.
pub(crate) struct Entity {
    pub kind: String,
    pub id: String,
    pub properties: Members,
}

/// An action.
pub(crate) struct Action {
    pub name: String,
    pub properties: Members,
}

#[derive(Deserialize)]
struct RawEntity<'a> {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    // A searched entity may have one of any form, which is ignored.
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawAction<'a> {
    #[serde(default)]
    name: Option<String>,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
}

/// A JSON object as `T`. An array is refused here: serde would take it for the members in their order.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a str, place: &str) -> Result<T, BadRequest> {
    if !json.trim_start().starts_with('{') {
        // Says also where text that is no JSON at all breaks off.
        let what = match serde_json::from_str::<serde::de::IgnoredAny>(json) {
            Ok(_) => "it has to be a JSON object".to_owned(),
            Err(error) => error.to_string(),
        };
        return Err(BadRequest::new(place, what));
    }
    serde_json::from_str(json).map_err(|error| match place {
        // Here the position is one in the caller's text.
        "the body" => BadRequest::new(place, error.to_string()),
        _ => wrong(place, &error),
    })
}

impl Entity {
    /// A whole one, with type and id.
    pub fn read(raw: Option<&RawValue>, place: &str) -> Result<Self, BadRequest> {
        let raw: RawEntity<'_> = object(present(raw, place)?.get(), place)?;
        let id = raw.id.map(|id| serde_json::from_str::<Option<String>>(id.get())).transpose();
        let id = id.map_err(|error| wrong(&format!("{place}.id"), &error))?.flatten();
        let kind = text(raw.kind, place, "type")?;
        // `<type>:<id>` is split at the first colon: this would be another subject.
        if place == "subject" && kind.contains(':') {
            return Err(BadRequest::new("subject.type", "the type of a subject has no colon"));
        }
        Ok(Entity {
            kind,
            id: text(id, place, "id")?,
            properties: Members::read(raw.properties, &format!("{place}.properties"))?,
        })
    }

    /// The type of one that is searched for. Its id and its properties are ignored: a result that needed them would not
    /// be allowed when it is asked about by type and id.
    pub fn read_type(raw: Option<&RawValue>, place: &str) -> Result<String, BadRequest> {
        let raw: RawEntity<'_> = object(present(raw, place)?.get(), place)?;
        text(raw.kind, place, "type")
    }
}

impl Action {
    pub fn read(raw: Option<&RawValue>, place: &str) -> Result<Self, BadRequest> {
        let raw: RawAction<'_> = object(present(raw, place)?.get(), place)?;
        Ok(Action {
            name: text(raw.name, place, "name")?,
            properties: Members::read(raw.properties, &format!("{place}.properties"))?,
        })
    }
}

fn present<'a>(raw: Option<&'a RawValue>, place: &str) -> Result<&'a RawValue, BadRequest> {
    raw.ok_or_else(|| BadRequest::new(place, "it is missing"))
}

fn text(value: Option<String>, place: &str, member: &str) -> Result<String, BadRequest> {
    match value {
        Some(text) if !text.is_empty() => Ok(text),
        Some(_) => Err(BadRequest::new(format!("{place}.{member}"), "it is empty")),
        None => Err(BadRequest::new(format!("{place}.{member}"), "it is missing; it has to be a string")),
    }
}
