//! What can go wrong with an adoption.

use super::document::PlanError;
use crate::publish::PublishError;
use crate::store::StoreError;

/// Why an adoption did not come to its end. What was written before stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The plan cannot be read, or does not fit the source.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// There is no such organization.
    #[error(
        "there is no organization `{0}`: make it with `postern world import` of a document with its catalog, then adopt"
    )]
    NoOrganization(String),
    /// Another program runs the same plan.
    #[error("another program is running plan `{0}` on this organization: wait for its end")]
    Running(String),
    /// The plan was never run here, or was taken back.
    #[error(
        "nothing is known of a plan `{plan}` in organization `{organization}`: there is nothing to take back"
    )]
    NothingToRevert {
        /// Where.
        organization: String,
        /// Which.
        plan: String,
    },
    /// A row of the source that is no fact.
    #[error("{line}: query `{query}`, row {row}: {what}")]
    Row {
        /// Of the plan.
        line: usize,
        /// Which query.
        query: String,
        /// The key of the row.
        row: String,
        /// What is wrong with it.
        what: String,
    },
    /// The source does not answer, or not this query.
    #[error("the source, query `{query}`: {}", said(error))]
    Source {
        /// Which query.
        query: String,
        /// The cause.
        error: StoreError,
    },
    /// The facts of a batch were refused.
    #[error(
        "{line}: query `{query}`, rows {rows}: the facts were refused, and none of this batch was written: {error}"
    )]
    Write {
        /// Of the query in the plan.
        line: usize,
        /// Which query.
        query: String,
        /// From which row to which.
        rows: String,
        /// The cause.
        error: Refused,
    },
    /// The database of the facts.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The facts do not compile, so nothing can be decided on them.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The progress could not be told.
    #[error("cannot write the progress: {0}")]
    Output(#[from] std::io::Error),
}

impl AdoptError {
    /// Whether the plan or the rows of the source are at fault, not a database.
    pub fn is_input(&self) -> bool {
        use AdoptError::{Row, Write};
        matches!(
            self,
            AdoptError::Plan(_)
                | AdoptError::NoOrganization(_)
                | AdoptError::NothingToRevert { .. }
                | Row { .. }
        ) || matches!(self, Write { error, .. } if error.hint.is_some())
    }

    /// Whether the message begins with a line of the plan.
    pub fn has_line(&self) -> bool {
        matches!(self, AdoptError::Plan(_) | AdoptError::Row { .. } | AdoptError::Write { .. })
    }
}

/// What the database said, and what it takes.
#[derive(Debug)]
pub struct Refused {
    error: Box<StoreError>,
    /// What to do; `None`: the facts are not at fault.
    hint: Option<&'static str>,
}

impl Refused {
    /// Reads the constraint of an error.
    pub fn new(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::Database(sqlx::Error::Database(database)) => database.constraint().and_then(hint),
            _ => None,
        };
        Refused { error: Box::new(error), hint }
    }

    /// Whether a fact names another one that is not there.
    pub fn names_what_is_missing(&self) -> bool {
        matches!(&*self.error, StoreError::Database(sqlx::Error::Database(error)) if error.is_foreign_key_violation())
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", said(&self.error))?;
        self.hint.map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

/// What the server said, in its own words.
fn said(error: &StoreError) -> String {
    let StoreError::Database(sqlx::Error::Database(database)) = error else { return error.to_string() };
    let detail =
        database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().and_then(|error| error.detail());
    match detail {
        Some(detail) => format!("{} ({detail})", database.message()),
        None => database.message().to_owned(),
    }
}

/// What a violated constraint wants.
fn hint(constraint: &str) -> Option<&'static str> {
    Some(match constraint {
        "resources_type_fkey" | "assignments_at_type_fkey" | "grants_at_type_fkey" => {
            "declare the type in the organization's catalog"
        }
        "role_permissions_permission_fkey" | "grant_permissions_permission_fkey" => {
            "declare the permission in the organization's catalog"
        }
        "resource_parents_child_fkey" | "resource_parents_parent_fkey" => {
            "a query before this one has to make the resource, or leave the edge out with a JOIN"
        }
        "role_permissions_role_fkey" | "assignments_role_fkey" | "grants_role_fkey" => {
            "a query before this one has to make the role, or the catalog brings it"
        }
        "memberships_group_fkey"
        | "memberships_member_group_fkey"
        | "assignments_group_fkey"
        | "grants_group_fkey"
        | "resources_owner_group_fkey" => "a query before this one has to list the group as a subject",
        "subject_aliases_subject_fkey" => "a query before this one has to list the subject",
        "subject_names_key" => "leave the alias out: a subject has it as its id",
        "subjects_super_admin_stays" => "list that subject as active",
        other if other.ends_with("_form") || other.ends_with("_names") => {
            "see docs/database.md for what it may be"
        }
        _ => return None,
    })
}
