//! The resolver on the bytes of a snapshot.

use super::{Asked, Engine, resolve};
use crate::answer::AnswerValue;
use anyhow::Context as _;
use postern_snapshot::Snapshot;

pub(crate) struct Opened<'a>(Snapshot<'a>);

impl<'a> Opened<'a> {
    pub fn new(bytes: &'a [u8]) -> anyhow::Result<Self> {
        Ok(Opened(Snapshot::open(bytes).context("the snapshot that was just written cannot be opened")?))
    }
}

impl Engine for Opened<'_> {
    fn answer(&mut self, asked: &Asked<'_>) -> anyhow::Result<AnswerValue> {
        Ok(resolve::answer(&self.0, asked))
    }
}
