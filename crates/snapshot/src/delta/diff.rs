//! Finding out what changed.

use super::align::{align, split};
use super::apply::apply;
use super::head::{DeltaHead, seal};
use super::rows::Moves;
use super::runs::Run;
use super::source::{Entry, SEQUENCES, Sequence, Source, width};
use super::wire;
use crate::Snapshot;
use crate::bytes::{array, u32_at};
use crate::layout::{Kind, key};
use core::hash::Hash;
use std::vec::Vec;

/// The delta that leads from `old` to `new`. Where no small one does (another catalog of permissions, another
/// organization, everything different) it brings `new` whole.
///
/// Cost: linear in both; memory in proportion to them. The result has been applied once, and gave the bytes of `new`.
pub fn diff(old: &Snapshot<'_>, new: &Snapshot<'_>) -> Vec<u8> {
    let head = |whole| DeltaHead {
        organization: old.organization().into(),
        from: old.revision(),
        to: new.revision(),
        old: array(old.bytes(), 16),
        new: array(new.bytes(), 16),
        whole,
    };
    let (from, to) = (Source::new(old.body()), Source::new(new.body()));
    if let Some(moves) = moves(&from, &to) {
        let mut content = head(false).write();
        write_changes(&moves, &to, &mut content);
        let delta = seal(&content);
        let right = || apply(old, &delta).is_ok_and(|bytes| bytes == new.bytes());
        if delta.len() < new.bytes().len() && right() {
            return delta;
        }
    }
    let mut content = head(true).write();
    content.extend_from_slice(new.bytes());
    seal(&content)
}

/// Where all numbers go; `None` where the permissions are others, whose numbers stand in every set.
fn moves(old: &Source<'_>, new: &Source<'_>) -> Option<Moves> {
    let mut pairing = Pairing { old, new, moves: Moves::new(old) };
    for sequence in [Sequence::Strings, Sequence::Sets, Sequence::Timings] {
        pairing.bytes(sequence);
    }
    let same_permission = |number: u32| {
        let ([old_key, old_rest @ ..], [new_key, new_rest @ ..]) =
            (old.permission(number), new.permission(number));
        pairing.moves.of(Sequence::Strings).new_number(old_key) == new_key && old_rest == new_rest
    };
    let permissions = old.permission_count();
    if permissions == 0 || permissions != new.permission_count() || !(0..permissions).all(same_permission) {
        return None;
    }
    pairing.rows(Sequence::Types, 1);
    for kind in [Kind::Pairs, Kind::Actions] {
        pairing.lists(kind);
    }
    pairing.rows(Sequence::Terms, 6);
    for sequence in [Sequence::Subjects, Sequence::Resources, Sequence::Aliases] {
        pairing.entries(sequence);
    }
    // By id alone: a role that is edited stays the same role, and its grants are bindings, which refer to roles.
    pairing.rows(Sequence::Roles, 1);
    pairing.rows(Sequence::Bindings, 6);
    for kind in [Kind::Memberships, Kind::Groups, Kind::Edges, Kind::Reach, Kind::Bindings] {
        pairing.lists(kind);
    }
    for sequence in [Sequence::SubjectExts, Sequence::ResourceExts] {
        pairing.rows(sequence, 6);
    }
    for sequence in [Sequence::Types, Sequence::Roles] {
        pairing.split(sequence, |moves, at, beside| {
            moves.row(sequence, old.row(sequence, at)) == new.row(sequence, beside)
        });
    }
    for sequence in [Sequence::Subjects, Sequence::Aliases, Sequence::Resources] {
        pairing.split(sequence, |moves, at, beside| {
            moves.entry_row(sequence, old.entry(sequence, at).row) == Some(new.entry(sequence, beside).row)
        });
    }
    Some(pairing.moves)
}

struct Pairing<'s, 'a> {
    old: &'s Source<'a>,
    new: &'s Source<'a>,
    moves: Moves,
}

