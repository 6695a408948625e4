//! The operations on organizations themselves, for the list of all.

use super::operations::{CHANGE, ONCE, PAGE};
use super::organizations;
use crate::http::operations::{Answer, Credential, ITEM, MADE, ORGANIZATION, Operation, operation};
use crate::problem::Problem;
use axum::routing::{delete, get, post};

pub(super) fn organizations() -> Vec<Operation> {
    vec![
        operation(
            ("GET", "/v1/organizations", "listOrganizations"),
            "All organizations.",
            Credential::Installation,
            (200, Answer::Page("Organization")),
            get(organizations::list),
        )
        .with(PAGE),
        operation(
            ("POST", "/v1/organizations", "createOrganization"),
            "Makes an organization, with what is built in.",
            Credential::Installation,
            (201, Answer::Json("Organization")),
            post(organizations::create),
        )
        .takes("NewOrganization")
        .tells(MADE)
        .with(ONCE)
        .refuses(&[Problem::ID_TAKEN, Problem::UNKNOWN_ROLE, Problem::IDEMPOTENCY_KEY_REUSED]),
        operation(
            ("GET", ORGANIZATION, "readOrganization"),
            "The organization, and its revision.",
            Credential::Manager(&[]),
            (200, Answer::Json("Organization")),
            get(organizations::read),
        )
        .tells(ITEM),
        operation(
            ("DELETE", ORGANIZATION, "deleteOrganization"),
            "Deletes the organization with all its facts and keys; its audit stays.",
            Credential::Installation,
            (204, Answer::Empty),
            delete(organizations::delete),
        )
        .with(CHANGE)
        .refuses(&[
            Problem::ORGANIZATION_GONE,
            Problem::PRECONDITION_FAILED,
            Problem::PRECONDITION_REQUIRED,
        ]),
    ]
}
