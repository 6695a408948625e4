//! The resolver on the bytes of one subject's slice.

use super::{Asked, Engine, resolve};
use crate::answer::AnswerValue;
use anyhow::Context as _;
use postern_snapshot::{Snapshot, slice};
use postern_vocab::QueryError;
use postern_world::Op;
use std::collections::HashMap;

/// Most bytes of slices that are kept for later queries of the same subjects.
const KEPT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Whose slice answers the questions that no subject asks: nobody's. It only tells a malformed question from a good
/// one, which it refuses.
const NOBODY: &str = "user:-";

pub(crate) struct Slice<'a> {
    whole: Snapshot<'a>,
    slices: HashMap<String, Vec<u8>>,
    kept_bytes: usize,
}

impl<'a> Slice<'a> {
    pub fn new(bytes: &'a [u8]) -> anyhow::Result<Self> {
        let whole = Snapshot::open(bytes).context("the snapshot that was just written cannot be opened")?;
        Ok(Slice { whole, slices: HashMap::new(), kept_bytes: 0 })
    }

    /// The bytes of a subject's slice, cut now or before.
    fn cut(&mut self, subject: &str) -> Result<&[u8], QueryError> {
        if !self.slices.contains_key(subject) {
            let bytes = slice(&self.whole, subject)?.to_bytes();
            if self.kept_bytes + bytes.len() > KEPT_BYTES_MAX {
                self.slices.clear();
                self.kept_bytes = 0;
            }
            self.kept_bytes += bytes.len();
            self.slices.insert(subject.to_string(), bytes);
        }
        Ok(self.slices.get(subject).map_or(&[], Vec::as_slice))
    }
}

impl Engine for Slice<'_> {
    fn answer(&mut self, asked: &Asked<'_>) -> anyhow::Result<AnswerValue> {
        let subject = if asked.query.op == Op::Subjects { NOBODY } else { &*asked.query.subject };
        match self.cut(subject) {
            Ok(bytes) => {
                let slice = Snapshot::open(bytes).context("the slice that was just cut cannot be opened")?;
                Ok(resolve::answer(&slice, asked))
            }
            // A subject that is none: rule 1.
            Err(error) => Ok(AnswerValue::Check(Err(error))),
        }
    }
}
