//! The new numbers in a row that is kept.

use super::runs::{GONE, Runs};
use super::source::{Entry, Row, SEQUENCES, Sequence, Source};
use crate::bytes::{array, u32_at};
use crate::layout::{KINDS, Kind, key};
use postern_resolver::view::{BINDING_SET, NOWHERE, RESOURCE_COMPLEX, SUBJECT_EXT, SUBJECT_LIST};
use std::vec::Vec;

/// What a number in a row counts.
#[derive(Clone, Copy)]
enum Column {
    /// Nothing that moves.
    Raw,
    /// The rows of a sequence, from 0.
    Of(Sequence),
    /// The same plus one; 0 is none.
    Plus(Sequence),
    /// Lists of any kind; 0 is the empty one.
    List,
    /// Where a binding stands.
    At,
    /// A set, below the bits of a binding.
    What,
}

const fn columns(sequence: Sequence) -> [Column; 6] {
    use Column::{At, List, Of, Plus, Raw, What};
    use Sequence::{Resources, Sets, Strings, Subjects, Terms, Timings};
    match sequence {
        Sequence::Types => [Of(Strings), Raw, Plus(Sets), Raw, Raw, Raw],
        Sequence::Terms => [Plus(Timings), Raw, Plus(Strings), List, List, Raw],
        Sequence::Roles => [Plus(Strings), Plus(Strings), Of(Sets), List, Raw, Raw],
        Sequence::Bindings => [At, What, Plus(Sequence::Roles), Plus(Terms), Raw, Raw],
        Sequence::SubjectExts => [List, List, List, Plus(Timings), List, Raw],
        Sequence::ResourceExts => [Raw, Plus(Subjects), Plus(Timings), List, List, List],
        Sequence::Lists(kind) => match kind {
            Kind::Pairs => [Of(Strings), Of(Strings), Raw, Raw, Raw, Raw],
            Kind::Actions => [Raw; 6],
            Kind::Memberships => [Of(Subjects), Plus(Timings), Raw, Raw, Raw, Raw],
            Kind::Groups => [Of(Subjects); 6],
            Kind::Edges => [Of(Resources), List, Raw, Raw, Raw, Raw],
            Kind::Reach => [Of(Resources); 6],
            Kind::Bindings => [Of(Sequence::Bindings); 6],
        },
        _ => [Raw; 6],
    }
}

/// Where all numbers go: the runs of every sequence.
pub(super) struct Moves {
    runs: [Runs; SEQUENCES.len()],
    /// Where the lists of each kind began, and begin.
    kinds: [[u32; KINDS + 1]; 2],
}

impl Moves {
    /// Nothing is known yet: every number is gone.
    pub fn new(source: &Source<'_>) -> Self {
        let kinds = source.body.list_kinds;
        Moves { runs: core::array::from_fn(|_| Runs::default()), kinds: [kinds, kinds] }
    }

    pub fn of(&self, sequence: Sequence) -> &Runs {
        &self.runs[sequence.place()]
    }

