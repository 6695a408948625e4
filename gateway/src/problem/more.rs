//! Refusals of the vault, of webhooks and of directories.

use super::{Problem, Refusal};
use axum::http::StatusCode;

impl Problem {
    /// A gateway without keys.
    pub const NO_VAULT: Problem = Problem::new(
        StatusCode::NOT_FOUND,
        "no_vault",
        "this gateway keeps no secrets: it is started without --vault-keys (docs/vault.md)",
    );
    /// A value is for somebody.
    pub const NEEDS_SUBJECT: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "needs_subject",
        "a value is read by a subject, with its token or a key of its own: a key that stands for nobody has no reader to \
         decide about",
    );
    /// A key that another gateway has, or that was taken out of the file too early.
    pub const VAULT_KEY_MISSING: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "vault_key_missing",
        "the file of --vault-keys lacks the key that the value is encrypted with; the gateway's log names it",
    );
    /// An address that whoever runs the gateway has not named.
    pub const WEBHOOK_NOT_ALLOWED: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "webhook_not_allowed",
        "this gateway tells nothing to that address: none of its --webhook-to allows it (docs/webhooks.md)",
    );
    /// Who writes what a directory writes stands above those who manage.
    pub const NEEDS_OPERATOR: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "needs_operator",
        "a directory calls with an API key of the organization that belongs to no subject",
    );
    /// A resource with a value.
    pub const HOLDS_SECRET: Problem = Problem::new(
        StatusCode::CONFLICT,
        "holds_secret",
        "the resource is a secret of the vault and goes with that: delete it at /secrets",
    );
}

impl Refusal {
    /// Whether it says nothing of the request, and the same may be done later.
    pub fn is_unavailable(&self) -> bool {
        self.problem.status.is_server_error()
    }

    /// For programs.
    pub fn code(&self) -> &'static str {
        self.problem.code
    }

    /// For people.
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.problem.detail)
    }
}
