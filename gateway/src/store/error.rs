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
    /// Whether the database may answer if it is asked again: the connection failed, not the statement.
    pub fn is_outage(&self) -> bool {
        match self {
            StoreError::Database(error) => match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                // 08: connection, 53: resources, 57: shutdown or not yet started, 40: to be tried again.
                sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                    ["08", "53", "57", "40"]
                        .iter()
                        .any(|class| code.starts_with(class))
                }),
                _ => false,
            },
            _ => false,
        }
    }
}
