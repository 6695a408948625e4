//! Final numbers: what is used, in the order in which it sorts.

use super::{ALWAYS, Draft, DraftError, DraftTerms, Holds, Timing, too_much};
use crate::facts::{Entry, Key, sort_key};
use crate::pool::Pool;
use std::collections::{BTreeMap, BTreeSet};
use std::string::String;
use std::vec;
use std::vec::Vec;

/// Most sections count their rows, or their bytes, in 31 bits.
pub(super) const ROWS_MAX: usize = (1 << 31) - 1;

impl Draft {
    /// Keeps only the attributes that some term names: what no decision can depend on does not leave the authority.
    pub(super) fn drop_unused_attributes(&mut self) {
        let names: BTreeSet<u32> = self
            .terms
            .iter()
            .flat_map(|terms| terms.conditions.iter().chain(&terms.require))
            .map(|(name, _)| *name)
            .collect();
        let all = self
            .subjects
            .iter_mut()
            .map(|row| &mut row.rare)
            .chain(self.resources.iter_mut().map(|row| &mut row.rare));
        for place in all {
            if let Some(rare) = place {
                rare.attributes.retain(|(name, _)| names.contains(name));
                if rare.attributes.is_empty() && rare.timing == ALWAYS {
                    *place = None;
                }
            }
        }
    }

    /// The texts that are used, sorted, and each provisional number's final one.
    pub(super) fn take_strings(&mut self) -> (Vec<String>, Vec<u32>) {
        let strings = std::mem::take(&mut self.strings);
        let mut used = vec![false; strings.len()];
        let mut mark = |number: u32| used[number as usize] = true;
        self.permissions.iter().for_each(|row| mark(row.key));
        self.types.iter().for_each(|row| mark(row.name));
        let keys = self.subjects.iter().map(|row| row.key).chain(self.resources.iter().map(|row| row.key));
        for key in keys.chain(self.aliases.iter().map(|(_, key)| *key)) {
            if let Key::Text(text) = key {
                mark(text);
            }
        }
        self.subjects.iter().for_each(|row| mark(row.kind));
        let rare = self.subjects.iter().filter_map(|row| row.rare.as_ref());
        let rare = rare.chain(self.resources.iter().filter_map(|row| row.rare.as_ref()));
        let pairs = rare.flat_map(|rare| &rare.attributes);
        let terms = self.terms.iter().flat_map(|terms| terms.conditions.iter().chain(&terms.require));
        for (name, value) in pairs.chain(terms) {
            mark(*name);
            mark(*value);
        }
        self.terms.iter().filter_map(|terms| terms.session).for_each(&mut mark);
        self.roles.iter().flat_map(|role| [role.id, role.name]).flatten().for_each(&mut mark);
        strings.finish(&used)
    }

    /// The sets that are used, in their order, one after the other, and each provisional number's final one.
    pub(super) fn number_sets(&self) -> (Vec<u8>, Vec<u32>) {
        let mut used = vec![false; self.sets.len()];
        self.types.iter().filter_map(|row| row.owner_set).for_each(|set| used[set as usize] = true);
        self.roles.iter().for_each(|role| used[role.set as usize] = true);
        for holding in &self.holdings {
            if let Holds::Grant(set) | Holds::Exclusion(set) = holding.holds {
                used[set as usize] = true;
            }
        }
        let distinct: BTreeSet<&Vec<u8>> =
            self.sets.iter().zip(&used).filter(|(_, used)| **used).map(|(set, _)| set).collect();
        let places: BTreeMap<&Vec<u8>, u32> =
            distinct.iter().enumerate().map(|(place, set)| (*set, place as u32)).collect();
        let numbers = self.sets.iter().map(|set| places.get(set).copied().unwrap_or(0)).collect();
        (distinct.into_iter().flatten().copied().collect(), numbers)
    }

    pub(super) fn number_timings(&self, timings: &mut Pool<Timing>) {
        let rare = self.subjects.iter().filter_map(|row| row.rare.as_ref());
        let rare = rare.chain(self.resources.iter().filter_map(|row| row.rare.as_ref()));
        let all = rare
            .map(|rare| rare.timing)
            .chain(self.memberships.iter().map(|(_, _, timing)| *timing))
            .chain(self.terms.iter().map(|terms| terms.timing));
        for timing in all.filter(|timing| *timing != ALWAYS) {
            timings.number(timing);
        }
    }
}

/// Timings in their order, and the number of each: its place plus one.
pub(super) fn timings_of(pool: Pool<Timing>) -> (Vec<Timing>, BTreeMap<Timing, u32>) {
    let (timings, _) = pool.finish();
    let numbers = timings.iter().enumerate().map(|(place, timing)| (*timing, place as u32 + 1)).collect();
    (timings, numbers)
}

/// Distinct rows other than `none` in their order, and for each row 0 or one more than its place.
pub(super) fn number_rows<T: Ord + Copy>(rows: Vec<T>, none: T) -> (Vec<T>, Vec<u32>) {
    let mut distinct: Vec<T> = rows.iter().filter(|row| **row != none).copied().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let numbers = rows
        .iter()
        .map(|row| if *row == none { 0 } else { distinct.partition_point(|other| other < row) as u32 + 1 })
        .collect();
    (distinct, numbers)
}

pub(super) fn final_key(key: Key, string: &[u32]) -> Key {
    match key {
        Key::Text(text) => Key::Text(string[text as usize]),
        other => other,
    }
}

pub(super) fn entry<R>(of: u32, key: Key, strings: &[String], string: &[u32], row: R) -> Entry<R> {
    let key = final_key(key, string);
    Entry { of, hash: key.hash(strings), key, row }
}

/// The order of a table: which provisional number stands at each place, and each one's place.
pub(super) fn order(
    keys: impl Iterator<Item = (u32, Key)>,
    strings: &[String],
    string: &[u32],
) -> Result<(Vec<u32>, Vec<u32>), DraftError> {
    let mut sorted: Vec<_> = keys
        .enumerate()
        .map(|(old, (of, key))| {
            let key = final_key(key, string);
            (sort_key(of, key.hash(strings), &key), old as u32)
        })
        .collect();
    if sorted.len() > ROWS_MAX {
        return Err(too_much("subjects or resources", sorted.len(), ROWS_MAX));
    }
    sorted.sort_unstable();
    let mut places = vec![0; sorted.len()];
    for (place, (_, old)) in sorted.iter().enumerate() {
        places[*old as usize] = place as u32;
    }
    Ok((sorted.into_iter().map(|(_, old)| old).collect(), places))
}

impl DraftTerms {
    /// Whether they ask nothing.
    pub fn is_empty(&self) -> bool {
        *self == DraftTerms::default()
    }
}
