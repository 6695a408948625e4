//! What becomes of the rows of one sequence, and where their numbers go.

use super::wire::{self, Bad, Reader};
use std::vec::Vec;

/// What stands for the new number of a row that is left out: no sequence has so many.
pub(super) const GONE: u32 = u32::MAX;

/// So many rows, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Kept, with new numbers in them.
    Keep(u32),
    /// Left out.
    Drop(u32),
    /// New ones, which the delta brings.
    Add(u32),
    /// The same rows with other contents, which the delta brings: what refers to them still does.
    Replace(u32),
}

impl Run {
    fn count(self) -> u32 {
        let (Run::Keep(count) | Run::Drop(count) | Run::Add(count) | Run::Replace(count)) = self;
        count
    }

    /// How many old rows it takes.
    fn takes(self) -> u32 {
        if let Run::Add(_) = self { 0 } else { self.count() }
    }

    /// How many new rows it gives.
    fn gives(self) -> u32 {
        if let Run::Drop(_) = self { 0 } else { self.count() }
    }

    fn code(self) -> u64 {
        match self {
            Run::Keep(_) => 0,
            Run::Drop(_) => 1,
            Run::Add(_) => 2,
            Run::Replace(_) => 3,
        }
    }
}

/// All runs of a sequence.
#[derive(Debug, Default)]
pub(super) struct Runs {
    runs: Vec<Run>,
    /// Where each run begins: the first old row and the first new one.
    starts: Vec<(u32, u32)>,
    /// How many rows there were, and are.
    pub old: u32,
    pub new: u32,
}

impl Runs {
    pub fn iter(&self) -> impl Iterator<Item = Run> + '_ {
        self.runs.iter().copied()
    }

    /// Adds a run; those of the same kind that follow each other become one.
    pub fn push(&mut self, run: Run) {
        if run.count() == 0 {
            return;
        }
        match (self.runs.last_mut(), run) {
            (Some(Run::Keep(last)), Run::Keep(count))
            | (Some(Run::Drop(last)), Run::Drop(count))
            | (Some(Run::Add(last)), Run::Add(count))
            | (Some(Run::Replace(last)), Run::Replace(count)) => *last += count,
            _ => {
                self.runs.push(run);
                self.starts.push((self.old, self.new));
            }
        }
        self.old += run.takes();
        self.new += run.gives();
    }

    /// The new number of an old row.
    pub fn new_number(&self, old: u32) -> u32 {
        // Sequences that did not change are the rule.
        if let [Run::Keep(count)] = self.runs.as_slice() {
            return if old < *count { old } else { GONE };
        }
        let after = self.starts.partition_point(|(start, _)| *start <= old);
        // Runs that take no old rows begin where the next does: the last that begins here is the one that takes it.
        let Some(((start, first), run)) =
            after.checked_sub(1).and_then(|index| Some((*self.starts.get(index)?, *self.runs.get(index)?)))
        else {
            return GONE;
        };
        match run {
            Run::Keep(count) | Run::Replace(count) if old - start < count => first + (old - start),
            _ => GONE,
        }
    }

    /// How many rows the delta brings.
    pub fn brought(&self) -> u64 {
        let brought =
            |run: &Run| matches!(run, Run::Add(_) | Run::Replace(_)).then(|| u64::from(run.count()));
        self.runs.iter().filter_map(brought).sum()
    }

    /// Whether nothing changed.
    fn is_still(&self) -> bool {
        matches!(self.runs.as_slice(), [] | [Run::Keep(_)])
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        if self.is_still() {
            wire::number(out, 0);
            return;
        }
        wire::number(out, self.runs.len() as u32);
        for run in &self.runs {
            wire::long(out, u64::from(run.count()) << 2 | run.code());
        }
    }

    /// Reads the runs of a sequence that has `old` rows. No run written is one that keeps all.
    pub fn read(reader: &mut Reader<'_>, old: u32) -> Result<Self, Bad> {
        let mut runs = Runs::default();
        let count = reader.number()?;
        if count == 0 {
            runs.push(Run::Keep(old));
            return Ok(runs);
        }
        for _ in 0..count {
            let word = reader.long()?;
            let rows =
                u32::try_from(word >> 2).ok().filter(|rows| *rows > 0 && *rows < 1 << 31).ok_or(Bad)?;
            let run = match word & 3 {
                0 => Run::Keep(rows),
                1 => Run::Drop(rows),
                2 => Run::Add(rows),
                _ => Run::Replace(rows),
            };
            let fits = u64::from(runs.old) + u64::from(run.takes()) <= u64::from(old)
                && u64::from(runs.new) + u64::from(run.gives()) < 1 << 31;
            if !fits {
                return Err(Bad);
            }
            runs.push(run);
        }
        if runs.old == old { Ok(runs) } else { Err(Bad) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_move_with_what_is_left_out_and_added() {
        let mut runs = Runs::default();
        for run in [Run::Add(2), Run::Keep(3), Run::Drop(2), Run::Replace(1), Run::Add(1), Run::Keep(1)] {
            runs.push(run);
        }
        let new: Vec<u32> = (0..8).map(|old| runs.new_number(old)).collect();
        assert_eq!(new, [2, 3, 4, GONE, GONE, 5, 7, GONE]);
        assert_eq!((runs.old, runs.new), (7, 8));
        let mut out = Vec::new();
        runs.write(&mut out);
        let read = Runs::read(&mut Reader::new(&out), 7).ok().unwrap();
        assert_eq!(read.runs, runs.runs);
        assert!(Runs::read(&mut Reader::new(&out), 8).is_err(), "a row that no run takes");
        assert!(Runs::read(&mut Reader::new(&out), 6).is_err(), "a row that does not exist");
    }
}
