//! Paths that cost nothing until something is wrong: linked steps on the stack.

use super::Flaw;
use crate::place::Step;

/// Where in the document a check stands.
pub(super) struct At<'p> {
    parent: Option<&'p At<'p>>,
    step: Here<'p>,
}

enum Here<'p> {
    Root,
    Member(&'p str),
    Index(usize),
}

impl<'p> At<'p> {
    pub const ROOT: At<'static> = At { parent: None, step: Here::Root };

    pub fn member(&'p self, name: &'p str) -> At<'p> {
        At { parent: Some(self), step: Here::Member(name) }
    }

    pub fn index(&'p self, index: usize) -> At<'p> {
        At { parent: Some(self), step: Here::Index(index) }
    }

    /// The value here is wrong.
    pub fn refuse(&self, message: impl Into<String>) -> Flaw {
        Flaw { steps: self.steps(), of_name: false, message: message.into() }
    }

    /// The name of the member here is wrong.
    pub fn refuse_name(&self, message: impl Into<String>) -> Flaw {
        Flaw { of_name: true, ..self.refuse(message) }
    }

    /// The path, for messages that name a second place.
    pub fn path(&self) -> String {
        crate::place::render(&self.steps())
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(here) = at {
            match here.step {
                Here::Root => {}
                Here::Member(name) => steps.push(Step::Member(name.into())),
                Here::Index(index) => steps.push(Step::Index(index)),
            }
            at = here.parent;
        }
        steps.reverse();
        steps
    }
}
