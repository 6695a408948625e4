//! Every operation of the interface, in one list: the router is made of it, and so is its description
//! (`GET /openapi.json`), so that neither has what the other lacks.

use super::{
    authzen, authzen_metadata, health, manage, openapi, organization_head, organization_snapshot,
    organization_stream, statement_keys, subject_slice, subject_stream,
};
use crate::app::App;
use crate::problem::Problem;
use axum::routing::{MethodRouter, get};
use postern_authzen::Endpoint;
use std::sync::Arc;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Everybody.
    None,
    /// An enforcement point with an API key of the organization.
    Key,
    /// A subject with its token.
    Subject,
    /// Either, with one of these permissions; none of them: whoever belongs to the organization.
    Manager(&'static [&'static str]),
    /// Whoever runs the installation, with its key.
    Installation,
}

/// What an answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// JSON of this schema.
    Json(&'static str),
    /// A page of items of this schema.
    Page(&'static str),
    /// Bytes.
    Bytes,
    /// Server-sent events.
    Events,
    /// Nothing.
    Empty,
}

/// One operation.
pub struct Operation {
    pub method: &'static str,
    pub path: String,
    /// For generated clients; never changes.
    pub id: String,
    /// One sentence.
    pub summary: &'static str,
    pub credential: Credential,
    /// The schema of the body that it takes.
    pub body: Option<&'static str>,
    /// Parameters of the query, and headers.
    pub parameters: &'static [&'static str],
    pub status: u16,
    pub answer: Answer,
    /// Headers of the answer, besides the request's id.
    pub headers: &'static [&'static str],
    /// How it can refuse, besides the problems of its credential.
    pub refuses: Vec<Problem>,
    pub handler: MethodRouter<Arc<App>>,
}

pub(super) const ORGANIZATION: &str = "/v1/organizations/{organization}";
/// What is told of an item.
pub(super) const ITEM: &[&str] = &["ETag"];
/// Of bytes.
const STATE: &[&str] = &["ETag", "Postern-Catalog", "Postern-Revision", "Postern-Statement"];
/// Of bytes at an address that contains their hash.
const IMMUTABLE: &[&str] = &["ETag", "Postern-Catalog", "Postern-Revision"];
/// Of a decision, and of a write that leaves nothing.
pub(super) const DECIDED: &[&str] = &["Postern-Revision", "Postern-Consistency-Token"];
/// Of a write.
pub(super) const CHANGED: &[&str] = &["ETag", "Postern-Revision", "Postern-Consistency-Token"];
/// Of a write that makes something.
pub(super) const MADE: &[&str] = &["Location", "ETag", "Postern-Revision", "Postern-Consistency-Token"];

pub(super) fn operation(
    (method, path, id): (&'static str, impl Into<String>, impl Into<String>),
    summary: &'static str,
    credential: Credential,
    (status, answer): (u16, Answer),
    handler: MethodRouter<Arc<App>>,
) -> Operation {
    Operation {
        method,
        path: path.into(),
        id: id.into(),
        summary,
        credential,
        body: None,
        parameters: &[],
        status,
        answer,
        headers: &[],
        refuses: Vec::new(),
        handler,
    }
}

impl Operation {
    /// Whether it writes what is managed.
    pub(super) fn writes(&self) -> bool {
        let decides = self.method == "GET" || self.parameters.contains(&"Postern-At-Least");
        matches!(self.credential, Credential::Manager(_)) && !decides
    }

    pub(super) fn takes(mut self, body: &'static str) -> Self {
        self.body = Some(body);
        self.refuses(&[Problem::INVALID_REQUEST, Problem::UNSUPPORTED_CONTENT_TYPE, Problem::BODY_TOO_LARGE])
    }

    pub(super) fn with(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }

    pub(super) fn tells(mut self, headers: &'static [&'static str]) -> Self {
        self.headers = headers;
        self
    }

    pub(super) fn refuses(mut self, problems: &[Problem]) -> Self {
        self.refuses.extend_from_slice(problems);
        self
    }
}

/// All of them.
pub fn operations() -> Vec<Operation> {
    let mut all = reading();
    all.extend(manage::operations::all());
    all.extend(deciding());
    all
}

