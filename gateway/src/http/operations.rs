//! Every operation of the interface, in one list: the router is made of it, and so is its description
//! (`GET /openapi.json`), so that neither has what the other lacks.

use super::{
    authzen, authzen_metadata, health, manage, openapi, organization_snapshot, organization_stream,
    subject_slice, subject_stream,
};
use crate::app::App;
use crate::problem::Problem;
use axum::routing::{MethodRouter, delete, get, post, put};
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
const STATE: &[&str] = &["ETag", "Postern-Revision"];
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
    all.extend(managing());
    all.extend(manage::operations::facts());
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

/// The management interface: of roles and those who hold them.
fn managing() -> Vec<Operation> {
    use crate::manage::permission::{AUDIT_READ, ROLE_MANAGE, USER_MANAGE};
    use crate::manage::{NewAssignment, NewMembership, RoleFields, SubjectFields};
    use manage::{assignments, audit, catalog, explain, memberships, roles, subjects};
    const PAGE: &[&str] = &["cursor", "limit"];
    const CHANGE: &[&str] = &["If-Match"];
    const ONCE: &[&str] = &["Idempotency-Key"];
    let managers = Credential::Manager(&[ROLE_MANAGE, USER_MANAGE]);
    let role_managers = Credential::Manager(&[ROLE_MANAGE]);
    let at = |path: &str| format!("{ORGANIZATION}/{path}");
    let changes = [Problem::ITEM_NOT_FOUND, Problem::PRECONDITION_FAILED, Problem::PRECONDITION_REQUIRED];
    let gives = [
        Problem::CANNOT_GRANT,
        Problem::GIVES_TO_EVERYBODY,
        Problem::HOLDS_MORE,
        Problem::NEEDS_EVERYTHING,
        Problem::LAST_SUPER_ADMIN,
    ];
    let of_role = [
        Problem::UNKNOWN_PERMISSIONS,
        Problem::MISSING_PERMISSIONS,
        Problem::INVALID_NAME,
        Problem::RESERVED_NAME,
        Problem::NAME_TAKEN,
        Problem::CANNOT_GRANT,
    ];
    let once = [Problem::IDEMPOTENCY_KEY_REUSED];
    vec![
        operation(
            ("GET", at("catalog"), "readCatalog"),
            "Types and permissions.",
            Credential::Manager(&[]),
            (200, Answer::Json("Catalog")),
            get(catalog::read),
        )
        .tells(ITEM),
        operation(
            ("GET", at("roles"), "listRoles"),
            "Roles, by id.",
            Credential::Manager(roles::READERS),
            (200, Answer::Page("Role")),
            get(roles::list),
        )
        .with(PAGE),
        operation(
            ("POST", at("roles"), "createRole"),
            "Makes a role.",
            role_managers,
            (201, Answer::Json("Role")),
            post(manage::create::<RoleFields>),
        )
        .tells(MADE)
        .takes("RoleFields")
        .with(ONCE)
        .refuses(&of_role)
        .refuses(&once),
        operation(
            ("GET", at("roles/{id}"), "readRole"),
            "A role.",
            Credential::Manager(roles::READERS),
            (200, Answer::Json("Role")),
            get(roles::read),
        )
        .tells(ITEM)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("PUT", at("roles/{id}"), "updateRole"),
            "Changes a role.",
            role_managers,
            (200, Answer::Json("Role")),
            put(roles::update),
        )
        .tells(CHANGED)
        .takes("RoleFields")
        .with(CHANGE)
        .refuses(&of_role)
        .refuses(&changes)
        .refuses(&[
            Problem::BUILTIN_ROLE_IMMUTABLE,
            Problem::GIVES_TO_EVERYBODY,
            Problem::NEEDS_EVERYTHING,
        ]),
        operation(
            ("DELETE", at("roles/{id}"), "deleteRole"),
            "Deletes a role that nobody holds, or gives its holders another.",
            role_managers,
            (204, Answer::Empty),
            delete(roles::delete),
        )
        .tells(DECIDED)
        .with(&["If-Match", "reassign_to"])
        .refuses(&changes)
        .refuses(&gives)
        .refuses(&[
            Problem::BUILTIN_ROLE_IMMUTABLE,
            Problem::BUILTIN_ROLE_NON_DELETABLE,
            Problem::ROLE_HELD,
            Problem::UNKNOWN_ROLE,
        ]),
        operation(
            ("GET", at("assignments"), "listAssignments"),
            "Who holds which role where.",
            Credential::Manager(roles::READERS),
            (200, Answer::Page("Assignment")),
            get(assignments::list),
        )
        .with(&["cursor", "limit", "subject", "role"]),
        operation(
            ("POST", at("assignments"), "createAssignment"),
            "Assigns a role; 200 where that very assignment is there.",
            managers,
            (201, Answer::Json("Assignment")),
            post(manage::create::<NewAssignment>),
        )
        .tells(MADE)
        .takes("NewAssignment")
        .with(ONCE)
        .refuses(&gives)
        .refuses(&[Problem::UNKNOWN_ROLE, Problem::UNKNOWN_SCOPE, Problem::UNKNOWN_GROUP])
        .refuses(&once),
        operation(
            ("DELETE", at("assignments/{id}"), "deleteAssignment"),
            "Takes an assignment away.",
            managers,
            (204, Answer::Empty),
            delete(assignments::delete),
        )
        .tells(DECIDED)
        .refuses(&gives)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("GET", at("subjects"), "listSubjects"),
            "Subjects and groups, by id.",
            Credential::Manager(subjects::READERS),
            (200, Answer::Page("Subject")),
            get(subjects::list),
        )
        .with(&["cursor", "limit", "type"]),
        operation(
            ("POST", at("subjects"), "createSubject"),
            "Lists a subject or a group.",
            managers,
            (201, Answer::Json("Subject")),
            post(manage::create::<SubjectFields>),
        )
        .tells(MADE)
        .takes("SubjectFields")
        .with(ONCE)
        .refuses(&[Problem::ID_TAKEN, Problem::CANNOT_GRANT, Problem::NEEDS_EVERYTHING])
        .refuses(&once),
        operation(
            ("GET", at("subjects/{id}"), "readSubject"),
            "A subject or a group.",
            Credential::Manager(subjects::READERS),
            (200, Answer::Json("Subject")),
            get(subjects::read),
        )
        .tells(ITEM)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("PUT", at("subjects/{id}"), "updateSubject"),
            "Changes a subject or a group.",
            managers,
            (200, Answer::Json("Subject")),
            put(subjects::update),
        )
        .tells(CHANGED)
        .takes("SubjectFields")
        .with(CHANGE)
        .refuses(&changes)
        .refuses(&gives)
        .refuses(&[Problem::ID_TAKEN, Problem::OWN_END]),
        operation(
            ("DELETE", at("subjects/{id}"), "deleteSubject"),
            "Deletes a subject or a group with what it holds.",
            managers,
            (204, Answer::Empty),
            delete(subjects::delete),
        )
        .tells(DECIDED)
        .with(CHANGE)
        .refuses(&changes)
        .refuses(&gives)
        .refuses(&[Problem::OWN_END, Problem::OWNS_RESOURCES]),
        operation(
            ("GET", at("memberships"), "listMemberships"),
            "Who belongs to which group.",
            Credential::Manager(subjects::READERS),
            (200, Answer::Page("Membership")),
            get(memberships::list),
        )
        .with(&["cursor", "limit", "subject", "group"]),
        operation(
            ("POST", at("memberships"), "createMembership"),
            "Adds a subject or a group to a group; 200 where that very membership is there.",
            managers,
            (201, Answer::Json("Membership")),
            post(manage::create::<NewMembership>),
        )
        .tells(MADE)
        .takes("NewMembership")
        .with(ONCE)
        .refuses(&gives)
        .refuses(&[Problem::UNKNOWN_GROUP])
        .refuses(&once),
        operation(
            ("DELETE", at("memberships/{id}"), "deleteMembership"),
            "Ends a membership.",
            managers,
            (204, Answer::Empty),
            delete(memberships::delete),
        )
        .tells(DECIDED)
        .refuses(&gives)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("POST", at("explain"), "explain"),
            "Why somebody may or may not do something, and what would let them.",
            Credential::Manager(roles::READERS),
            (200, Answer::Json("Explanation")),
            post(explain::ask),
        )
        .tells(DECIDED)
        .takes("Question")
        .with(&["Postern-At-Least"])
        .refuses(&[Problem::INVALID_REVISION_TOKEN, Problem::REVISION_NOT_REACHED]),
        operation(
            ("GET", at("audit"), "listAudit"),
            "What was written through this interface, newest first.",
            Credential::Manager(&[AUDIT_READ]),
            (200, Answer::Page("AuditEvent")),
            get(audit::list),
        )
        .with(&["cursor", "limit", "target"]),
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
