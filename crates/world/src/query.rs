//! One question of a query file, as Rust values. `docs/semantics.md` sections 3, 5 and 6 give the meaning.

use crate::ResourceRef;
use std::collections::BTreeMap;

/// What is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Op {
    /// May the subject do it there?
    #[default]
    Check,
    /// Where, among the listed resources of a type?
    Filter,
    /// Who, among the listed subjects of a type?
    Subjects,
    /// What may the subject do there?
    Actions,
    /// At organization level or at one scope at least?
    Anywhere,
    /// At organization level and at every scope?
    Everywhere,
    /// A check with its trail.
    Explain,
}

impl Op {
    /// Every one, in the order of `docs/semantics.md`.
    pub const ALL: [Op; 7] =
        [Op::Check, Op::Filter, Op::Subjects, Op::Actions, Op::Anywhere, Op::Everywhere, Op::Explain];

    /// The name in a query file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Op::Check => "check",
            Op::Filter => "filter",
            Op::Subjects => "subjects",
            Op::Actions => "actions",
            Op::Anywhere => "anywhere",
            Op::Everywhere => "everywhere",
            Op::Explain => "explain",
        }
    }

    /// Whether the question has this part. The context (`in`, `owner`, `where`, `session` and `now`) belongs to all.
    pub(crate) fn uses(self, member: &str) -> bool {
        match member {
            "subject" => self != Op::Subjects,
            "permission" => self != Op::Actions,
            "resource" => matches!(self, Op::Check | Op::Explain | Op::Subjects | Op::Actions),
            "type" => matches!(self, Op::Filter | Op::Subjects),
            _ => true,
        }
    }
}

/// One question. Members that its `op` does not use are refused when it is read, unless they are `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// What is asked.
    pub op: Op,
    /// `<type>:<id>`; empty when absent, which rule 1 answers.
    pub subject: String,
    /// A permission key; empty when absent, which rule 1 answers.
    pub permission: String,
    /// `None`: organization level.
    pub resource: Option<ResourceRef>,
    /// The type that `filter` and `subjects` list.
    pub kind: String,
    /// `in`: the stated parents of a resource that the world does not list.
    pub parents: Vec<ResourceRef>,
    /// The stated owner of a resource that the world does not list.
    pub owner: Option<String>,
    /// `where`: stated dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// The session that the subject is in.
    pub session: Option<String>,
    /// Microseconds since 1970-01-01T00:00:00Z, rounded down; `None`: the time when it is asked.
    pub now: Option<i64>,
}
