//! The committed corpora, and random changes of them, through the fuzz targets: fuzzing with any compiler.
//!
//! `POSTERN_FUZZ_ROUNDS` says how many changed inputs each target gets; the default takes some seconds. An input that
//! fails is written to `fuzz/artifacts/<target>/`.

use postern_fuzzing::TARGETS;
use postern_testkit::Chance;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Changed inputs for each target, unless the environment says otherwise.
const ROUNDS: usize = 4_000;
/// No input of these sizes takes longer, on the slowest machine, unless something loops.
const LONGEST: Duration = Duration::from_secs(20);

fn folder(of: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(of).join(target)
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = folder("corpus", target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    // The order of a folder is the file system's; the inputs must be the same everywhere.
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.iter().map(|file| fs::read(file).expect("it can be read")).collect()
}

fn try_input(target: (&str, fn(&[u8])), input: &[u8]) {
    let started = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| target.1(input)));
    if outcome.is_ok() && started.elapsed() < LONGEST {
        return;
    }
    let folder = folder("artifacts", target.0);
    let file = folder.join("replay-failure");
    fs::create_dir_all(&folder).and_then(|()| fs::write(&file, input)).expect("the input can be kept");
    panic!("`{}` failed after {:?}; the input is in {}", target.0, started.elapsed(), file.display());
}

/// The way libFuzzer changes inputs, in short.
fn change(chance: &mut Chance, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = chance.pick(corpus).clone();
    for _ in 0..chance.between(1, 6) {
        let at = chance.below(input.len() + 1);
        let len = chance.below(input.len() - at + 1).min(64);
        match chance.below(7) {
            0 => input.truncate(at),
            1 => drop(input.splice(at..at + len, [])),
            2 => {
                let part = input[at..at + len].to_vec();
                let to = chance.below(input.len() + 1);
                input.splice(to..to, part);
            }
            3 => {
                let other = chance.pick(corpus);
                let from = chance.below(other.len() + 1);
                let part = &other[from..(from + 32).min(other.len())];
                input.splice(at..at, part.iter().copied());
            }
            4 if at + 4 <= input.len() => {
                // Counts, numbers and offsets are u32 or u64: the values at which arithmetic goes wrong.
                let value =
                    *chance.pick(&[0, 1, 2, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX - 1, u32::MAX]);
                input[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            _ if at < input.len() => {
                let bit = chance.below(8);
                input[at] ^= 1 << bit;
            }
            _ => input.push(chance.bits() as u8),
        }
    }
    input
}

fn replay(name: &str) {
    let target = *TARGETS.iter().find(|target| target.0 == name).expect("there is such a target");
    let corpus = corpus(name);
    corpus.iter().for_each(|input| try_input(target, input));
    try_input(target, &[]);
    let rounds = std::env::var("POSTERN_FUZZ_ROUNDS").ok();
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().expect("POSTERN_FUZZ_ROUNDS is a number"));
    for seed in 0..rounds as u64 {
        try_input(target, &change(&mut Chance::new(seed), &corpus));
    }
}

#[test]
fn apply_refuses_or_gives_what_the_delta_states() {
    replay("apply");
}

#[test]
fn open_refuses_or_reads_whatever_the_bytes_are() {
    replay("open");
}

#[test]
fn decide_answers_whatever_the_request_is() {
    replay("decide");
}

#[test]
fn import_refuses_or_compiles_whatever_the_text_is() {
    replay("import");
}

/// A corpus of snapshots of an earlier format would only test the first line of `open`.
#[test]
fn the_corpus_of_snapshots_is_of_this_format() {
    let opened =
        corpus("open").iter().filter(|bytes| postern_snapshot::Snapshot::open(bytes).is_ok()).count();
    assert!(opened >= 4, "{opened} open; write it again: cargo run -p postern-fuzzing --example corpus");
}

/// The targets' own head and the writer's are the same, so that what they seal gets past the checksum.
#[test]
fn sealing_writes_the_head_that_the_writer_writes() {
    for bytes in corpus("open") {
        if postern_snapshot::Snapshot::open(&bytes).is_ok() {
            assert_eq!(postern_fuzzing::seal(&bytes[24..]), bytes);
        }
    }
}
