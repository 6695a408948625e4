//! Running other programs: from the repository's root, with the command line in every error.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The root of the repository: the parent of this crate's folder.
///
/// As `cargo xtask` says it when it runs the program, and only else as it was when the program was built: several copies
/// of the repository may share a target folder, and with it the program.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
        Path::new(&here).parent().expect("INVARIANT: the crate lies in a folder of the root").to_owned()
    })
}

/// A path below the root.
pub fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// A command that runs in the root.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Cargo, the one that runs this task.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command to its end, its output going where ours goes. An error unless it exits with 0.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", line(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed on standard output. Its errors go where ours go.
pub fn output(command: &mut Command) -> Result<String> {
    command.stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        bail!("{} failed: {}", line(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", line(command)))
}

/// What a command prints, or `None` where it is missing or fails. For questions that may have no answer.
pub fn probe(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).stdin(Stdio::null()).output().ok()?;
    if output.status.success() { String::from_utf8(output.stdout).ok() } else { None }
}

/// The command line, for messages.
fn line(command: &Command) -> String {
    let mut line = format!("`{}", command.get_program().to_string_lossy());
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line.push('`');
    line
}
