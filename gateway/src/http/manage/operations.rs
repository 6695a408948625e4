//! The operations of resources, edges, grants and shares, for the list of all (`http::operations`).

use super::{create, edges, grants, resources, roles, shares};
use crate::http::operations::{
    Answer, CHANGED, Credential, DECIDED, ITEM, MADE, ORGANIZATION, Operation, operation,
};
use crate::manage::permission::{RESOURCE_MANAGE, RESOURCE_SHARE, ROLE_MANAGE};
use crate::manage::{NewEdge, NewGrant, NewShare, ResourceFields};
use crate::problem::Problem;
use axum::routing::{delete, get, post, put};

const CHANGE: &[&str] = &["If-Match"];
const ONCE: &[&str] = &["Idempotency-Key"];

/// All of them.
pub(in crate::http) fn facts() -> Vec<Operation> {
    let mut all = tree();
    all.extend(held());
    all
}

fn at(path: &str) -> String {
    format!("{ORGANIZATION}/{path}")
}

/// Resources and edges.
fn tree() -> Vec<Operation> {
    let managers = Credential::Manager(&[RESOURCE_MANAGE]);
    let readers = Credential::Manager(resources::READERS);
    let gives = [Problem::CANNOT_GRANT, Problem::NEEDS_EVERYTHING];
    let changes = [Problem::ITEM_NOT_FOUND, Problem::PRECONDITION_FAILED, Problem::PRECONDITION_REQUIRED];
    let once = [Problem::IDEMPOTENCY_KEY_REUSED];
    vec![
        operation(
            ("GET", at("resources"), "listResources"),
            "Resources, by type and id.",
            readers,
            (200, Answer::Page("Resource")),
            get(resources::list),
        )
        .with(&["cursor", "limit", "type"]),
        operation(
            ("POST", at("resources"), "createResource"),
            "Lists a resource.",
            managers,
            (201, Answer::Json("Resource")),
            post(create::<ResourceFields>),
        )
        .tells(MADE)
        .takes("ResourceFields")
        .with(ONCE)
        .refuses(&gives)
        .refuses(&[
            Problem::ID_TAKEN,
            Problem::UNKNOWN_TYPE,
            Problem::UNKNOWN_RESOURCE,
            Problem::UNKNOWN_GROUP,
        ])
        .refuses(&once),
        operation(
            ("GET", at("resources/{type}/{id}"), "readResource"),
            "A resource.",
            readers,
            (200, Answer::Json("Resource")),
            get(resources::read),
        )
        .tells(ITEM)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("PUT", at("resources/{type}/{id}"), "updateResource"),
            "Changes a resource.",
            managers,
            (200, Answer::Json("Resource")),
            put(resources::update),
        )
        .tells(CHANGED)
        .takes("ResourceFields")
        .with(CHANGE)
        .refuses(&changes)
        .refuses(&gives)
        .refuses(&[Problem::UNKNOWN_RESOURCE, Problem::UNKNOWN_GROUP]),
        operation(
            ("DELETE", at("resources/{type}/{id}"), "deleteResource"),
            "Deletes a resource; with `cascade=true` also the edges that lead to it and what stands at it.",
            managers,
            (204, Answer::Empty),
            delete(resources::delete),
        )
        .tells(DECIDED)
        .with(&["If-Match", "cascade"])
        .refuses(&changes)
        .refuses(&gives)
        .refuses(&[Problem::RESOURCE_IN_USE]),
        operation(
            ("GET", at("edges"), "listEdges"),
            "Which resource lies below which.",
            readers,
            (200, Answer::Page("Edge")),
            get(edges::list),
        )
        .with(&["cursor", "limit", "child_type", "child_id", "parent_type", "parent_id"]),
        operation(
            ("POST", at("edges"), "createEdge"),
            "Puts a resource below another one; 200 where that very edge is there.",
            managers,
            (201, Answer::Json("Edge")),
            post(create::<NewEdge>),
        )
        .tells(MADE)
        .takes("NewEdge")
        .with(ONCE)
        .refuses(&gives)
        .refuses(&[Problem::UNKNOWN_RESOURCE])
        .refuses(&once),
        operation(
            ("DELETE", at("edges/{id}"), "deleteEdge"),
            "Takes a resource away from below another one.",
            managers,
            (204, Answer::Empty),
            delete(edges::delete),
        )
        .tells(DECIDED)
        .refuses(&gives)
        .refuses(&[Problem::ITEM_NOT_FOUND, Problem::PART_OF_SHARE]),
    ]
}

