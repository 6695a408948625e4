//! Subject, resource and action as they stand in a request (section 5).

use crate::BadRequest;
use crate::properties::{Members, wrong};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What may stand at the top of a request, and in an item of a batch. Each endpoint reads what it takes; unknown members
/// are ignored everywhere.
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
    #[serde(borrow, default)]
    pub evaluations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub options: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub page: Option<&'a RawValue>,
}

/// A subject or a resource. In a search the one that is searched for has no id.
pub(crate) struct Entity<'a> {
    pub kind: Cow<'a, str>,
    pub id: Cow<'a, str>,
    pub properties: Members,
}

/// An action.
pub(crate) struct Action<'a> {
    pub name: Cow<'a, str>,
    pub properties: Members,
}

// Texts stay as they stand in the request: most have no escapes and need no copy.
#[derive(Deserialize)]
struct RawEntity<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'a RawValue>,
    // A searched entity may have one of any form, which is ignored.
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawAction<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
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

impl<'a> Entity<'a> {
    /// A whole one, with type and id.
    pub fn read(raw: Option<&'a RawValue>, place: &str) -> Result<Self, BadRequest> {
        let raw: RawEntity<'a> = object(present(raw, place)?.get(), place)?;
        let kind = text(raw.kind, place, "type")?;
        // `<type>:<id>` is split at the first colon: this would be another subject.
        if place == "subject" && kind.contains(':') {
            return Err(BadRequest::new("subject.type", "the type of a subject has no colon"));
        }
        Ok(Entity { kind, id: text(raw.id, place, "id")?, properties: properties(raw.properties, place)? })
    }

    /// The type of one that is searched for. Its id and its properties are ignored: a result that needed them would not
    /// be allowed when it is asked about by type and id.
    pub fn read_type(raw: Option<&'a RawValue>, place: &str) -> Result<Cow<'a, str>, BadRequest> {
        let raw: RawEntity<'a> = object(present(raw, place)?.get(), place)?;
        text(raw.kind, place, "type")
    }
}

impl<'a> Action<'a> {
    pub fn read(raw: Option<&'a RawValue>, place: &str) -> Result<Self, BadRequest> {
        let raw: RawAction<'a> = object(present(raw, place)?.get(), place)?;
        Ok(Action { name: text(raw.name, place, "name")?, properties: properties(raw.properties, place)? })
    }
}

fn properties(raw: Option<&RawValue>, place: &str) -> Result<Members, BadRequest> {
    match raw {
        None => Ok(Members::default()),
        raw => Members::read(raw, &format!("{place}.properties")),
    }
}

fn present<'a>(raw: Option<&'a RawValue>, place: &str) -> Result<&'a RawValue, BadRequest> {
    raw.ok_or_else(|| BadRequest::new(place, "it is missing"))
}

fn text<'a>(value: Option<&'a RawValue>, place: &str, member: &str) -> Result<Cow<'a, str>, BadRequest> {
    let refused = |what: &str| BadRequest::new(format!("{place}.{member}"), what);
    let raw = value.ok_or_else(|| refused("it is missing; it has to be a string"))?.get();
    let plain = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).filter(|raw| !raw.contains('\\'));
    let text = match plain {
        Some(plain) => Cow::Borrowed(plain),
        None => Cow::Owned(serde_json::from_str(raw).map_err(|error| refused(&wrong("", &error).what))?),
    };
    if text.is_empty() { Err(refused("it is empty")) } else { Ok(text) }
}
