//! Which crate may depend on which: arrows point one way, from what is shipped to what it stands on.

use super::Findings;
use crate::command::{cargo, output};
use anyhow::{Context, Result};
use serde_json::Value;

/// What a crate's normal dependencies may be.
struct Rule {
    name: &'static str,
    /// Of ours.
    ours: &'static [&'static str],
    /// Of others; `None`: any.
    others: Option<&'static [&'static str]>,
}

const fn rule(
    name: &'static str,
    ours: &'static [&'static str],
    others: Option<&'static [&'static str]>,
) -> Rule {
    Rule { name, ours, others }
}

const VOCAB: &str = "postern-vocab";
const RESOLVER: &str = "postern-resolver";
const SNAPSHOT: &str = "postern-snapshot";
const WORLD: &str = "postern-world";
const COMPILE: &str = "postern-compile";
const ABI: &str = "postern-abi";
const AUTHZEN: &str = "postern-authzen";
const STATEMENT: &str = "postern-statement";
const ISSUERS: &str = "postern-issuers";
const EDGE: &str = "postern-edge";
const HOST: &str = "postern-host";
const ORACLE: &str = "postern-oracle";
const TESTKIT: &str = "postern-testkit";
const FUZZING: &str = "postern-fuzzing";
const GATEWAY: &str = "postern-gateway";
const CLI: &str = "postern-cli";

/// Every crate of the workspace, from the bottom up.
const RULES: &[Rule] = &[
    rule(VOCAB, &[], Some(&[])),
    rule(RESOLVER, &[VOCAB], Some(&[])),
    rule(SNAPSHOT, &[RESOLVER, VOCAB], Some(&["bincode", "sha2"])),
    rule(WORLD, &[VOCAB], None),
    rule(COMPILE, &[RESOLVER, SNAPSHOT, VOCAB, WORLD], None),
    rule(ABI, &[RESOLVER, SNAPSHOT, VOCAB], Some(&[])),
    rule(AUTHZEN, &[RESOLVER, VOCAB], None),
    rule(STATEMENT, &[], None),
    rule(ISSUERS, &[VOCAB], None),
    rule(EDGE, &[AUTHZEN, RESOLVER, SNAPSHOT, STATEMENT, VOCAB], None),
    rule("postern-wasm", &[ABI, RESOLVER, SNAPSHOT, VOCAB], Some(&["rlsf", "wasm-bindgen"])),
    rule(HOST, &[ABI, VOCAB], None),
    // The measure of all others, so it shares nothing with them.
    rule(ORACLE, &[], Some(&["serde_json"])),
    rule(GATEWAY, &[AUTHZEN, COMPILE, ISSUERS, RESOLVER, SNAPSHOT, STATEMENT, VOCAB, WORLD], None),
    rule(
        CLI,
        &[ABI, COMPILE, EDGE, GATEWAY, HOST, ISSUERS, ORACLE, RESOLVER, SNAPSHOT, STATEMENT, VOCAB, WORLD],
        None,
    ),
    // What only tests and measurements use.
    rule(TESTKIT, &[ABI, COMPILE, ORACLE, RESOLVER, SNAPSHOT, VOCAB, WORLD], None),
    rule(FUZZING, &[ABI, COMPILE, ORACLE, RESOLVER, SNAPSHOT, STATEMENT, TESTKIT, VOCAB, WORLD], None),
    rule(
        "postern-suite",
        &[ABI, CLI, COMPILE, GATEWAY, HOST, ORACLE, RESOLVER, SNAPSHOT, TESTKIT, VOCAB, WORLD],
        None,
    ),
    rule(
        "postern-bench",
        &[ABI, COMPILE, GATEWAY, HOST, ORACLE, RESOLVER, SNAPSHOT, TESTKIT, VOCAB, WORLD],
        None,
    ),
    rule("xtask", &[], None),
];

/// Compares the rules with what cargo reads from the manifests.
pub fn check(findings: &mut Findings) -> Result<()> {
    let metadata = output(cargo().args(["metadata", "--no-deps", "--format-version", "1", "--offline"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata printed no JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
            findings
                .errors
                .push(format!("{name}: no rule in xtask/src/tidy/dependencies.rs says what it may use"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let uses = dependency["name"].as_str().unwrap_or_default();
            let ours = RULES.iter().any(|rule| rule.name == uses);
            // Tests may use anything, except the oracle's: what checks it must not be what it checks.
            let normal = dependency["kind"].is_null();
            let allowed = match (ours, normal) {
                (true, true) => rule.ours.contains(&uses),
                (true, false) => name != ORACLE,
                (false, true) => rule.others.is_none_or(|others| others.contains(&uses)),
                (false, false) => true,
            };
            if !allowed {
                findings.errors.push(format!("{name} may not depend on {uses}"));
            }
        }
    }
    Ok(())
}
