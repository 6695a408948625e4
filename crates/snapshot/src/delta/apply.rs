//! The new snapshot, from the old one and a delta.

use super::DeltaError;
use super::head::{self, DeltaHead};
use super::rows::Moves;
use super::runs::{Run, Runs};
use super::source::{SEQUENCES, Sequence, Source, width};
use super::wire::{Bad, Reader};
use crate::Snapshot;
use crate::bytes::{array, u32_at};
use crate::hash;
use crate::layout::{Body, Kind, Table, directory_bits, key};
use crate::write::{Directory, seal};
use std::vec::Vec;

/// The snapshot that a delta leads to: the very bytes that its writer had, and they open.
///
/// Cost: linear in the snapshot, without its compiling: memory is copied and numbers are moved.
///
/// # Errors
/// [`DeltaError`]: for another snapshot, damaged, or not written by [`diff`](super::diff()).
pub fn apply(old: &Snapshot<'_>, delta: &[u8]) -> Result<Vec<u8>, DeltaError> {
    let (head, mut reader) = head::open(delta)?;
    if (old.organization(), old.revision()) != (&head.organization, head.from) {
        let got = (old.organization().into(), old.revision());
        return Err(DeltaError::Base { expected: (head.organization, head.from), got });
    }
    if array::<8>(old.bytes(), 16) != head.old {
        return Err(DeltaError::OtherBytes);
    }
    let result = if head.whole {
        let count = reader.left();
        reader.bytes(count).map(Vec::from)
    } else {
        changed(old, &head, &mut reader)
    };
    let bytes = result.map_err(|Bad| malformed(delta, &reader))?;
    if array::<8>(&bytes, 16) != head.new {
        return Err(DeltaError::Result);
    }
    let new = Snapshot::open(&bytes).map_err(DeltaError::Open)?;
    if head.whole || (new.organization(), new.revision()) == (&head.organization, head.to) {
        Ok(bytes)
    } else {
        Err(DeltaError::Result)
    }
}

/// Where reading a delta ended.
pub(super) fn malformed(delta: &[u8], reader: &Reader<'_>) -> DeltaError {
    DeltaError::Malformed { at: delta.len() - reader.left() }
}

fn changed(old: &Snapshot<'_>, head: &DeltaHead, reader: &mut Reader<'_>) -> Result<Vec<u8>, Bad> {
    let source = Source::new(old.body());
    let [flags, own, everyone] = [reader.number()?, reader.number()?, reader.number()?];
    let partitions = [partitions(reader)?, partitions(reader)?, partitions(reader)?];
    let mut moves = Moves::new(&source);
    let mut brought = 0u64;
    for sequence in SEQUENCES {
        let runs = Runs::read(reader, source.len(sequence))?;
        brought += runs.brought();
        moves.set(sequence, runs);
    }
    // A row takes a byte at least. So the new snapshot is no larger than the old one and the delta explain.
    let tables = [Sequence::Subjects, Sequence::Aliases, Sequence::Resources].into_iter().zip(&partitions);
    let exact = |(sequence, partitions): (Sequence, &Vec<[u32; 3]>)| {
        let count: u64 = partitions.iter().map(|[.., count]| u64::from(*count)).sum();
        count == u64::from(moves.of(sequence).new) && partitions.iter().all(|[.., count]| *count > 0)
    };
    if brought > reader.left() as u64 || !tables.into_iter().all(exact) {
        return Err(Bad);
    }
    let mut sections = Sections::default();
    let mut building = Building { source: &source, moves: &moves, reader, sections: &mut sections };
    for sequence in SEQUENCES {
        match sequence {
            Sequence::Strings | Sequence::Sets | Sequence::Timings => building.bytes(sequence)?,
            Sequence::Lists(kind) => building.lists(kind)?,
            Sequence::Subjects => building.table(sequence, &partitions[0])?,
            Sequence::Aliases => building.table(sequence, &partitions[1])?,
            Sequence::Resources => building.table(sequence, &partitions[2])?,
            _ => building.rows(sequence)?,
        }
    }
    if reader.left() != 0 {
        return Err(Bad);
    }
    let mut permissions = Vec::with_capacity(source.body.permissions.len());
    for number in 0..source.permission_count() {
        let [key, rest @ ..] = source.permission(number);
        push(&mut permissions, moves.of(Sequence::Strings).new_number(key));
        rest.into_iter().for_each(|number| push(&mut permissions, number));
    }
    let body = Body {
        revision: head.to,
        flags,
        own,
        everyone,
        list_kinds: moves.list_kinds(),
        permissions: &permissions,
        ..sections.body(&source.body)
    };
    seal(&body).ok_or(Bad)
}

