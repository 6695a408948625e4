//! The new numbers in a row that is kept.

use super::runs::{GONE, Runs};
use super::source::{Entry, Row, SEQUENCES, Sequence, Source};
use crate::bytes::u32_at;
use crate::layout::{KINDS, Kind, key};
use crate::{open, write};
use postern_resolver::view::{
    BINDING_SET, NOWHERE, RESOURCE_COMPLEX, ResourceRow, SUBJECT_EXT, SUBJECT_LIST, SubjectRow,
};
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
        let word = u64::from_le_bytes(row);
        match sequence {
            Sequence::Subjects => self.subject(open::subject_row(word)).map(|row| write::subject_row(&row)),
            Sequence::Aliases => {
                let subject = self.of(Sequence::Subjects).new_number(word as u32);
                (subject != GONE).then(|| u64::from(subject).to_le_bytes())
            }
            _ => self.resource(open::resource_row(word)).map(|row| write::resource_row(&row)),
        }
    }

    fn resource(&self, row: ResourceRow) -> Option<ResourceRow> {
        let complex = row.up & RESOURCE_COMPLEX != 0;
        let up = if complex { row.up } else { self.number(Column::At, row.up) };
        let ext = self.number(Column::Plus(Sequence::ResourceExts), row.ext);
        (up != GONE && ext != GONE).then_some(ResourceRow { up, ext })
    }

    fn subject(&self, mut row: SubjectRow) -> Option<SubjectRow> {
        let link = if row.bits & SUBJECT_LIST != 0 {
            self.list(row.link())
        } else if row.bits & SUBJECT_EXT != 0 {
            self.of(Sequence::SubjectExts).new_number(row.link())
        } else {
            for word in &mut row.words {
                let binding = self.of(Sequence::Bindings).new_number((*word).into());
                *word = u16::try_from(binding).ok()?;
            }
            return Some(row);
        };
        let [first, second, _] = &mut row.words;
        (*first, *second) = (link as u16, (link >> 16) as u16);
        (link != GONE).then_some(row)
    }
}
