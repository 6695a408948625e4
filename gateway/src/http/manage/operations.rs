//! The operations of the management interface, for the list of all (`http::operations`).

use super::{
    assignments, audit, catalog, create, decisions, edges, explain, grants, invitation_operations,
    memberships, organization_operations, resources, revisions, role_alias_operations, roles,
    scope_operations, secret_operations, shares, streams, subjects, webhook_operations,
};
use crate::http::operations::{
    Answer, CHANGED, Credential, DECIDED, ITEM, MADE, ORGANIZATION, Operation, operation,
};
use crate::manage::permission::{AUDIT_READ, RESOURCE_MANAGE, RESOURCE_SHARE, ROLE_MANAGE, USER_MANAGE};
use crate::manage::{
    NewAssignment, NewEdge, NewGrant, NewMembership, NewShare, ResourceFields, RoleFields, SubjectFields,
};
use crate::problem::Problem;
use axum::routing::{delete, get, post, put};

pub(super) const PAGE: &[&str] = &["cursor", "limit"];
pub(super) const PAGE_OF_TYPE: &[&str] = &["cursor", "limit", "type"];
pub(super) const CHANGE: &[&str] = &["If-Match"];
pub(super) const ONCE: &[&str] = &["Idempotency-Key"];
/// How a change of something that has a tag is refused.
pub(super) const CHANGES: [Problem; 3] =
    [Problem::ITEM_NOT_FOUND, Problem::PRECONDITION_FAILED, Problem::PRECONDITION_REQUIRED];

/// All of them.
pub(in crate::http) fn all() -> Vec<Operation> {
    let mut all = organization_operations::organizations();
    all.extend(roles_and_holders());
    all.extend(tree());
    all.extend(scope_operations::scopes());
    all.extend(held());
    all.extend(scope_operations::presets());
    all.extend(invitation_operations::invitations());
    all.extend(secret_operations::secrets());
    all.extend(webhook_operations::webhooks());
    all.extend(role_alias_operations::role_aliases());
    all
}

pub(super) fn at(path: &str) -> String {
    format!("{ORGANIZATION}/{path}")
}

/// Resources and edges.
fn tree() -> Vec<Operation> {
    let managers = Credential::Manager(&[RESOURCE_MANAGE]);
    let readers = Credential::Manager(resources::READERS);
    let gives = [Problem::CANNOT_GRANT, Problem::NEEDS_EVERYTHING];
    let once = [Problem::IDEMPOTENCY_KEY_REUSED];
    vec![
        operation(
            ("GET", at("resources"), "listResources"),
            "Resources, by type and id.",
            readers,
            (200, Answer::Page("Resource")),
            get(resources::list),
        )
        .with(PAGE_OF_TYPE),
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
        .refuses(&CHANGES)
        .refuses(&gives)
        .refuses(&[Problem::UNKNOWN_RESOURCE, Problem::UNKNOWN_GROUP, Problem::SCOPE_DELETED]),
        operation(
            ("DELETE", at("resources/{type}/{id}"), "deleteResource"),
            "Deletes a resource; with `cascade=true` also the edges that lead to it and what stands at it.",
            managers,
            (204, Answer::Empty),
            delete(resources::delete),
        )
        .tells(DECIDED)
        .with(&["If-Match", "cascade"])
        .refuses(&CHANGES)
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

/// Roles and those who hold them.
fn roles_and_holders() -> Vec<Operation> {
    let managers = Credential::Manager(&[ROLE_MANAGE, USER_MANAGE]);
    let role_managers = Credential::Manager(&[ROLE_MANAGE]);
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
            post(create::<RoleFields>),
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
        .refuses(&CHANGES)
        .refuses(&[
            Problem::BUILTIN_ROLE_IMMUTABLE,
            Problem::GIVES_TO_EVERYBODY,
            Problem::NEEDS_EVERYTHING,
            Problem::ADMIN_AUTO_ASSIGN,
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
        .refuses(&CHANGES)
        .refuses(&gives)
        .refuses(&[
            Problem::BUILTIN_ROLE_IMMUTABLE,
            Problem::BUILTIN_ROLE_NON_DELETABLE,
            Problem::ROLE_HELD,
            Problem::UNKNOWN_ROLE,
            Problem::ROLE_OF_SCOPE,
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
            post(create::<NewAssignment>),
        )
        .tells(MADE)
        .takes("NewAssignment")
        .with(ONCE)
        .refuses(&gives)
        .refuses(&[
            Problem::UNKNOWN_ROLE,
            Problem::UNKNOWN_SCOPE,
            Problem::UNKNOWN_GROUP,
            Problem::ROLE_OF_SCOPE,
        ])
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
        .with(PAGE_OF_TYPE),
        operation(
            ("POST", at("subjects"), "createSubject"),
            "Lists a subject or a group.",
            managers,
            (201, Answer::Json("Subject")),
            post(create::<SubjectFields>),
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
        .refuses(&CHANGES)
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
        .refuses(&CHANGES)
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
            post(create::<NewMembership>),
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
            ("GET", at("revisions"), "listRevisions"),
            "Every revision after one, in order, with what it changed.",
            Credential::Manager(roles::READERS),
            (200, Answer::Json("Revisions")),
            get(revisions::list),
        )
        .with(&["after", "limit"])
        .refuses(&[Problem::REVISIONS_FORGOTTEN]),
        operation(
            ("GET", at("streams"), "listStreams"),
            "Who follows the organization at this gateway, and how far they are.",
            Credential::Manager(roles::READERS),
            (200, Answer::Json("Streams")),
            get(streams::list),
        ),
        operation(
            ("GET", at("audit"), "listAudit"),
            "What was written through this interface, newest first.",
            Credential::Manager(&[AUDIT_READ]),
            (200, Answer::Page("AuditEvent")),
            get(audit::list),
        )
        .with(&["cursor", "limit", "target"]),
        operation(
            ("GET", at("decisions"), "listDecisions"),
            "What was decided for those who asked, where the gateway keeps that (`--decision-log-to`), newest first.",
            Credential::Manager(&[AUDIT_READ]),
            (200, Answer::Page("DecisionEvent")),
            get(decisions::list),
        )
        .with(decisions::PARAMETERS),
    ]
}