/// What each partition of a table is of, its kind of key, and its number of entries.
fn partitions(reader: &mut Reader<'_>) -> Result<Vec<[u32; 3]>, Bad> {
    let count = reader.number()? as usize;
    // Each takes three bytes at least: nothing is allocated for what is not there.
    let mut out = Vec::with_capacity(count.min(reader.left() / 3));
    for _ in 0..count {
        out.push([reader.number()?, reader.number()?, reader.number()?]);
    }
    Ok(out)
}

fn push(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

#[derive(Default)]
struct TableBytes {
    partitions: Vec<u8>,
    directory: Vec<u8>,
    entries: Vec<u8>,
}

impl TableBytes {
    fn table(&self) -> Table<'_> {
        Table { partitions: &self.partitions, directory: &self.directory, entries: &self.entries }
    }
}

/// The sections of the new snapshot.
#[derive(Default)]
struct Sections {
    string_offsets: Vec<u8>,
    strings: Vec<u8>,
    sets: Vec<u8>,
    timings: Vec<u8>,
    list_offsets: Vec<u8>,
    items: Vec<u8>,
    types: Vec<u8>,
    terms: Vec<u8>,
    roles: Vec<u8>,
    bindings: Vec<u8>,
    subject_exts: Vec<u8>,
    resource_exts: Vec<u8>,
    tables: [TableBytes; 3],
}

/// What becomes of one row.
enum Step {
    /// The old row of this number is kept.
    Kept(u32),
    /// The delta brings one.
    Added,
    /// The delta brings one for the old row of this number.
    Replaced(u32),
}

/// Calls `step` for each new row of a sequence.
fn follow(runs: &Runs, mut step: impl FnMut(Step) -> Result<(), Bad>) -> Result<(), Bad> {
    let mut at = 0;
    for run in runs.iter() {
        match run {
            Run::Keep(count) => {
                (at..at + count).try_for_each(|number| step(Step::Kept(number)))?;
                at += count;
            }
            Run::Drop(count) => at += count,
            Run::Add(count) => (0..count).try_for_each(|_| step(Step::Added))?,
            Run::Replace(count) => {
                (at..at + count).try_for_each(|number| step(Step::Replaced(number)))?;
                at += count;
            }
        }
    }
    Ok(())
}

/// The new sections as they come out of the old ones and the delta.
struct Building<'w, 'a, 'd> {
    source: &'w Source<'a>,
    moves: &'w Moves,
    reader: &'w mut Reader<'d>,
    sections: &'w mut Sections,
}

