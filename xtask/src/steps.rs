//! Steps with names, timings and counted tests.
//!
//! Every step says what it does before it starts. The output of test runners is passed on as it comes and read along,
//! so that the last line can say how many tests passed, whoever ran them.

use crate::command;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

/// The steps so far.
pub struct Steps {
    started: Instant,
    timings: Vec<(String, f64)>,
    /// Tests that passed, and tests that did not.
    pub tests: Count,
}

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

impl Steps {
    /// None yet.
    pub fn new() -> Steps {
        Steps { started: Instant::now(), timings: Vec::new(), tests: Count::default() }
    }

    /// Runs one step. Its error ends the whole, with the step's name in front.
    pub fn step(&mut self, name: &str, run: impl FnOnce(&mut Count) -> Result<()>) -> Result<()> {
        println!("\n== {name}");
        let started = Instant::now();
        let result = run(&mut self.tests);
        let seconds = started.elapsed().as_secs_f64();
        println!("== {name}: {} after {seconds:.1} s", if result.is_ok() { "done" } else { "FAILED" });
        self.timings.push((name.into(), seconds));
        result.with_context(|| format!("step `{name}`"))
    }

    /// Prints where the time went.
    pub fn summary(&self) {
        println!("\n{:<40}{:>9}", "step", "seconds");
        for (name, seconds) in &self.timings {
            println!("{name:<40}{seconds:>9.1}");
        }
        println!("{:<40}{:>9.1}", "all", self.started.elapsed().as_secs_f64());
    }
}

/// Runs a test runner, passing its output on and adding up its tests. An error unless it succeeds and ran some test.
pub fn run_tests(command: &mut Command, tests: &mut Count) -> Result<()> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let out = child.stdout.take().map(|pipe| thread::spawn(|| pass_on(pipe, std::io::stdout())));
    let err = child.stderr.take().map(|pipe| thread::spawn(|| pass_on(pipe, std::io::stderr())));
    let mut count = Count::default();
    for reader in [out, err].into_iter().flatten() {
        let read = reader.join().expect("INVARIANT: passing output on does not panic");
        count.passed += read.passed;
        count.failed += read.failed;
    }
    let status = child.wait()?;
    tests.passed += count.passed;
    tests.failed += count.failed;
    if !status.success() {
        // A runner that broke off before it could count its tests still counts as one that failed.
        tests.failed += u64::from(count.failed == 0);
        bail!("{:?} failed: {status}", command.get_program());
    }
    if count.passed == 0 {
        bail!("{:?} ran no test", command.get_program());
    }
    Ok(())
}

/// Runs any other command to its end.
pub fn run(command: &mut Command) -> Result<()> {
    command::run(command.stdin(Stdio::null()))
}

fn pass_on(pipe: impl Read, mut to: impl Write) -> Count {
    let mut count = Count::default();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&line);
        if let Some(found) = tests_in(&text) {
            count.passed += found.passed;
            count.failed += found.failed;
        }
        // Output that nobody reads any more is not worth failing for.
        let _ = writeln!(to, "{text}");
    }
    count
}

/// The tests that a runner's closing line counts: nextest's, `cargo test`'s or Node's.
fn tests_in(line: &str) -> Option<Count> {
    let line = line.trim();
    if line.starts_with("Summary [") || line.starts_with("test result:") {
        return Some(Count {
            passed: number_before(line, " passed"),
            failed: number_before(line, " failed"),
        });
    }
    // Node writes one line for each, `# pass 3` or with another sign in front.
    let (_, rest) = line.split_once(' ').filter(|(sign, _)| matches!(*sign, "#" | "ℹ"))?;
    let (word, number) = rest.split_once(' ')?;
    let number = number.parse().ok()?;
    match word {
        "pass" => Some(Count { passed: number, failed: 0 }),
        "fail" => Some(Count { passed: 0, failed: number }),
        _ => None,
    }
}

/// The number that stands before a word; 0 where there is none.
fn number_before(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().filter(|before| before.len() < line.len()).unwrap_or_default();
    before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_the_runners_are_counted() {
        let count = |line| tests_in(line).map(|count| (count.passed, count.failed));
        assert_eq!(
            count("     Summary [   0.120s] 45 tests run: 43 passed (1 slow), 2 failed, 1 skipped"),
            Some((43, 2))
        );
        assert_eq!(count("     Summary [   0.120s] 45 tests run: 45 passed, 0 skipped"), Some((45, 0)));
        assert_eq!(count("test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured"), Some((7, 0)));
        assert_eq!(count("# pass 12"), Some((12, 0)));
        assert_eq!(count("ℹ fail 2"), Some((0, 2)));
        assert_eq!(count("# tests 12"), None);
        assert_eq!(count("running 7 tests"), None);
    }
}