    pub fn set(&mut self, sequence: Sequence, runs: Runs) {
        self.runs[sequence.place()] = runs;
        // List 0 is the empty one; the kinds follow.
        let mut next = 1u32;
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            self.kinds[1][place] = next;
            next = next.saturating_add(self.of(Sequence::Lists(kind)).new);
        }
        self.kinds[1][KINDS] = next;
    }

    /// Where the lists of each kind begin in the new snapshot.
    pub fn list_kinds(&self) -> [u32; KINDS + 1] {
        self.kinds[1]
    }

    /// The new number of a list.
    pub fn list(&self, list: u32) -> u32 {
        let [old, new] = &self.kinds;
        if list == 0 {
            return 0;
        }
        let Some(kind) = Kind::ALL.into_iter().find(|kind| list < old[*kind as usize + 1]) else {
            return GONE;
        };
        let place = self.of(Sequence::Lists(kind)).new_number(list.wrapping_sub(old[kind as usize]));
        if place == GONE { GONE } else { new[kind as usize].saturating_add(place) }
    }

    fn number(&self, column: Column, number: u32) -> u32 {
        let plus = |sequence: Sequence, number: u32| match number.checked_sub(1) {
            None => 0,
            Some(number) => self.of(sequence).new_number(number).saturating_add(1),
        };
        match column {
            Column::Raw => number,
            Column::Of(sequence) => self.of(sequence).new_number(number),
            Column::Plus(sequence) => plus(sequence, number),
            Column::List => self.list(number),
            Column::At if number == NOWHERE => NOWHERE,
            Column::At => plus(Sequence::Resources, number),
            Column::What => match self.of(Sequence::Sets).new_number(number & BINDING_SET) {
                set if set <= BINDING_SET => number & !BINDING_SET | set,
                _ => GONE,
            },
        }
    }

    /// A row of a section of numbers, with the new ones.
    pub fn row(&self, sequence: Sequence, row: Row) -> Row {
        // The binding that fills unused places is the same everywhere.
        if sequence == Sequence::Bindings && row[0] == NOWHERE {
            return row;
        }
        let mut out = row;
        for (column, number) in columns(sequence).into_iter().zip(&mut out) {
            *number = self.number(column, *number);
        }
        out
    }

    /// The items of a list, with the new numbers.
    pub fn items(&self, kind: Kind, mut items: Vec<u32>) -> Vec<u32> {
        let [first, second, ..] = columns(Sequence::Lists(kind));
        let pairs = matches!(kind, Kind::Pairs | Kind::Memberships | Kind::Edges);
        for (place, item) in items.iter_mut().enumerate() {
            *item = self.number(if pairs && place % 2 == 1 { second } else { first }, *item);
        }
        items
    }

    /// An entry's key with the new numbers; its row stays as it is.
    pub fn key(&self, sequence: Sequence, entry: Entry) -> Entry {
        let mut out = entry;
        let of = if sequence == Sequence::Resources { Sequence::Types } else { Sequence::Strings };
        out.of = self.of(of).new_number(entry.of);
        if entry.keys == key::TEXT {
            let string = self.of(Sequence::Strings).new_number(u32_at(&entry.key, 0));
            out.key[..4].copy_from_slice(&string.to_le_bytes());
        }
        out
    }

    /// An entry's row with the new numbers; `None` where one of them is gone.
    pub fn entry_row(&self, sequence: Sequence, row: [u8; 8]) -> Option<[u8; 8]> {
        let halves = [u32_at(&row, 0), u32_at(&row, 1)];
        let [first, second] = match sequence {
            Sequence::Subjects => return self.subject_row(row),
            Sequence::Aliases => [self.number(Column::Of(Sequence::Subjects), halves[0]), halves[1]],
            _ => [
                if halves[0] & RESOURCE_COMPLEX != 0 {
                    halves[0]
                } else {
                    self.number(Column::At, halves[0])
                },
                self.number(Column::Plus(Sequence::ResourceExts), halves[1]),
            ],
        };
        let whole = u64::from(first) | u64::from(second) << 32;
        (first != GONE && second != GONE).then(|| whole.to_le_bytes())
    }

    fn subject_row(&self, row: [u8; 8]) -> Option<[u8; 8]> {
        let bits = u16::from_le_bytes(array(&row, 0));
        let [first, second, third] = [2, 4, 6].map(|at| u16::from_le_bytes(array(&row, at)));
        let link = u32::from(first) | u32::from(second) << 16;
        let words = if bits & (SUBJECT_LIST | SUBJECT_EXT) == 0 {
            let bindings = self.of(Sequence::Bindings);
            let mut words = [first, second, third];
            for word in &mut words {
                *word = u16::try_from(bindings.new_number((*word).into())).ok()?;
            }
            words
        } else {
            let link = if bits & SUBJECT_LIST != 0 {
                self.list(link)
            } else {
                self.of(Sequence::SubjectExts).new_number(link)
            };
            if link == GONE {
                return None;
            }
            [link as u16, (link >> 16) as u16, third]
        };
        let mut out = row;
        for (place, word) in out.as_chunks_mut::<2>().0.iter_mut().skip(1).zip(words) {
            *place = word.to_le_bytes();
        }
        Some(out)
    }
}