impl Building<'_, '_, '_> {
    fn bytes(&mut self, sequence: Sequence) -> Result<(), Bad> {
        let Building { source, moves, reader, sections } = self;
        let width = if sequence == Sequence::Timings { 16 } else { source.body.set_bytes as usize };
        let (offsets, out) = match sequence {
            Sequence::Strings => (Some(&mut sections.string_offsets), &mut sections.strings),
            Sequence::Sets => (None, &mut sections.sets),
            _ => (None, &mut sections.timings),
        };
        let mut offsets = offsets;
        if let Some(offsets) = &mut offsets {
            push(offsets, 0);
        }
        follow(moves.of(sequence), |step| {
            out.extend_from_slice(match step {
                Step::Kept(number) => source.bytes(sequence, number),
                _ if sequence == Sequence::Strings => reader.text()?,
                _ => reader.bytes(width)?,
            });
            if let Some(offsets) = &mut offsets {
                push(offsets, u32::try_from(out.len()).map_err(|_| Bad)?);
            }
            Ok(())
        })
    }

    fn lists(&mut self, kind: Kind) -> Result<(), Bad> {
        let Building { source, moves, reader, sections } = self;
        if sections.list_offsets.is_empty() {
            // The empty list, which is of every kind.
            sections.list_offsets.extend_from_slice(&[0; 8]);
        }
        let (offsets, out) = (&mut sections.list_offsets, &mut sections.items);
        follow(moves.of(Sequence::Lists(kind)), |step| {
            if let Step::Kept(number) = step {
                moves.items(kind, source.list(kind, number)).into_iter().for_each(|item| push(out, item));
            } else {
                for _ in 0..reader.number()? {
                    push(out, reader.number()?);
                }
            }
            push(offsets, u32::try_from(out.len() / 4).map_err(|_| Bad)?);
            Ok(())
        })
    }

    fn rows(&mut self, sequence: Sequence) -> Result<(), Bad> {
        let Building { source, moves, reader, sections } = self;
        let out = match sequence {
            Sequence::Types => &mut sections.types,
            Sequence::Terms => &mut sections.terms,
            Sequence::Roles => &mut sections.roles,
            Sequence::Bindings => &mut sections.bindings,
            Sequence::SubjectExts => &mut sections.subject_exts,
            _ => &mut sections.resource_exts,
        };
        follow(moves.of(sequence), |step| {
            let row = match step {
                Step::Kept(number) => moves.row(sequence, source.row(sequence, number)),
                _ => {
                    let mut row = [0; 6];
                    for number in row.iter_mut().take(width(sequence)) {
                        *number = reader.number()?;
                    }
                    row
                }
            };
            row.into_iter().take(width(sequence)).for_each(|number| push(out, number));
            Ok(())
        })
    }

    fn table(&mut self, sequence: Sequence, partitions: &[[u32; 3]]) -> Result<(), Bad> {
        let Building { source, moves, reader, sections } = self;
        let table = match sequence {
            Sequence::Subjects => &mut sections.tables[0],
            Sequence::Aliases => &mut sections.tables[1],
            _ => &mut sections.tables[2],
        };
        let mut partitions = partitions.iter();
        let mut current = [0, key::HIDDEN, 0];
        let mut directory = Directory::new(0);
        let mut first = 0u32;
        let mut left = 0u32;
        // INVARIANT: the partitions hold as many entries as the runs give (`changed`), and none is empty.
        let mut next = |table: &mut TableBytes, directory: &mut Directory| -> Result<[u32; 2], Bad> {
            if left == 0 {
                directory.finish(&mut table.directory);
                let [of, keys, count] = *partitions.next().ok_or(Bad)?;
                first += current[2];
                current = [of, keys, count];
                left = count;
                let [at, items] = [table.entries.len(), table.directory.len() / 4];
                let bits = directory_bits(count);
                let row = [of, keys, first, u32::try_from(at).map_err(|_| Bad)?, items as u32, bits];
                row.into_iter().for_each(|number| push(&mut table.partitions, number));
                *directory = Directory::new(count);
            }
            left -= 1;
            Ok([current[0], current[1]])
        };
        follow(moves.of(sequence), |step| {
            let [of, keys] = next(table, &mut directory)?;
            let (key, row) = match step {
                Step::Kept(number) | Step::Replaced(number) => {
                    let entry = moves.key(sequence, source.entry(sequence, number));
                    if (entry.of, entry.keys) != (of, keys) {
                        return Err(Bad);
                    }
                    let row = match step {
                        Step::Kept(_) => moves.entry_row(sequence, entry.row).ok_or(Bad)?,
                        _ => reader.array()?,
                    };
                    (entry.key, row)
                }
                Step::Added => {
                    let mut key = [0; 16];
                    match keys {
                        key::TEXT => key[..4].copy_from_slice(&reader.number()?.to_le_bytes()),
                        key::HIDDEN => {}
                        _ => key = reader.array()?,
                    }
                    (key, reader.array()?)
                }
            };
            let hash = match keys {
                key::TEXT => {
                    hash::of_text(string(&sections.string_offsets, &sections.strings, u32_at(&key, 0)))
                }
                key::HIDDEN => 0,
                _ => hash::of_uuid(&key),
            };
            directory.push(hash, &mut table.directory);
            table.entries.extend_from_slice(&key[..key::bytes(keys)]);
            table.entries.extend_from_slice(&row);
            Ok(())
        })?;
        directory.finish(&mut table.directory);
        Ok(())
    }
}

impl Sections {
    /// All of them, and what never changes; the rest is as `old` has it.
    fn body<'s>(&'s self, old: &Body<'s>) -> Body<'s> {
        let [subjects, aliases, resources] = &self.tables;
        Body {
            string_offsets: &self.string_offsets,
            strings: &self.strings,
            types: &self.types,
            sets: &self.sets,
            timings: &self.timings,
            list_offsets: &self.list_offsets,
            items: &self.items,
            terms: &self.terms,
            roles: &self.roles,
            bindings: &self.bindings,
            subject_exts: &self.subject_exts,
            resource_exts: &self.resource_exts,
            subjects: subjects.table(),
            aliases: aliases.table(),
            resources: resources.table(),
            ..*old
        }
    }
}

/// A string of the new snapshot.
fn string<'s>(offsets: &[u8], strings: &'s [u8], number: u32) -> &'s [u8] {
    let [from, to] =
        [number as usize, (number as usize).wrapping_add(1)].map(|place| u32_at(offsets, place) as usize);
    strings.get(from..to).unwrap_or_default()
}
