//! `cargo xtask tidy`: the rules of the house that no compiler checks.

mod claims;
mod dependencies;
mod files;
mod links;
mod text;

use crate::command::{command, output, root};
use anyhow::{Context, Result, bail};
use std::fs;

/// A file of the repository.
pub struct Source {
    /// From the root, with `/` between folders.
    pub path: String,
    /// What it says. Files that are no text are left out.
    pub text: String,
}

/// What is wrong, each with its place.
#[derive(Default)]
pub struct Findings {
    /// Must be put right.
    pub errors: Vec<String>,
    /// Should be looked at.
    pub warnings: Vec<String>,
}

/// Checks everything; fails if anything must be put right.
pub fn run() -> Result<()> {
    let sources = sources()?;
    let mut findings = Findings::default();
    dependencies::check(&mut findings)?;
    files::check(&sources, &mut findings);
    claims::check(&sources, &mut findings);
    links::check(&sources, &mut findings);
    text::check(&sources, &mut findings);
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for error in &findings.errors {
        println!("error: {error}");
    }
    println!(
        "tidy: {} files, {} warnings, {} errors",
        sources.len(),
        findings.warnings.len(),
        findings.errors.len()
    );
    if !findings.errors.is_empty() {
        bail!("the repository is not tidy");
    }
    Ok(())
}

/// Every text file that is, or would be, committed.
fn sources() -> Result<Vec<Source>> {
    let list = output(command("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let mut sources = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        let file = root().join(path);
        if !file.is_file() {
            // Listed, and deleted in the work tree.
            continue;
        }
        let bytes = fs::read(&file).with_context(|| format!("cannot read {path}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path: path.into(), text });
        }
    }
    Ok(sources)
}
