//! Requests in the form that nearly all have, read in one pass: objects whose types, ids and names are strings without
//! escapes. Anything else is read member by member ([`crate::entity`]), where it is also said what is wrong with it: this
//! reads nothing that reading would not, and nothing otherwise.

use crate::entity::{Action, Entity};
use crate::properties::Members;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A JSON object as `T`. By itself serde would take an array for the members in their order.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

#[derive(Deserialize)]
struct PlainEntity<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PlainAction<'a> {
    name: &'a str,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
}

/// What may stand at the top of a request, and in an item of a batch.
#[derive(Deserialize)]
struct PlainParts<'a> {
    #[serde(borrow, default)]
    subject: Option<Object<PlainEntity<'a>>>,
    #[serde(borrow, default)]
    action: Option<Object<PlainAction<'a>>>,
    #[serde(borrow, default)]
    resource: Option<Object<PlainEntity<'a>>>,
    #[serde(borrow, default)]
    context: Option<&'a RawValue>,
    /// Those of an item are ignored.
    #[serde(borrow, default)]
    evaluations: Option<Vec<Object<PlainParts<'a>>>>,
    #[serde(borrow, default)]
    options: Option<&'a RawValue>,
}

/// A batch: its items, each with what it lacks taken whole from the top.
pub(crate) struct PlainBatch<'a> {
    /// At least one.
    pub items: Vec<Whole<'a>>,
    /// Not read yet.
    pub options: Option<&'a RawValue>,
}

/// Everything that a question is read from.
pub(crate) struct Whole<'a> {
    pub subject: Entity<'a>,
    pub action: Action<'a>,
    pub resource: Entity<'a>,
    pub context: Option<&'a RawValue>,
}

/// A request for one decision. `None`: it is not plain.
pub(crate) fn single(body: &str) -> Option<Whole<'_>> {
    let Object(parts) = serde_json::from_str::<Object<PlainParts<'_>>>(body).ok()?;
    whole(parts.subject.as_ref(), parts.action.as_ref(), parts.resource.as_ref(), parts.context)
}

/// A request for many. `None`: it has no items, or something in it is not plain.
pub(crate) fn batch(body: &str) -> Option<PlainBatch<'_>> {
    let Object(top) = serde_json::from_str::<Object<PlainParts<'_>>>(body).ok()?;
    let items = top.evaluations.as_ref().filter(|items| !items.is_empty())?;
    let items = items.iter().map(|Object(item)| {
        whole(
            item.subject.as_ref().or(top.subject.as_ref()),
            item.action.as_ref().or(top.action.as_ref()),
            item.resource.as_ref().or(top.resource.as_ref()),
            item.context.or(top.context),
        )
    });
    Some(PlainBatch { items: items.collect::<Option<_>>()?, options: top.options })
}

fn whole<'a>(
    subject: Option<&Object<PlainEntity<'a>>>,
    action: Option<&Object<PlainAction<'a>>>,
    resource: Option<&Object<PlainEntity<'a>>>,
    context: Option<&'a RawValue>,
) -> Option<Whole<'a>> {
    let (Object(subject), Object(action), Object(resource)) = (subject?, action?, resource?);
    if subject.kind.contains(':') || action.name.is_empty() {
        return None;
    }
    Some(Whole {
        subject: entity(subject)?,
        action: Action { name: Cow::Borrowed(action.name), properties: members(action.properties)? },
        resource: entity(resource)?,
        context,
    })
}

fn entity<'a>(entity: &PlainEntity<'a>) -> Option<Entity<'a>> {
    if entity.kind.is_empty() || entity.id.is_empty() {
        return None;
    }
    let properties = members(entity.properties)?;
    Some(Entity { kind: Cow::Borrowed(entity.kind), id: Cow::Borrowed(entity.id), properties })
}

fn members(raw: Option<&RawValue>) -> Option<Members> {
    Members::read(raw, "").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"subject": {"type": "user", "id": "ann"}, "action": {"name": "read"},
        "resource": {"type": "site", "id": "s1", "properties": {"a": 1}}}"#;

    #[test]
    fn what_is_plain_is_read_here() {
        let whole = single(GOOD).unwrap();
        assert_eq!((&*whole.subject.kind, &*whole.subject.id, &*whole.action.name), ("user", "ann", "read"));
        assert_eq!((&*whole.resource.id, whole.resource.properties.0.len()), ("s1", 1));
        let request =
            format!(r#"{{"evaluations": [{{}}, {{"action": {{"name": "write"}}}}], {}"#, &GOOD[1..]);
        let names: Vec<_> = batch(&request).unwrap().items.into_iter().map(|item| item.action.name).collect();
        assert_eq!(names, ["read", "write"]);
    }

    #[test]
    fn anything_else_is_left_to_who_says_what_is_wrong() {
        for (from, to) in [
            ("\"ann\"", "\"\\u0061nn\""),
            ("\"ann\"", "\"\""),
            ("\"ann\"", "7"),
            ("\"user\"", "\"a:b\""),
            ("\"read\"", "\"\""),
            (r#"{"name": "read"}"#, r#"["read"]"#),
            (r#"{"a": 1}"#, "[1]"),
            (r#"{"a": 1}"#, r#"{"a": 1, "a": 2}"#),
            (r#""id": "ann""#, r#""id": "ann", "id": "bob""#),
        ] {
            assert!(single(&GOOD.replace(from, to)).is_none(), "{to}");
        }
        assert!(single(&format!("[{GOOD}]")).is_none());
        assert!(batch(GOOD).is_none(), "it has no items");
    }
}