/// Grants and shares.
fn held() -> Vec<Operation> {
    let managers = Credential::Manager(&[ROLE_MANAGE]);
    let sharers = Credential::Manager(&[RESOURCE_SHARE, ROLE_MANAGE]);
    let gives = [Problem::CANNOT_GRANT, Problem::GIVES_TO_EVERYBODY, Problem::NEEDS_EVERYTHING];
    let once = [Problem::IDEMPOTENCY_KEY_REUSED];
    vec![
        operation(
            ("GET", at("grants"), "listGrants"),
            "Grants and exclusions, those of shares among them.",
            Credential::Manager(roles::READERS),
            (200, Answer::Page("Grant")),
            get(grants::list),
        )
        .with(&["cursor", "limit", "subject", "effect", "at_type", "at_id"]),
        operation(
            ("POST", at("grants"), "createGrant"),
            "Makes a grant or an exclusion; 200 where that very one is there.",
            managers,
            (201, Answer::Json("Grant")),
            post(create::<NewGrant>),
        )
        .tells(MADE)
        .takes("NewGrant")
        .with(ONCE)
        .refuses(&gives)
        .refuses(&[
            Problem::HOLDS_MORE,
            Problem::BUILTIN_ROLE_IMMUTABLE,
            Problem::UNKNOWN_ROLE,
            Problem::UNKNOWN_GROUP,
            Problem::UNKNOWN_SCOPE,
            Problem::UNKNOWN_PERMISSIONS,
        ])
        .refuses(&once),
        operation(
            ("DELETE", at("grants/{id}"), "deleteGrant"),
            "Takes a grant or an exclusion away.",
            managers,
            (204, Answer::Empty),
            delete(grants::delete),
        )
        .tells(DECIDED)
        .refuses(&gives)
        .refuses(&[
            Problem::HOLDS_MORE,
            Problem::BUILTIN_ROLE_IMMUTABLE,
            Problem::ITEM_NOT_FOUND,
            Problem::PART_OF_SHARE,
        ]),
        operation(
            ("GET", at("shares"), "listShares"),
            "Which resource is shared with whom.",
            Credential::Manager(shares::READERS),
            (200, Answer::Page("Share")),
            get(shares::list),
        )
        .with(&["cursor", "limit", "resource_type", "resource_id", "subject"]),
        operation(
            ("POST", at("shares"), "createShare"),
            "Shares a resource with a subject or a group; 200 where that very share is there.",
            sharers,
            (201, Answer::Json("Share")),
            post(create::<NewShare>),
        )
        .tells(MADE)
        .takes("NewShare")
        .with(ONCE)
        .refuses(&gives)
        .refuses(&[Problem::UNKNOWN_RESOURCE, Problem::UNKNOWN_GROUP, Problem::UNKNOWN_PERMISSIONS])
        .refuses(&once),
        operation(
            ("DELETE", at("shares/{id}"), "deleteShare"),
            "Ends a share: its grant and its edge, and nothing else.",
            sharers,
            (204, Answer::Empty),
            delete(shares::delete),
        )
        .tells(DECIDED)
        .refuses(&[Problem::ITEM_NOT_FOUND, Problem::GIVES_TO_EVERYBODY]),
    ]
}
