//! The OpenID AuthZEN Authorization API 1.0, decided on a [`View`](postern_resolver::View) of an organization's facts.
//!
//! JSON in, JSON out: no network, no clock, no state. The gateway serves this at `/access/v1/…`; whatever else holds a
//! snapshot can do the same. Section numbers are those of the specification, rule numbers those of
//! `docs/semantics.md`. `docs/authzen.md` says how the one's entities become the other's questions, and
//! `docs/decisions/0007-authzen.md` why.
//!
//! A request that has no decision is [`BadRequest`], or within a batch an item that is not allowed; never an allow.

#![forbid(unsafe_code)]

mod endpoint;
mod entity;
mod evaluation;
mod evaluations;
mod page;
mod plain;
mod properties;
mod query;
mod search;

pub use endpoint::{Endpoint, Made, metadata};

/// LIMIT: items of one batch. A full one of small items is about as large as a body may be at the gateway.
pub const EVALUATIONS_MAX: usize = 10_000;
/// LIMIT: results on one page, whatever a request asks for. Without a page in the request there is no limit.
pub const PAGE_MAX: usize = 10_000;

/// How entities are read, where the specification leaves it open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The resource property that names the owner.
    pub owner_property: String,
}

impl Default for Mapping {
    /// The owner is in `ownerID`, as in the published Todo scenario.
    fn default() -> Self {
        Mapping { owner_property: "ownerID".to_owned() }
    }
}

/// A request that cannot be decided, to be answered with status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct BadRequest {
    /// Where: `subject.id`, `evaluations[3].action`, or `the body`.
    pub place: String,
    /// What is wrong there, and what would be right.
    pub what: String,
}

impl BadRequest {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        BadRequest { place: place.into(), what: what.into() }
    }

    /// The same, about a part of something.
    fn within(self, outer: &str) -> Self {
        BadRequest { place: format!("{outer}.{}", self.place), what: self.what }
    }
}