impl<'s, 'a> Pairing<'s, 'a> {
    /// Aligns a sequence; `row` reads one, of the old snapshot with its new numbers.
    fn align<K: Eq + Hash>(
        &mut self,
        sequence: Sequence,
        pair: bool,
        row: impl Fn(&Source<'a>, Option<&Moves>, u32) -> K,
    ) {
        let old: Vec<K> =
            (0..self.old.len(sequence)).map(|number| row(self.old, Some(&self.moves), number)).collect();
        let new: Vec<K> = (0..self.new.len(sequence)).map(|number| row(self.new, None, number)).collect();
        self.moves.set(sequence, align(&old, &new, pair));
    }

    fn bytes(&mut self, sequence: Sequence) {
        self.align(sequence, true, |source, _, number| source.bytes(sequence, number));
    }

    /// Aligns rows by their first columns.
    fn rows(&mut self, sequence: Sequence, columns: usize) {
        self.align(sequence, columns == 6, |source, moves, number| {
            let row = source.row(sequence, number);
            let mut row = moves.map_or(row, |moves| moves.row(sequence, row));
            row[columns..].fill(0);
            row
        });
    }

    fn lists(&mut self, kind: Kind) {
        self.align(Sequence::Lists(kind), true, |source, moves, number| {
            let items = source.list(kind, number);
            match moves {
                Some(moves) => moves.items(kind, items),
                None => items,
            }
        });
    }

    fn entries(&mut self, sequence: Sequence) {
        self.align(sequence, false, |source, moves, number| {
            let entry = source.entry(sequence, number);
            let entry = moves.map_or(entry, |moves| moves.key(sequence, entry));
            (entry.of, entry.keys, entry.key)
        });
    }

    fn split(&mut self, sequence: Sequence, same: impl Fn(&Moves, u32, u32) -> bool) {
        let runs = split(self.moves.of(sequence), |old, new| same(&self.moves, old, new));
        self.moves.set(sequence, runs);
    }
}

/// Everything after the head of a delta that is not whole.
fn write_changes(moves: &Moves, new: &Source<'_>, out: &mut Vec<u8>) {
    for number in [new.body.flags, new.body.own, new.body.everyone] {
        wire::number(out, number);
    }
    for sequence in [Sequence::Subjects, Sequence::Aliases, Sequence::Resources] {
        let partitions = new.partitions(sequence);
        wire::number(out, partitions.len() as u32);
        partitions.into_iter().flatten().for_each(|number| wire::number(out, number));
    }
    for sequence in SEQUENCES {
        moves.of(sequence).write(out);
    }
    for sequence in SEQUENCES {
        let mut next = 0;
        for run in moves.of(sequence).iter() {
            let (count, added) = match run {
                Run::Keep(count) => (count, None),
                Run::Drop(_) => (0, None),
                Run::Add(count) => (count, Some(true)),
                Run::Replace(count) => (count, Some(false)),
            };
            if let Some(added) = added {
                (next..next + count).for_each(|number| write_row(new, sequence, number, added, out));
            }
            next += count;
        }
    }
}

fn write_row(new: &Source<'_>, sequence: Sequence, number: u32, added: bool, out: &mut Vec<u8>) {
    match sequence {
        Sequence::Strings => wire::text(out, new.bytes(sequence, number)),
        Sequence::Sets | Sequence::Timings => out.extend_from_slice(new.bytes(sequence, number)),
        Sequence::Lists(kind) => {
            let items = new.list(kind, number);
            wire::number(out, items.len() as u32);
            items.into_iter().for_each(|item| wire::number(out, item));
        }
        Sequence::Subjects | Sequence::Aliases | Sequence::Resources => {
            let Entry { keys, key, row, .. } = new.entry(sequence, number);
            if added {
                match keys {
                    key::TEXT => wire::number(out, u32_at(&key, 0)),
                    key::HIDDEN => {}
                    _ => out.extend_from_slice(&key),
                }
            }
            out.extend_from_slice(&row);
        }
        _ => new.row(sequence, number).into_iter().take(width(sequence)).for_each(|n| wire::number(out, n)),
    }
}
