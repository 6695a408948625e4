//! Figures, and how they are taken.

use std::hint::black_box;
use std::time::Instant;

/// Passes over the same questions; the best counts, because everything that disturbs a pass makes it longer.
const PASSES: usize = 7;

/// Nanoseconds a question of the best pass, and what the pass returned.
pub(crate) fn best(questions: usize, mut pass: impl FnMut() -> usize) -> (f64, usize) {
    let mut least = f64::INFINITY;
    let mut result = 0;
    for _ in 0..PASSES {
        let start = Instant::now();
        result = black_box(pass());
        least = least.min(start.elapsed().as_nanos() as f64);
    }
    (least / questions as f64, result)
}

/// The figures of one size.
#[derive(Default)]
pub(crate) struct Figures {
    /// Nanoseconds a check, by name.
    pub timed: Vec<(String, f64)>,
    /// Other numbers.
    pub plain: Vec<(String, f64)>,
}

impl Figures {
    pub fn add(&mut self, name: &str, ns: f64) {
        self.timed.push((name.to_owned(), ns));
    }

    pub fn plain(&mut self, name: &str, value: f64) {
        self.plain.push((name.to_owned(), value));
    }
}
