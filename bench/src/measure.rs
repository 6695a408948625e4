//! Engines, passes and figures.

use crate::workload::{QUERIES, Work};
use anyhow::{Result, ensure};
use std::hint::black_box;
use std::time::Instant;

/// One way of answering the questions of a workload.
pub(crate) struct Engine<'w> {
    pub name: &'static str,
    /// Answers all questions once: nanoseconds a question. Fails on an answer that is not the truth.
    pub pass: Box<dyn FnMut() -> Result<f64> + 'w>,
}

impl<'w> Engine<'w> {
    /// An engine that answers one question at a time, by its number. Every answer is compared with the truth before
    /// anything is measured, and in each pass the number of those that allow.
    pub fn one_by_one(
        name: &'static str,
        work: &'w Work,
        mut allows: impl FnMut(usize) -> Result<bool> + 'w,
    ) -> Result<Self> {
        for (number, truth) in work.truth.iter().enumerate() {
            ensure!(allows(number)? == *truth, "{name} answers question {number} wrongly");
        }
        let pass = Box::new(move || {
            let start = Instant::now();
            let mut allowed = 0;
            for number in 0..QUERIES {
                allowed += usize::from(allows(number)?);
            }
            let took = start.elapsed().as_nanos() as f64;
            work.expect(name, allowed)?;
            Ok(took / QUERIES as f64)
        });
        Ok(Engine { name, pass })
    }

    /// An engine that answers all questions in one go, with a code for each.
    pub fn at_once(
        name: &'static str,
        work: &'w Work,
        mut answer: impl FnMut(&mut [u8]) -> Result<()> + 'w,
    ) -> Result<Self> {
        let mut codes = vec![0; QUERIES];
        answer(&mut codes)?;
        for (number, (code, truth)) in codes.iter().zip(&work.truth).enumerate() {
            ensure!(allows(*code) == *truth, "{name} answers question {number} wrongly");
        }
        let pass = Box::new(move || {
            let start = Instant::now();
            answer(&mut codes)?;
            let allowed = codes.iter().filter(|code| allows(**code)).count();
            let took = start.elapsed().as_nanos() as f64;
            work.expect(name, allowed)?;
            Ok(took / QUERIES as f64)
        });
        Ok(Engine { name, pass })
    }

    /// A call that answers nothing: what the way there and back costs.
    pub fn empty(name: &'static str, mut call: impl FnMut(u32) -> Result<u32> + 'w) -> Self {
        let pass = Box::new(move || {
            let start = Instant::now();
            let mut sum = 0u32;
            for number in 0..QUERIES as u32 {
                sum = sum.wrapping_add(call(number)?);
            }
            black_box(sum);
            Ok(start.elapsed().as_nanos() as f64 / QUERIES as f64)
        });
        Engine { name, pass }
    }
}

/// Whether the code of a reason allows.
pub(crate) fn allows(code: u8) -> bool {
    (1..16).contains(&code)
}

/// What an engine took, over all passes of all rounds.
pub(crate) struct Figure {
    pub name: &'static str,
    /// Nanoseconds a question, ascending.
    passes: Vec<f64>,
}

impl Figure {
    /// The best pass: whatever disturbs one makes it longer.
    pub fn best(&self) -> f64 {
        self.passes.first().copied().unwrap_or(f64::NAN)
    }

    /// The pass in the middle: what the machine allowed on the whole.
    pub fn median(&self) -> f64 {
        self.passes.get(self.passes.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// Runs all engines in turn, and that several times, so that a busy minute hits all of them.
pub(crate) fn rounds(engines: &mut [Engine<'_>], rounds: usize, passes: usize) -> Result<Vec<Figure>> {
    let mut figures: Vec<Figure> =
        engines.iter().map(|engine| Figure { name: engine.name, passes: Vec::new() }).collect();
    for _ in 0..rounds {
        for (engine, figure) in engines.iter_mut().zip(&mut figures) {
            for _ in 0..passes {
                figure.passes.push((engine.pass)()?);
            }
        }
    }
    for figure in &mut figures {
        figure.passes.sort_by(f64::total_cmp);
    }
    Ok(figures)
}

/// Milliseconds of the best of several goes.
pub(crate) fn best_ms(goes: usize, mut go: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..goes {
        let start = Instant::now();
        go()?;
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(least)
}
