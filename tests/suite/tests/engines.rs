//! Random worlds and questions: every engine gives the oracle's answers.
//!
//! `POSTERN_WORLDS` sets how many worlds are tried, `POSTERN_SEED` with which one to begin, `POSTERN_ENGINE` that only
//! one engine is, `POSTERN_FAILURES` after how many of them to stop.

use postern_suite::engines::{Engine, expected, oracle};
use postern_suite::shrink::{mismatch, shrink};
use postern_testkit::json::{Style, query_text, world_text};
use postern_testkit::{Chance, random};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

const WORLDS: u64 = 2000;
const QUERIES: usize = 200;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn every_engine_answers_like_the_oracle() {
    let (first, worlds) = (number("POSTERN_SEED", 0), number("POSTERN_WORLDS", WORLDS));
    // One failure is enough to look at, and shrinking takes time.
    let failures = number("POSTERN_FAILURES", 1) as usize;
    let (next, compared, failed) = (AtomicU64::new(first), AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + worlds || failed.load(Ordering::Relaxed) >= failures {
                return;
            }
            if let Err(report) = compare(seed, &compared) {
                failed.fetch_add(1, Ordering::Relaxed);
                eprintln!("{report}\n");
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let compared = compared.into_inner();
    println!("{compared} answers compared");
    assert_eq!(failed.into_inner(), 0, "engines disagree; see the report above");
    assert_eq!(compared as u64, worlds * QUERIES as u64 * Engine::measured().len() as u64);
}

fn compare(seed: u64, compared: &AtomicUsize) -> Result<(), String> {
    let mut chance = Chance::new(seed);
    let world = random::world(&mut chance);
    let queries = random::queries(&mut chance, &world, QUERIES);
    let oracle = oracle(&world);
    for engine in Engine::measured() {
        let mut loaded = engine.load(&world);
        for query in &queries {
            if loaded.answer(query) != expected(&oracle, loaded.is_slice(), query) {
                let (world, query) = shrink(engine, &world, query);
                let report = mismatch(engine, &world, &query).map_or("gone".to_string(), |mismatch| {
                    format!("expected {}\nanswered {}", mismatch.expected, mismatch.got)
                });
                return Err(format!(
                    "seed {seed}, {engine:?}\n{}\n{}\n{report}",
                    world_text(&world, Style::Terse),
                    query_text(&query, Style::Terse),
                ));
            }
            compared.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}
