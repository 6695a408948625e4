//! The `postern` command. What it does stands in the library beside it; here are only the arguments and the exit code.

#![forbid(unsafe_code)]

use postern_cli::{Cli, Failure};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::read().and_then(Cli::run) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output may stop, as `head` does: no reason to complain.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("postern: {}", one_line(&error));
            ExitCode::from(error.downcast_ref::<Failure>().map_or(2, |failure| failure.exit_code))
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The chain of causes on one line. Some libraries speak on several.
fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
