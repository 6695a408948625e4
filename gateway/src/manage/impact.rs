//! What a write would give and take: the same questions on the facts before and after it, for everybody whom it
//! concerns.

use super::Place;
use super::rights::borrowed;
use crate::publish::State;
use postern_resolver::view::{Id, View};
use postern_resolver::{Context, ORGANIZATION, actions, live_scopes, mask, resource_handle, subject_handle};
use postern_snapshot::Snapshot;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// LIMIT: rows that say who gains and loses what where. What is counted is counted all the same.
const CHANGES_MAX: usize = 1000;

/// What a write would change of what may be done where a question states nothing besides.
#[derive(Debug, Default)]
pub struct Impact {
    /// Subjects whose slices would be cut anew: also those for whom only what holds under conditions, or later, changes.
    concerned: u64,
    gained: Count,
    lost: Count,
    changes: Vec<Value>,
    more: bool,
}

/// Rights: each is a permission of a subject at a place.
#[derive(Debug, Default)]
struct Count {
    subjects: u64,
    permissions: u64,
}

impl Impact {
    /// As callers see it. `revision`: the one that the write would follow.
    pub fn to_json(&self, revision: u64) -> Value {
        let count = |count: &Count| json!({"subjects": count.subjects, "permissions": count.permissions});
        json!({
            "preview": true,
            "revision": revision.to_string(),
            "concerned": self.concerned,
            "gained": count(&self.gained),
            "lost": count(&self.lost),
            "changes": self.changes,
            "more": self.more,
        })
    }

    /// Compares two states at the organization, at every scope that is live in one of them, and at `about`.
    ///
    /// Cost: the fingerprints of both; then a mask for each concerned subject, place and state.
    pub fn between(before: &State, after: &State, about: BTreeSet<Place>, now: i64) -> Impact {
        let mut impact = Impact::default();
        let (before_prints, after_prints) = (before.fingerprints(), after.fingerprints());
        let sides = [Side::new(before.view(), now), Side::new(after.view(), now)];
        let scopes = sides.iter().flat_map(|side| live_scopes(&side.view, now)).map(Some);
        let places: BTreeSet<Place> = about.into_iter().chain([None]).chain(scopes).collect();
        let places: Vec<(Place, [Option<u32>; 2])> = places
            .into_iter()
            .map(|place| (place.clone(), sides.each_ref().map(|side| side.place(&place))))
            .collect();
        // Where the catalog changes, a permission may have another number.
        let keys: BTreeSet<&str> = sides.iter().flat_map(Side::keys).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        let same = sides.iter().all(|side| side.keys().eq(keys.iter().copied()));
        let mut held = [vec![0; keys.len().div_ceil(8)], vec![0; keys.len().div_ceil(8)]];
        let names: BTreeSet<String> = sides.iter().flat_map(Side::askers).collect();
        for name in &names {
            if before_prints.of_subject(&before.view(), name) == after_prints.of_subject(&after.view(), name)
            {
                continue;
            }
            impact.concerned += 1;
            let handles = sides.each_ref().map(|side| subject_handle(&side.view, name));
            let (mut gains, mut loses) = (false, false);
            for (place, numbers) in &places {
                for (number, (side, held)) in sides.iter().zip(&mut held).enumerate() {
                    match (same, handles[number], numbers[number]) {
                        (true, Some(subject), Some(at)) => mask(&side.view, subject, at, now, held),
                        _ => side.ask(name, place, &keys, held),
                    }
                }
                let [had, has] = &held;
                if had == has {
                    continue;
                }
                let [gained, lost] = [(has, had), (had, has)].map(|(these, those)| only(these, those, &keys));
                impact.gained.permissions += gained.len() as u64;
                impact.lost.permissions += lost.len() as u64;
                (gains, loses) = (gains | !gained.is_empty(), loses | !lost.is_empty());
                if impact.changes.len() < CHANGES_MAX {
                    let at = place.as_ref().map(|(kind, id)| json!({"type": kind, "id": id}));
                    let row = json!({"subject": name, "at": at, "gained": gained, "lost": lost});
                    impact.changes.push(row);
                } else {
                    impact.more = true;
                }
            }
            impact.gained.subjects += u64::from(gains);
            impact.lost.subjects += u64::from(loses);
        }
        impact
    }
}

/// The keys in the first set that are not in the second.
fn only<'k>(these: &[u8], those: &[u8], keys: &[&'k str]) -> Vec<&'k str> {
    let has = |set: &[u8], place: usize| set[place / 8] >> (place % 8) & 1 != 0;
    let places = (0..keys.len()).filter(|place| has(these, *place) && !has(those, *place));
    places.map(|place| keys[place]).collect()
}

/// The facts before or after.
struct Side<'s> {
    view: Snapshot<'s>,
    now: i64,
}

impl<'s> Side<'s> {
    fn new(view: Snapshot<'s>, now: i64) -> Self {
        Side { view, now }
    }

    /// The catalog's keys, in order.
    fn keys(&self) -> impl Iterator<Item = &str> {
        (0..self.view.permission_count()).map(|permission| self.view.permission_key(permission))
    }

    /// The handle of a place; `None` where it is not listed.
    fn place(&self, place: &Place) -> Option<u32> {
        match borrowed(place) {
            None => Some(ORGANIZATION),
            Some((kind, id)) => resource_handle(&self.view, kind, id),
        }
    }

    /// Everybody that a fact names, but groups: nobody asks in their name.
    fn askers(&self) -> impl Iterator<Item = String> {
        (0..self.view.counts().subjects).filter_map(|subject| {
            let kind = self.view.subject_kind(subject);
            let id = match self.view.subject_id(subject) {
                Id::Text(id) => id.to_owned(),
                Id::Uuid(bytes) => uuid::Uuid::from_bytes(bytes).to_string(),
                Id::Hidden => return None,
            };
            (kind != "group").then(|| format!("{kind}:{id}"))
        })
    }

    /// The same as a mask, of what has no handle here. Who or what is not known may do nothing.
    fn ask(&self, subject: &str, place: &Place, keys: &[&str], held: &mut [u8]) {
        held.fill(0);
        let context = Context { now: self.now, ..Context::default() };
        for key in actions(&self.view, subject, borrowed(place), &context).unwrap_or_default() {
            if let Ok(place) = keys.binary_search(&key.as_str()) {
                held[place / 8] |= 1 << (place % 8);
            }
        }
    }
}
