//! The commands of the gateway and the agent, which bring their own arguments: `serve`, `edge`, `adopt`, `preflight`, `directory`, `key`, `statement-key`,
//! `vault-key`, `token` and `world import|export`.

use postern_edge::EdgeError;
use postern_gateway::cli::CliError;
use std::fmt;

/// Why a command failed that does not end with 2 whatever happens: its message, and the exit code that it asks for.
#[derive(Debug)]
pub struct Failure {
    /// 2 for what the caller can put right in the input, 1 for everything else.
    pub exit_code: u8,
    pub(crate) message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Runs a command of the gateway to its end.
pub(crate) fn run<T>(command: impl Future<Output = Result<T, CliError>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Runtime::new()?;
    // The message of a `CliError` has those of its causes in it; a chain would tell them twice.
    let failed = |error: CliError| Failure { exit_code: error.exit_code(), message: error.to_string() };
    Ok(runtime.block_on(command).map_err(failed)?)
}

/// Runs the agent to its end.
pub(crate) fn run_edge(command: impl Future<Output = Result<(), EdgeError>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let failed = |error: EdgeError| Failure {
        exit_code: if matches!(error, EdgeError::File { .. }) { 2 } else { 1 },
        message: error.to_string(),
    };
    runtime.block_on(command).map_err(failed)?;
    Ok(())
}
