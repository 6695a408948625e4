//! The statement that is in force somewhere, and how old it is.

use crate::{Refused, Statement};

/// A statement and when it was taken. Ages are counted with a clock that only runs forward, so setting the clock of the
/// machine neither refreshes nor ages what is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    statement: Statement,
    /// Its age in microseconds when it was taken.
    age_micros: i64,
    /// When that was, by the clock that only runs forward.
    taken_at_micros: i64,
}

impl Held {
    /// Takes a verified statement. `now`: seconds since 1970 by the clock of this machine. `steady_micros`: microseconds
    /// since any moment by a clock that only runs forward.
    pub fn new(statement: Statement, now: i64, steady_micros: i64) -> Self {
        // A statement from the future is one of now: a clock that is behind does not make it younger than that.
        let age_micros = now.saturating_sub(statement.iat).max(0).saturating_mul(1_000_000);
        Held { statement, age_micros, taken_at_micros: steady_micros }
    }

    /// Takes a newer one about the same facts. One that says the same
    /// takes its place if it holds for longer.
    ///
    /// # Errors
    /// [`Refused::Older`], and then nothing changes.
    pub fn take(&mut self, statement: Statement, now: i64, steady_micros: i64) -> Result<(), Refused> {
        statement.may_follow(&self.statement)?;
        let held = &self.statement;
        let state = |of: &Statement| (of.epoch.clone(), of.revision, of.as_of);
        if state(&statement) == state(held) {
            // One revision is one state.
            if statement.hash != held.hash {
                return Err(Refused::Older);
            }
            if statement.exp <= held.exp {
                return Ok(());
            }
        }
        *self = Held::new(statement, now, steady_micros);
        Ok(())
    }

    /// The statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Microseconds since the authority last knew that nothing newer was in force.
    pub fn age_micros(&self, steady_micros: i64) -> i64 {
        let since = steady_micros.saturating_sub(self.taken_at_micros).max(0);
        self.age_micros.saturating_add(since)
    }

    /// Whether it still says something about the present.
    pub fn is_fresh(&self, steady_micros: i64) -> bool {
        let validity = self.statement.exp.saturating_sub(self.statement.iat).max(0);
        self.age_micros(steady_micros) < validity.saturating_mul(1_000_000)
    }
}
