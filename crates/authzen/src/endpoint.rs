//! The endpoints, and the metadata document that lists them (section 9).

use crate::evaluation::evaluation;
use crate::evaluations::evaluations;
use crate::search::{search_action, search_resource, search_subject};
use crate::{BadRequest, Mapping};
use postern_resolver::view::View;
use serde_json::{Value, json};

/// A decision that was made, for whoever counts or keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made<'a> {
    /// `<type>:<id>`; empty where an item of a batch is no question.
    pub subject: &'a str,
    /// `<type>:<action>`; `None` where action and type make no permission.
    pub permission: Option<&'a str>,
    /// Type and id as they were asked about.
    pub resource: (&'a str, &'a str),
    /// An error is never an allow.
    pub allowed: bool,
    /// Of `semantics.md` section 4, or what rule 1 says.
    pub reason: &'static str,
}

/// What is served, and where below the decision point's identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// One decision.
    Evaluation,
    /// A batch.
    Evaluations,
    /// Who may do this there?
    SearchSubject,
    /// Where may the subject do this?
    SearchResource,
    /// What may the subject do there?
    SearchAction,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Endpoint; 5] = [
        Endpoint::Evaluation,
        Endpoint::Evaluations,
        Endpoint::SearchSubject,
        Endpoint::SearchResource,
        Endpoint::SearchAction,
    ];

    /// The default path of the specification.
    pub const fn path(self) -> &'static str {
        match self {
            Endpoint::Evaluation => "/access/v1/evaluation",
            Endpoint::Evaluations => "/access/v1/evaluations",
            Endpoint::SearchSubject => "/access/v1/search/subject",
            Endpoint::SearchResource => "/access/v1/search/resource",
            Endpoint::SearchAction => "/access/v1/search/action",
        }
    }

    /// Answers a request to it with the text of a JSON object. `now` in microseconds since 1970.
    ///
    /// # Errors
    /// [`BadRequest`] for what is no request.
    pub fn answer<V: View>(
        self,
        view: &V,
        mapping: &Mapping,
        body: &str,
        now: i64,
    ) -> Result<String, BadRequest> {
        self.answer_and_tell(view, mapping, body, now, &mut |_| {})
    }

    /// The same, and tells every decision of an evaluation, in the order of the answer.
    ///
    /// # Errors
    /// [`BadRequest`] for what is no request.
    pub fn answer_and_tell<V: View>(
        self,
        view: &V,
        mapping: &Mapping,
        body: &str,
        now: i64,
        tell: &mut dyn FnMut(&Made<'_>),
    ) -> Result<String, BadRequest> {
        match self {
            Endpoint::Evaluation => evaluation(view, mapping, body, now, tell),
            Endpoint::Evaluations => evaluations(view, mapping, body, now, tell),
            Endpoint::SearchSubject => search_subject(view, mapping, body, now),
            Endpoint::SearchResource => search_resource(view, body, now),
            Endpoint::SearchAction => search_action(view, mapping, body, now),
        }
    }

    const fn member(self) -> &'static str {
        match self {
            Endpoint::Evaluation => "access_evaluation_endpoint",
            Endpoint::Evaluations => "access_evaluations_endpoint",
            Endpoint::SearchSubject => "search_subject_endpoint",
            Endpoint::SearchResource => "search_resource_endpoint",
            Endpoint::SearchAction => "search_action_endpoint",
        }
    }
}

/// The document of a decision point. `identifier` is its URL without a slash at the end, which is also what the
/// well-known path was derived from.
pub fn metadata(identifier: &str) -> Value {
    let mut document = json!({ "policy_decision_point": identifier });
    for endpoint in Endpoint::ALL {
        document[endpoint.member()] = format!("{identifier}{}", endpoint.path()).into();
    }
    document
}
