//! What the database refuses, as a refusal.

use crate::problem::{Problem, Refusal};
use crate::store::StoreError;

/// What the database says, as callers may hear it: a rule that it holds has a name.
pub(super) fn refusal(error: StoreError) -> Refusal {
    let problem = match &error {
        StoreError::Database(sqlx::Error::Database(database)) => match database.constraint() {
            Some("assignments_super_admin_stays" | "subjects_super_admin_stays") => Problem::LAST_SUPER_ADMIN,
            Some("roles_name_key" | "presets_name_key") => Problem::NAME_TAKEN,
            Some("assignments_at_scope_of_role") => Problem::ROLE_OF_SCOPE,
            Some("resources_deleted_inactive") => Problem::SCOPE_DELETED,
            Some(
                "subject_names_key"
                | "subject_aliases_pkey"
                | "directory_entries_user_name_key"
                | "role_aliases_key",
            ) => Problem::ID_TAKEN,
            Some("secrets_resource_fkey") => Problem::HOLDS_SECRET,
            Some("resources_owner_group_fkey") => Problem::OWNS_RESOURCES,
            Some(
                "assignments_group_fkey"
                | "grants_group_fkey"
                | "memberships_group_fkey"
                | "memberships_member_group_fkey",
            ) => Problem::UNKNOWN_GROUP,
            Some(name) => {
                tracing::error!(%error, "a constraint refused a write that was not refused before");
                return Problem::INVALID_REQUEST.because(format!("the database refuses it ({name})"));
            }
            None => {
                tracing::error!(%error, "a write failed");
                Problem::INTERNAL
            }
        },
        StoreError::Database(_) => {
            tracing::warn!(%error, "a write could not be made");
            Problem::UNAVAILABLE
        }
        _ => {
            tracing::error!(%error, "a write failed");
            Problem::INTERNAL
        }
    };
    problem.into()
}
