//! The operations of the vault, for the list of all (`http::operations`).

use super::operations::{CHANGE, CHANGES, ONCE, at};
use super::secrets;
use crate::http::operations::{Answer, CHANGED, Credential, DECIDED, ITEM, MADE, Operation, operation};
use crate::manage::permission::{SECRET_CREATE, SECRET_DESCRIBE, SECRET_MANAGE, SECRET_READ, SECRET_WRITE};
use crate::problem::Problem;
use axum::routing::{delete, get, post, put};

pub(super) fn secrets() -> Vec<Operation> {
    let readers = Credential::Manager(&[SECRET_DESCRIBE, SECRET_READ]);
    let shows = [Problem::CANNOT_GRANT, Problem::UNKNOWN_GROUP];
    let decided = [Problem::INVALID_REVISION_TOKEN, Problem::REVISION_NOT_REACHED];
    let all = vec![
        operation(
            ("GET", at("secrets"), "listSecrets"),
            "The secrets that the caller sees, without their values.",
            Credential::Manager(&[]),
            (200, Answer::Page("Secret")),
            get(secrets::list),
        )
        .with(&["cursor", "limit", "name", "session", "Postern-At-Least"])
        .refuses(&decided),
        operation(
            ("POST", at("secrets"), "createSecret"),
            "Keeps a value, encrypted, for its owner and for those whom its visibility names.",
            Credential::Manager(&[SECRET_CREATE]),
            (201, Answer::Json("Secret")),
            post(secrets::create),
        )
        .tells(MADE)
        .takes("NewSecret")
        .with(ONCE)
        .refuses(&shows)
        .refuses(&[
            Problem::UNKNOWN_TYPE,
            Problem::UNKNOWN_PERMISSIONS,
            Problem::IDEMPOTENCY_KEY_REUSED,
        ]),
        operation(
            ("GET", at("secrets/{id}"), "readSecret"),
            "What is told of a secret.",
            readers,
            (200, Answer::Json("Secret")),
            get(secrets::read),
        )
        .tells(ITEM)
        .with(&["session", "Postern-At-Least"])
        .refuses(&decided)
        .refuses(&[Problem::ITEM_NOT_FOUND]),
        operation(
            ("PUT", at("secrets/{id}"), "updateSecret"),
            "Changes what is told of a secret, when it counts, and who sees it.",
            Credential::Manager(&[SECRET_MANAGE]),
            (200, Answer::Json("Secret")),
            put(secrets::update),
        )
        .tells(CHANGED)
        .takes("SecretFields")
        .with(CHANGE)
        .refuses(&CHANGES)
        .refuses(&shows)
        .refuses(&[Problem::NEEDS_EVERYTHING, Problem::RESOURCE_IN_USE]),
        operation(
            ("DELETE", at("secrets/{id}"), "deleteSecret"),
            "Deletes a secret with its value and what was given at it.",
            Credential::Manager(&[SECRET_MANAGE]),
            (204, Answer::Empty),
            delete(secrets::delete),
        )
        .tells(DECIDED)
        .with(CHANGE)
        .refuses(&CHANGES)
        .refuses(&[Problem::RESOURCE_IN_USE]),
        operation(
            ("GET", at("secrets/{id}/value"), "readSecretValue"),
            "The value, for a subject who may read it; taken down in the audit first.",
            Credential::Manager(&[SECRET_READ]),
            (200, Answer::Json("SecretValue")),
            get(secrets::read_value),
        )
        .tells(DECIDED)
        .with(&["session", "Postern-At-Least"])
        .refuses(&decided)
        .refuses(&[Problem::NEEDS_SUBJECT, Problem::ITEM_NOT_FOUND, Problem::VAULT_KEY_MISSING]),
        operation(
            ("PUT", at("secrets/{id}/value"), "writeSecretValue"),
            "Gives a secret another value.",
            Credential::Manager(&[SECRET_WRITE]),
            (200, Answer::Json("Secret")),
            put(secrets::write_value),
        )
        .tells(CHANGED)
        .takes("NewSecretValue")
        .with(CHANGE)
        .refuses(&CHANGES),
    ];
    all.into_iter().map(|operation| operation.refuses(&[Problem::NO_VAULT])).collect()
}
