//! What callers send, checked.

use crate::problem::{Problem, Refusal};
use postern_vocab::limits::TEXT_BYTES_MAX;
use postern_vocab::{is_reserved_id, split_subject};
use postern_world::{Life, parse_time};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// LIMIT: characters of a role's name.
const NAME_CHARACTERS_MAX: usize = 255;
/// LIMIT: entries of a role's permission list.
const PERMISSIONS_MAX: usize = 1000;
/// LIMIT: bytes of an id, as the database has it.
const ID_BYTES_MAX: usize = 512;
/// LIMIT: bytes of a resource's type and id together, which the audit names it by.
const PLACE_BYTES_MAX: usize = 511;
/// LIMIT: edges of one resource in one request.
pub(super) const PARENTS_MAX: usize = 1000;

/// A name without the blanks around it, and folded: names that differ in case or blanks only are the same (PF-32).
pub(super) fn name(text: &str) -> Result<(String, String), Refusal> {
    let name = text.trim();
    let what = match name.chars().count() {
        0 => "it is empty",
        count if count > NAME_CHARACTERS_MAX => "it has more than 255 characters",
        _ if name.chars().any(char::is_control) => "it has control characters",
        _ => {
            let folded = name.to_lowercase();
            // What the unique index can hold.
            if folded.len() <= ID_BYTES_MAX {
                return Ok((name.to_owned(), folded));
            }
            "it has more than 512 bytes in lower case"
        }
    };
    Err(Problem::INVALID_NAME.because(format!("name: {what}")))
}

/// A permission list, checked as a role's is when it is saved (PF-30, PF-31): sorted and each entry once, and the keys
/// that it stands for.
pub(super) fn permissions(
    list: &[String],
    catalog: &BTreeMap<String, Vec<String>>,
) -> Result<(Vec<String>, BTreeSet<String>), Refusal> {
    let (entries, keys) = entries(list, catalog)?;
    let mut missing = BTreeMap::new();
    for key in &keys {
        let needed: Vec<&String> = catalog[key].iter().filter(|needed| !keys.contains(*needed)).collect();
        if !needed.is_empty() {
            missing.insert(key, needed);
        }
    }
    if !missing.is_empty() {
        return Err(Refusal::from(Problem::MISSING_PERMISSIONS).with("missing", json!(missing)));
    }
    Ok((entries, keys))
}

/// A permission list, whatever its permissions need: sorted and each entry once, and the keys that it stands for.
pub(super) fn entries(
    list: &[String],
    catalog: &BTreeMap<String, Vec<String>>,
) -> Result<(Vec<String>, BTreeSet<String>), Refusal> {
    if list.len() > PERMISSIONS_MAX {
        return Err(Problem::INVALID_REQUEST.because("permissions: more than 1,000 entries; use wildcards"));
    }
    let entries: BTreeSet<&String> = list.iter().collect();
    let (mut keys, mut unknown) = (BTreeSet::new(), Vec::new());
    for entry in &entries {
        let mut found = 0;
        for key in stands_for(entry, catalog) {
            found += 1;
            keys.insert(key.clone());
        }
        // `*` may stand for an empty catalog; a wildcard for a type without permissions is a mistake, as a key is.
        if found == 0 && entry.as_str() != "*" {
            unknown.push(entry.as_str());
        }
    }
    if !unknown.is_empty() {
        return Err(Refusal::from(Problem::UNKNOWN_PERMISSIONS).with("permissions", json!(unknown)));
    }
    Ok((entries.into_iter().cloned().collect(), keys))
}

/// The keys of the catalog that an entry of a permission list stands for.
pub(super) fn stands_for<'c>(
    entry: &str,
    catalog: &'c BTreeMap<String, Vec<String>>,
) -> impl Iterator<Item = &'c String> {
    catalog.keys().filter(move |key| match entry.strip_suffix('*') {
        Some("") => true,
        // Up to the last colon, that one included.
        Some(kind) if kind.ends_with(':') => key.rfind(':').is_some_and(|colon| key[..=colon] == *kind),
        _ => key.as_str() == entry,
    })
}

