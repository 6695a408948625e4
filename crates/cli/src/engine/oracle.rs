//! The specification in code. It reads the world and the queries for itself.

use super::{Asked, Engine};
use crate::answer::AnswerValue;

pub(crate) struct Oracle(postern_oracle::Oracle);

impl Oracle {
    pub fn new(document: &[u8]) -> anyhow::Result<Self> {
        postern_oracle::Oracle::parse(document).map(Oracle).map_err(anyhow::Error::msg)
    }
}

impl Engine for Oracle {
    fn answer(&mut self, asked: &Asked<'_>) -> anyhow::Result<AnswerValue> {
        Ok(AnswerValue::Written(self.0.answer(asked.text, asked.now)))
    }
}