/// Snapshots, slices and health.
fn reading() -> Vec<Operation> {
    let held = [Problem::ORGANIZATION_GONE, Problem::NOT_COMPILED, Problem::UNAVAILABLE];
    vec![
        operation(
            ("GET", format!("{ORGANIZATION}/snapshot"), "readSnapshot"),
            "The organization's snapshot.",
            Credential::Key,
            (200, Answer::Bytes),
            get(organization_snapshot::read),
        )
        .tells(STATE)
        .with(&["If-None-Match"])
        .refuses(&held),
        operation(
            ("GET", format!("{ORGANIZATION}/head"), "readHead"),
            "What is in force, signed, and the address of its bytes.",
            Credential::Key,
            (200, Answer::Json("Head")),
            get(organization_head::read),
        )
        .tells(&["Postern-Catalog", "Postern-Revision"])
        .refuses(&held),
        operation(
            ("GET", format!("{ORGANIZATION}/snapshots/{{hash}}"), "readSnapshotByHash"),
            "The snapshot with this SHA-256, while it is in force and until the next but one.",
            Credential::Key,
            (200, Answer::Bytes),
            get(organization_head::snapshot),
        )
        .tells(IMMUTABLE)
        .with(&["If-None-Match"])
        .refuses(&held)
        .refuses(&[Problem::SNAPSHOT_NOT_HELD]),
        operation(
            ("GET", format!("{ORGANIZATION}/stream"), "followSnapshot"),
            "Its snapshot of every revision, or what changed.",
            Credential::Key,
            (200, Answer::Events),
            get(organization_stream::follow),
        )
        .with(&["deltas", "If-None-Match"])
        .refuses(&held)
        .refuses(&[Problem::INVALID_QUERY, Problem::SHUTTING_DOWN]),
        operation(
            ("GET", "/v1/me/slice", "readSlice"),
            "What the subject may see.",
            Credential::Subject,
            (200, Answer::Bytes),
            get(subject_slice::read),
        )
        .tells(STATE)
        .with(&["If-None-Match"])
        .refuses(&held),
        operation(
            ("GET", "/v1/me/stream", "followSlice"),
            "The subject's slice of every revision that changes it.",
            Credential::Subject,
            (200, Answer::Events),
            get(subject_stream::follow),
        )
        .with(&["If-None-Match"])
        .refuses(&held)
        .refuses(&[Problem::SHUTTING_DOWN]),
        operation(
            ("GET", "/.well-known/jwks.json", "readStatementKeys"),
            "The keys that verify statements, a JWK Set.",
            Credential::None,
            (200, Answer::Json("KeySet")),
            get(statement_keys::read),
        ),
        operation(
            ("GET", "/livez", "live"),
            "Whether the process answers.",
            Credential::None,
            (200, Answer::Json("Health")),
            get(health::live),
        ),
        operation(
            ("GET", "/readyz", "ready"),
            "Whether it serves what is current; 503 where not.",
            Credential::None,
            (200, Answer::Json("Health")),
            get(health::ready),
        ),
        operation(
            ("GET", "/openapi.json", "describe"),
            "This description.",
            Credential::None,
            (200, Answer::Json("OpenApi")),
            get(openapi::read),
        ),
    ]
}

/// AuthZEN, for the default organization and for each.
fn deciding() -> Vec<Operation> {
    let refuses = [
        Problem::INVALID_REVISION_TOKEN,
        Problem::REVISION_NOT_REACHED,
        Problem::STALE,
        Problem::ORGANIZATION_GONE,
        Problem::NOT_COMPILED,
        Problem::UNAVAILABLE,
    ];
    let mut all = Vec::new();
    for endpoint in Endpoint::ALL {
        let (id, summary, body, answer) = match endpoint {
            Endpoint::Evaluation => ("evaluate", "One decision.", "Evaluation", "Decision"),
            Endpoint::Evaluations => ("evaluateMany", "A batch of decisions.", "Evaluations", "Decisions"),
            Endpoint::SearchSubject => {
                ("searchSubjects", "Who may do this there.", "Search", "SearchResults")
            }
            Endpoint::SearchResource => {
                ("searchResources", "Where the subject may do this.", "Search", "SearchResults")
            }
            Endpoint::SearchAction => {
                ("searchActions", "What the subject may do there.", "Search", "SearchResults")
            }
        };
        for (path, id, handler, more) in [
            (
                endpoint.path().to_owned(),
                format!("{id}Default"),
                authzen::default_route(endpoint),
                &[Problem::NO_DEFAULT_ORGANIZATION][..],
            ),
            (
                format!("/orgs/{{organization}}{}", endpoint.path()),
                id.to_owned(),
                authzen::route(endpoint),
                &[][..],
            ),
        ] {
            let one =
                operation(("POST", path, id), summary, Credential::Key, (200, Answer::Json(answer)), handler);
            all.push(
                one.takes(body).tells(DECIDED).with(&["Postern-At-Least"]).refuses(&refuses).refuses(more),
            );
        }
    }
    for (path, id) in [("", "authzenMetadataDefault"), ("/orgs/{organization}", "authzenMetadata")] {
        let one = operation(
            ("GET", format!("{}{path}", authzen_metadata::PATH), id),
            "Where AuthZEN is served.",
            Credential::None,
            (200, Answer::Json("AuthzenMetadata")),
            get(authzen_metadata::read),
        );
        all.push(one.refuses(&[Problem::NOT_FOUND]));
    }
    all
}
