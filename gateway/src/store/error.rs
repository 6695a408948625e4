//! What can go wrong between us and the database.

/// A database that does not answer, or answers what it should not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The driver's or the server's error.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migrations: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A row that the constraints should have made impossible, or bytes that COPY should not send.
    #[error("inconsistent data in `{table}`: {what}")]
    Inconsistent {
        /// The table or statement.
        table: &'static str,
        /// What is wrong.
        what: String,
    },
    /// What was read could not be passed on.
    #[error("cannot write: {0}")]
    Sink(#[from] std::io::Error),
}

impl StoreError {
    /// Whether other writers were in the way, so that the same transaction may well succeed when it is run again.
    pub fn is_contention(&self) -> bool {
        let StoreError::Database(sqlx::Error::Database(error)) = self else { return false };
        // Serialization failure, deadlock.
        matches!(error.code().as_deref(), Some("40001" | "40P01"))
    }

    /// Whether the database is away, or was on the point of going, so that it may well answer later.
    pub fn is_outage(&self) -> bool {
        let StoreError::Database(error) = self else { return false };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed => true,
            // Connection exceptions, serialization failures, insufficient resources, operator intervention.
            sqlx::Error::Database(error) => error
                .code()
                .is_some_and(|code| ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))),
            _ => false,
        }
    }
}
