//! The operations of former ids of roles, for the list of all (`http::operations`).

use super::operations::{ONCE, at};
use super::{create, role_aliases, roles};
use crate::http::operations::{Answer, Credential, DECIDED, MADE, Operation, operation};
use crate::manage::NewRoleAlias;
use crate::manage::permission::ROLE_MANAGE;
use crate::problem::Problem;
use axum::routing::{delete, get, post};

pub(super) fn role_aliases() -> Vec<Operation> {
    let managers = Credential::Manager(&[ROLE_MANAGE]);
    vec![
        operation(
            ("GET", at("role-aliases"), "listRoleAliases"),
            "Former ids of roles, under which they are still known.",
            Credential::Manager(roles::READERS),
            (200, Answer::Page("RoleAlias")),
            get(role_aliases::list),
        )
        .with(&["cursor", "limit", "role"]),
        operation(
            ("POST", at("role-aliases"), "createRoleAlias"),
            "Makes an id stand for a role; 200 where it does.",
            managers,
            (201, Answer::Json("RoleAlias")),
            post(create::<NewRoleAlias>),
        )
        .tells(MADE)
        .takes("RoleAlias")
        .with(ONCE)
        .refuses(&[Problem::UNKNOWN_ROLE, Problem::ID_TAKEN, Problem::IDEMPOTENCY_KEY_REUSED]),
        operation(
            ("DELETE", at("role-aliases/{id}"), "deleteRoleAlias"),
            "Has an id stand for nothing; what was given under it stays the role's.",
            managers,
            (204, Answer::Empty),
            delete(role_aliases::delete),
        )
        .tells(DECIDED)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
    ]
}
