//! The npm packages and the example: installing, building, checking, testing.

use crate::command::{self, cargo, command, root};
use crate::prerequisites::{chromium, npm_ci};
use crate::server;
use crate::steps::{self, Count, run_tests};
use anyhow::Result;
use std::process::Command;

/// `npm` in the root, where the workspace of the packages is.
fn npm(arguments: &[&str]) -> Command {
    let mut npm = command("npm");
    npm.args(arguments);
    npm
}

/// Installs what the lock file pins.
pub fn install() -> Result<()> {
    npm_ci(root())
}

/// Builds the client, with the module that `cargo xtask wasm` has built, and then the example's page.
pub fn build() -> Result<()> {
    command::run(&mut npm(&["run", "build"]))
}

/// Checks the types of all of them.
pub fn check() -> Result<()> {
    command::run(&mut npm(&["run", "check"]))
}

/// Runs their tests. Of cargo's they need the program, and the example that cuts slices for the evaluator; and a browser.
pub fn test(tests: &mut Count) -> Result<()> {
    steps::run(cargo().args(["build", "--package", "postern-fuzzing", "--example", "slices"]))?;
    // Wherever cargo builds: the tests themselves know only its usual place.
    let program = server::program("debug");
    let slices = program.with_file_name("examples").join("slices");
    let mut npm = npm(&["test"]);
    run_tests(
        npm.env("POSTERN_BIN", program).env("POSTERN_SLICES", slices).env("CHROMIUM", chromium()?),
        tests,
    )
}

/// The tests of a workspace in a browser.
pub fn browser_test(workspace: &str) -> Command {
    npm(&["run", "e2e", "--workspace", workspace])
}
