//! The resolver on compiled facts in memory.

use super::{Asked, Engine, resolve};
use crate::answer::AnswerValue;
use postern_snapshot::Facts;

pub(crate) struct Native(Facts);

impl Native {
    pub fn new(facts: Facts) -> Self {
        Native(facts)
    }
}

impl Engine for Native {
    fn answer(&mut self, asked: &Asked<'_>) -> anyhow::Result<AnswerValue> {
        Ok(resolve::answer(&self.0, asked))
    }
}