/// A text of the caller's as an error may show it.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// A subject's id: `<type>:<id>`, of one subject.
pub(super) fn subject(id: &str, member: &str) -> Result<(), Refusal> {
    let good = split_subject(id).is_some_and(|(kind, id)| !is_reserved_id(id) && kind != "role");
    match good && id.len() <= ID_BYTES_MAX && !id.contains('\0') {
        true => Ok(()),
        false => Err(Problem::INVALID_REQUEST
            .because(format!("{member}: write <type>:<id>, for one subject, in at most 512 bytes"))),
    }
}

/// A resource's type and id, at a member of the body.
pub(super) fn place(kind: &str, id: &str, member: &str) -> Result<(), Refusal> {
    let what = match (kind, id) {
        ("", _) => "type: it is empty",
        (_, "") => "id: it is empty",
        (_, "*") => "id: `*` stands for many; give the id of one resource",
        _ if kind.len() + id.len() > PLACE_BYTES_MAX => "id: it has more than 511 bytes, with its type",
        _ if kind.contains('\0') || id.contains('\0') => "id: the database takes no U+0000",
        _ => return Ok(()),
    };
    let slash = if member.is_empty() { "" } else { "/" };
    Err(Problem::INVALID_REQUEST.because(format!("{member}{slash}{what}")))
}

/// Dimensions. `stored`: a resource's own, which may not pass for the subject's.
pub(super) fn dimensions(of: &BTreeMap<String, String>, member: &str, stored: bool) -> Result<(), Refusal> {
    for (name, value) in of {
        let what = match (name, value) {
            _ if name.contains('\0') || value.contains('\0') => "the database takes no U+0000",
            _ if name.len().max(value.len()) > TEXT_BYTES_MAX => "it has more than 4,096 bytes",
            _ if stored && name.starts_with("subject.") => "names of that form are the subject's",
            _ => continue,
        };
        let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        return Err(Problem::INVALID_REQUEST.because(format!("{member}/{name}: {what}")));
    }
    Ok(())
}

/// The actions that a `ref` edge lets flow, sorted and each once.
pub(super) fn cap(relation: Relation, cap: &[String], member: &str) -> Result<Option<Vec<String>>, Refusal> {
    let wrong = |index: usize, what: &str| {
        Err(Problem::INVALID_REQUEST.because(format!("{member}cap/{index}: {what}")))
    };
    for (index, action) in cap.iter().enumerate() {
        match action.as_str() {
            _ if relation == Relation::Auto => {
                return wrong(index, "relation `auto` lets everything flow and has no cap");
            }
            "" => return wrong(index, "it is empty"),
            "*" => return wrong(index, "a cap lists actions and has no wildcard"),
            action if action.contains('\0') => return wrong(index, "the database takes no U+0000"),
            action if action.len() > ID_BYTES_MAX => return wrong(index, "it has more than 512 bytes"),
            _ => {}
        }
    }
    if cap.len() > PERMISSIONS_MAX {
        return wrong(PERMISSIONS_MAX, "more than 1,000 actions");
    }
    let once: BTreeSet<&String> = cap.iter().collect();
    Ok((relation == Relation::Ref).then(|| once.into_iter().cloned().collect()))
}

/// How an edge lets rights flow down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Relation {
    /// All of them.
    #[default]
    Auto,
    /// Those of the actions in the cap.
    Ref,
}

/// A resource, as callers write it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct At {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
}

impl At {
    /// Refuses what names no resource, at a member of the body.
    pub fn checked(&self, member: &str) -> Result<(String, String), Refusal> {
        place(&self.kind, &self.id, member)?;
        Ok((self.kind.clone(), self.id.clone()))
    }
}

/// The default of `active`.
pub(super) fn yes() -> bool {
    true
}

/// A life, with its times read.
pub(super) fn life(
    active: bool,
    not_before: Option<&str>,
    expires_at: Option<&str>,
) -> Result<Life, Refusal> {
    let time = |member: &str, text: Option<&str>| -> Result<Option<i64>, Refusal> {
        let wrong = |what| {
            Problem::INVALID_REQUEST.because(format!("{member}: `{}` {what}", text.unwrap_or_default()))
        };
        text.map(parse_time).transpose().map_err(wrong)
    };
    let life = Life {
        active,
        not_before: time("not_before", not_before)?,
        expires_at: time("expires_at", expires_at)?,
    };
    if life.not_before.zip(life.expires_at).is_some_and(|(begin, end)| end <= begin) {
        return Err(Problem::INVALID_REQUEST.because("expires_at: it is not after not_before"));
    }
    Ok(life)
}
