//! Facts on their way into the canonical order.
//!
//! A [`Draft`] holds facts by provisional numbers, in any order. [`Draft::finish`] gives every table its one order and
//! every row its one form, so that the same facts always compile to the same [`Facts`], and so to the same bytes.
//! Names, wildcards and one-step implications are resolved before (`postern-compile`); slices are cut into a draft too.

mod finish;
mod graph;
mod numbers;

use crate::facts::Key;
use crate::pool::Strings;
use std::string::String;
use std::vec::Vec;

/// From (inclusive) and to (exclusive), in microseconds; `(i64::MIN, i64::MAX)` is always.
pub type Timing = (i64, i64);

/// Always.
pub const ALWAYS: Timing = (i64::MIN, i64::MAX);

/// Facts by provisional numbers: positions in these vectors, or strings of `strings`.
#[derive(Debug)]
pub struct Draft {
    /// The organization.
    pub organization: String,
    /// The revision.
    pub revision: u64,
    /// In a slice, its subject.
    pub own: Option<u32>,
    /// Every text.
    pub strings: Strings,
    /// In the byte order of their keys.
    pub permissions: Vec<DraftPermission>,
    /// In the byte order of their names.
    pub types: Vec<DraftType>,
    /// Permission sets as bits, in any order, each as wide as the catalog needs.
    pub sets: Vec<Vec<u8>>,
    /// Subjects and groups.
    pub subjects: Vec<DraftSubject>,
    /// (subject, alias)
    pub aliases: Vec<(u32, Key)>,
    /// (member, group, timing)
    pub memberships: Vec<(u32, u32, Timing)>,
    /// Resources.
    pub resources: Vec<DraftResource>,
    /// (child, parent, cap): `None` lets everything pass.
    pub edges: Vec<(u32, u32, Option<Vec<u32>>)>,
    /// Active roles.
    pub roles: Vec<DraftRole>,
    /// Distinct terms.
    pub terms: Vec<DraftTerms>,
    /// Assignments and grants.
    pub holdings: Vec<DraftHolding>,
}

/// A permission.
#[derive(Clone, Debug)]
pub struct DraftPermission {
    /// A string.
    pub key: u32,
    /// The number of its action among all distinct actions, in their byte order.
    pub action: u32,
    /// `PERMISSION_*`
    pub flags: u32,
}

/// A resource type.
#[derive(Clone, Debug)]
pub struct DraftType {
    /// A string.
    pub name: u32,
    /// `TYPE_*`
    pub flags: u32,
    /// What its owners hold.
    pub owner_set: Option<u32>,
}

/// A subject or group.
#[derive(Clone, Debug)]
pub struct DraftSubject {
    /// A string: the type.
    pub kind: u32,
    /// The id.
    pub key: Key,
    /// `SUBJECT_UNLISTED`, `SUBJECT_DEAD`
    pub bits: u16,
    /// What few subjects have.
    pub rare: Option<std::boxed::Box<Rare>>,
}

/// What few subjects or resources have.
#[derive(Clone, Debug)]
pub struct Rare {
    /// When it counts.
    pub timing: Timing,
    /// Pairs of strings; a subject's names begin with `subject.`.
    pub attributes: Vec<(u32, u32)>,
}

/// A resource.
#[derive(Clone, Debug)]
pub struct DraftResource {
    /// Its type's position.
    pub kind: u32,
    /// The id.
    pub key: Key,
    /// `RESOURCE_*`
    pub flags: u32,
    /// A subject.
    pub owner: Option<u32>,
    /// What few resources have.
    pub rare: Option<std::boxed::Box<Rare>>,
}

/// An active role.
#[derive(Clone, Debug)]
pub struct DraftRole {
    /// A string; none in a slice.
    pub id: Option<u32>,
    /// A string; none in a slice.
    pub name: Option<u32>,
    /// What it satisfies (rule 7).
    pub set: u32,
}

/// Under which terms a holding applies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DraftTerms {
    /// When it counts.
    pub timing: Timing,
    /// Only on what the subject owns.
    pub own: bool,
    /// A string.
    pub session: Option<u32>,
    /// Pairs of strings.
    pub conditions: Vec<(u32, u32)>,
    /// Pairs of strings.
    pub require: Vec<(u32, u32)>,
}

impl Default for DraftTerms {
    fn default() -> Self {
        DraftTerms { timing: ALWAYS, own: false, session: None, conditions: Vec::new(), require: Vec::new() }
    }
}

/// Who holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A subject or group.
    Subject(u32),
    /// `user:all`
    Everyone,
    /// Whoever is a candidate with this role.
    Role(u32),
}

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A role.
    Role(u32),
    /// The permissions that a set satisfies (rule 7).
    Grant(u32),
    /// The exclusion of a set (rule 8).
    Exclusion(u32),
}

/// An assignment or a grant.
#[derive(Clone, Copy, Debug)]
pub struct DraftHolding {
    /// Who.
    pub holder: Holder,
    /// What.
    pub holds: Holds,
    /// A resource; `None`: everywhere.
    pub at: Option<u32>,
    /// `None`: always and without condition.
    pub terms: Option<u32>,
}

/// Facts that are legal and more than the format can carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftError {
    /// What there is too much of, how much, and how much there may be.
    pub message: String,
}

impl std::fmt::Display for DraftError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DraftError {}

impl Draft {
    /// An empty draft.
    pub fn new(organization: &str, revision: u64) -> Self {
        Draft {
            organization: String::from(organization),
            revision,
            own: None,
            strings: Strings::default(),
            permissions: Vec::new(),
            types: Vec::new(),
            sets: Vec::new(),
            subjects: Vec::new(),
            aliases: Vec::new(),
            memberships: Vec::new(),
            resources: Vec::new(),
            edges: Vec::new(),
            roles: Vec::new(),
            terms: Vec::new(),
            holdings: Vec::new(),
        }
    }
}

pub(crate) fn too_much(what: &str, count: usize, most: usize) -> DraftError {
    DraftError { message: std::format!("{what}: {count}; a snapshot carries at most {most}") }
}
