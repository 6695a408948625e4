//! How large files may be, and how crates begin.

use super::{Findings, Source};

/// Lines, without tests at the end, above which a file is worth splitting.
const LINES_WARN: usize = 500;
/// Lines above which it must be.
const LINES_MAX: usize = 800;
/// What is counted.
const CODE: &[&str] = &[".rs", ".ts", ".tsx", ".mjs", ".js"];
/// Folders whose files are tests from the first line to the last.
const TESTS: &[&str] = &["/tests/", "/test/"];
/// The files that may lift the ban on `unsafe`, each with its reasons in it.
const MAY_BE_UNSAFE: &[&str] = &["wasm/src/bare.rs", "wasm/src/memory.rs"];

/// Checks sizes and beginnings.
pub fn check(sources: &[Source], findings: &mut Findings) {
    for source in sources {
        size(source, findings);
        if source.path.ends_with("/src/lib.rs") || source.path.ends_with("/src/main.rs") {
            crate_root(source, findings);
        }
        if source.path.ends_with(".rs") && !source.path.starts_with("xtask/") {
            unsafe_code(source, findings);
        }
    }
}

fn size(source: &Source, findings: &mut Findings) {
    let code = CODE.iter().any(|ending| source.path.ends_with(ending));
    if !code || TESTS.iter().any(|folder| source.path.contains(folder)) {
        return;
    }
    let lines = source.text.lines().take_while(|line| *line != "#[cfg(test)]").count();
    let message = format!("{}: {lines} lines without its tests", source.path);
    if lines > LINES_MAX {
        findings.errors.push(format!("{message}, more than {LINES_MAX}: split it by topic"));
    } else if lines > LINES_WARN {
        findings.warnings.push(message);
    }
}

fn crate_root(source: &Source, findings: &mut Findings) {
    if !source.text.starts_with("//! ") {
        findings.errors.push(format!("{}: a crate begins with what it is (`//!`)", source.path));
    }
    let fenced = ["#![forbid(unsafe_code)]", "#![deny(unsafe_code)]"];
    if !fenced.iter().any(|fence| source.text.contains(fence)) {
        findings.errors.push(format!("{}: `#![forbid(unsafe_code)]` is missing", source.path));
    }
}

fn unsafe_code(source: &Source, findings: &mut Findings) {
    if source.text.contains("allow(unsafe_code)") && !MAY_BE_UNSAFE.contains(&source.path.as_str()) {
        findings.errors.push(format!("{}: `unsafe` is not for this file", source.path));
    }
    let lines: Vec<&str> = source.text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let opens = ["unsafe {", "unsafe impl"].iter().any(|word| line.contains(word));
        if !opens || line.trim_start().starts_with("//") {
            continue;
        }
        let before = &lines[number.saturating_sub(6)..number];
        if !before.iter().any(|line| line.trim_start().starts_with("// SAFETY:")) {
            findings.errors.push(format!("{}:{}: `unsafe` without `// SAFETY:`", source.path, number + 1));
        }
    }
}
