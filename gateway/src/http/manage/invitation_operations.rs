//! The operations of invitations, for the list of all (`http::operations`).

use super::operations::{ONCE, at};
use super::{create, invitations, roles};
use crate::http::operations::{Answer, CHANGED, Credential, ITEM, MADE, Operation, operation};
use crate::manage::NewInvitation;
use crate::manage::permission::{RESOURCE_SHARE, ROLE_MANAGE, USER_MANAGE};
use crate::problem::Problem;
use axum::routing::{get, post};

/// How what is offered is refused, and an answer to an offer of something that has gone.
const OFFERS: [Problem; 5] = [
    Problem::UNKNOWN_ROLE,
    Problem::UNKNOWN_SCOPE,
    Problem::UNKNOWN_RESOURCE,
    Problem::UNKNOWN_PERMISSIONS,
    Problem::ROLE_OF_SCOPE,
];

pub(super) fn invitations() -> Vec<Operation> {
    let managers = Credential::Manager(&[ROLE_MANAGE, USER_MANAGE, RESOURCE_SHARE]);
    let readers = Credential::Manager(roles::READERS);
    let answered = [Problem::ITEM_NOT_FOUND, Problem::INVITATION_ANSWERED];
    vec![
        operation(
            ("GET", at("invitations"), "listInvitations"),
            "Invitations. With `subject`, whoever it is sees their own whatever they hold.",
            readers,
            (200, Answer::Page("Invitation")),
            get(invitations::list),
        )
        .with(&["cursor", "limit", "subject", "state"]),
        operation(
            ("POST", at("invitations"), "createInvitation"),
            "Offers an assignment or a share that is made when its subject accepts; 200 where that very offer waits.",
            managers,
            (201, Answer::Json("Invitation")),
            post(create::<NewInvitation>),
        )
        .tells(MADE)
        .takes("NewInvitation")
        .with(ONCE)
        .refuses(&[Problem::CANNOT_GRANT, Problem::NEEDS_EVERYTHING, Problem::HOLDS_MORE])
        .refuses(&[Problem::ALREADY_HELD])
        .refuses(&OFFERS)
        .refuses(&[Problem::IDEMPOTENCY_KEY_REUSED]),
        operation(
            ("GET", at("invitations/{id}"), "readInvitation"),
            "An invitation; whoever was invited sees it whatever they hold.",
            readers,
            (200, Answer::Json("Invitation")),
            get(invitations::read),
        )
        .tells(ITEM)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("POST", at("invitations/{id}/accept"), "acceptInvitation"),
            "Accepts an invitation, for its subject alone: what it offers is made in the same transaction.",
            readers,
            (200, Answer::Json("Invitation")),
            post(invitations::accept),
        )
        .tells(CHANGED)
        .refuses(&answered)
        .refuses(&[Problem::NOT_INVITED, Problem::INVITER_MAY_NOT])
        .refuses(&OFFERS),
        operation(
            ("POST", at("invitations/{id}/reject"), "rejectInvitation"),
            "Rejects an invitation, for its subject alone; 200 also where it was rejected before.",
            readers,
            (200, Answer::Json("Invitation")),
            post(invitations::reject),
        )
        .tells(CHANGED)
        .refuses(&answered)
        .refuses(&[Problem::NOT_INVITED]),
        operation(
            ("POST", at("invitations/{id}/cancel"), "cancelInvitation"),
            "Cancels an invitation, for whoever sent it or could have; 200 also where it was cancelled before.",
            managers,
            (200, Answer::Json("Invitation")),
            post(invitations::cancel),
        )
        .tells(CHANGED)
        .refuses(&answered),
    ]
}
