//! `cargo xtask golden`: writes the texts of `tests/golden`, and the code that was generated from the fleet's catalog, anew.
//! What it changes is looked at, and committed.

use crate::command::{self, cargo};
use anyhow::Result;

/// The tests that compare them.
const TESTS: &[(&str, &str, &str)] = &[
    ("postern-suite", "golden", "roles_may_what_was_agreed"),
    ("postern-cli", "it", "generated_code_is_as_agreed"),
    ("postern-gateway", "it", "the_description_is_as_agreed"),
];

/// Lets each test write instead of compare.
pub fn run() -> Result<()> {
    for (package, target, test) in TESTS {
        let mut cargo = cargo();
        cargo.args(["test", "--quiet", "--package", package, "--test", target, test]);
        command::run(cargo.env("POSTERN_GOLDEN", "1"))?;
    }
    println!("\ntests/golden and the example's catalog are written; `git diff` shows what has changed");
    Ok(())
}
