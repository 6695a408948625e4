//! Which rows of two sequences are the same.

use super::runs::{Run, Runs};
use core::hash::Hash;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// How far ahead is looked for the next row that both have before all of them are hashed.
const NEAR: usize = 64;

/// What becomes of the rows of `old`, so that they become `new`. Rows that both have follow each other in both in the same
/// order; if they do not, a delta is longer and still right.
///
/// With `pair`, rows between those that both have count as replaced, and what refers to the old ones refers to the new.
pub(super) fn align<K: Eq + Hash>(old: &[K], new: &[K], pair: bool) -> Runs {
    let mut runs = Runs::default();
    let mut places: Option<HashMap<&K, usize>> = None;
    let (mut at, mut beside) = (0, 0);
    loop {
        let same = old[at..].iter().zip(&new[beside..]).take_while(|(old, new)| old == new).count();
        runs.push(Run::Keep(same as u32));
        (at, beside) = (at + same, beside + same);
        if at == old.len() && beside == new.len() {
            return runs;
        }
        let (next, next_beside) = near(&old[at..], &new[beside..])
            .or_else(|| {
                let places = places.get_or_insert_with(|| first_places(new));
                old[at..].iter().enumerate().find_map(|(ahead, row)| {
                    places.get(row).filter(|place| **place >= beside).map(|place| (ahead, *place - beside))
                })
            })
            .unwrap_or((old.len() - at, new.len() - beside));
        let both = if pair { next.min(next_beside) } else { 0 };
        runs.push(Run::Replace(both as u32));
        runs.push(Run::Drop((next - both) as u32));
        runs.push(Run::Add((next_beside - both) as u32));
        (at, beside) = (at + next, beside + next_beside);
    }
}

/// The nearest rows that are the same, where only one side moves on, or both alike.
fn near<K: Eq>(old: &[K], new: &[K]) -> Option<(usize, usize)> {
    (1..=NEAR).find_map(|ahead| {
        [(ahead, 0), (0, ahead), (ahead, ahead)].into_iter().find(|(old_ahead, new_ahead)| {
            let pair = old.get(*old_ahead).zip(new.get(*new_ahead));
            pair.is_some_and(|(old, new)| old == new)
        })
    })
}

fn first_places<K: Eq + Hash>(rows: &[K]) -> HashMap<&K, usize> {
    let mut places = HashMap::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        if let Entry::Vacant(vacant) = places.entry(row) {
            vacant.insert(place);
        }
    }
    places
}

/// Of the rows that are kept because their keys are the same, those with other contents are replaced.
pub(super) fn split(runs: &Runs, same: impl Fn(u32, u32) -> bool) -> Runs {
    let mut out = Runs::default();
    for run in runs.iter() {
        match run {
            Run::Keep(count) => {
                let (old, new) = (out.old, out.new);
                for ahead in 0..count {
                    let kept = same(old + ahead, new + ahead);
                    out.push(if kept { Run::Keep(1) } else { Run::Replace(1) });
                }
            }
            run => out.push(run),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// What the runs make of `old`, taking what they add from `new`.
    fn follow(runs: &Runs, old: &[u32], new: &[u32]) -> Vec<u32> {
        let (mut at, mut out) = (0, Vec::new());
        for run in runs.iter() {
            match run {
                Run::Keep(count) => {
                    out.extend_from_slice(&old[at..at + count as usize]);
                    at += count as usize;
                }
                Run::Drop(count) => at += count as usize,
                Run::Add(count) => out.extend_from_slice(&new[out.len()..out.len() + count as usize]),
                Run::Replace(count) => {
                    at += count as usize;
                    out.extend_from_slice(&new[out.len()..out.len() + count as usize]);
                }
            }
        }
        assert_eq!(at, old.len());
        out
    }

    #[test]
    fn runs_lead_from_one_sequence_to_the_other() {
        let sequences: [&[u32]; 7] = [
            &[],
            &[1],
            &[1, 2, 3, 4, 5],
            &[1, 3, 5],
            &[0, 1, 2, 7, 8, 4, 5, 9],
            &[5, 4, 3, 2, 1],
            &[2, 2, 2, 3],
        ];
        let long: Vec<u32> = (0..300).collect();
        let far: Vec<u32> = (0..300).filter(|n| !(50..200).contains(n)).chain(400..500).collect();
        for old in sequences.into_iter().chain([long.as_slice(), &far]) {
            for new in sequences.into_iter().chain([long.as_slice(), &far]) {
                for pair in [true, false] {
                    let runs = align(old, new, pair);
                    assert_eq!(follow(&runs, old, new), new, "{old:?} {new:?}");
                    assert_eq!((runs.old as usize, runs.new as usize), (old.len(), new.len()));
                }
            }
        }
        let kept: u32 =
            align(&long, &far, true).iter().map(|run| if let Run::Keep(n) = run { n } else { 0 }).sum();
        assert_eq!(kept, 150, "rows that both have are kept, however far apart they are");
    }
}
