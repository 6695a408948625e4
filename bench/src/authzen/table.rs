//! The figures of AuthZEN as tables.

use super::CONNECTIONS;
use super::load::{Target, Turn};
use super::questions::BATCH as ITEMS;
use crate::report::{grouped, judged_least};
use std::fmt::Write;

pub(super) const FLOOR: &str = "floor: axum reads the request and decides nothing";
pub(super) const REPLACED: &str = "replaced: axum and three queries";
pub(super) const SINGLE: &str = "gateway: evaluation";
pub(super) const BATCH: &str = "gateway: evaluations, 50 items";

/// How many times as many decisions the gateway makes in the same time, one in a request.
const SINGLE_LEAST: f64 = 8.0;
/// How many times as many a batch makes.
const BATCH_LEAST: f64 = 15.0;

/// One way to ask, and what it took.
pub(super) struct Measured {
    pub name: &'static str,
    pub target: Target,
    pub cells: [Cell; CONNECTIONS.len()],
}

/// With one number of connections.
pub(super) struct Cell {
    pub connections: usize,
    pub turns: Vec<Turn>,
}

impl Cell {
    fn rate(&self) -> f64 {
        median(self.turns.iter().map(|turn| turn.rate))
    }

    /// Milliseconds within which so many of a thousand requests were answered.
    fn latency(&self, per_mille: usize) -> f64 {
        median(self.turns.iter().map(|turn| {
            let at = turn.latencies.len() * per_mille / 1000;
            turn.latencies.get(at).copied().unwrap_or(f64::NAN)
        }))
    }

    /// How many times as many decisions as another. Each turn is compared with the one beside it: what else the machine
    /// did was nearly the same.
    fn ratio(&self, other: &Cell) -> f64 {
        median(self.turns.iter().zip(&other.turns).map(|(one, other)| one.rate / other.rate))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The figures, then what they have to be.
pub(super) fn tables(users: usize, paths: &[Measured]) -> String {
    let mut out = format!("### AuthZEN over HTTP, n = {}\n\n", grouped(users as f64));
    out.push_str("| path | connections | decisions/s | p50 of a request, ms | p99 of a request, ms |\n");
    out.push_str("| --- | ---: | ---: | ---: | ---: |\n");
    for path in paths {
        for cell in &path.cells {
            let (rate, p50, p99) = (grouped(cell.rate()), cell.latency(500), cell.latency(990));
            let _ = writeln!(out, "| {} | {} | {rate} | {p50:.3} | {p99:.3} |", path.name, cell.connections);
        }
    }
    out.push_str("\n| decisions/s of | connections | ratio | at least | met |\n");
    out.push_str("| --- | ---: | ---: | ---: | --- |\n");
    let batch = format!("a batch of {ITEMS}, x {ITEMS} single requests");
    for (name, [of, to], least) in [
        ("single requests, x three queries", [SINGLE, REPLACED], SINGLE_LEAST),
        (&batch, [BATCH, SINGLE], BATCH_LEAST),
    ] {
        let [of, to] = [of, to].map(|name| paths.iter().find(|path| path.name == name));
        let (Some(of), Some(to)) = (of, to) else { continue };
        for (of, to) in of.cells.iter().zip(&to.cells) {
            let ratio = of.ratio(to);
            let met = judged_least(ratio, least);
            let _ = writeln!(out, "| {name} | {} | {ratio:.2} | {least} | {met} |", of.connections);
        }
    }
    out
}
