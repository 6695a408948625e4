//! The figures as tables, each beside its budget.

use crate::measure::Figure;
use std::fmt::Write;

/// The engine that all others are compared with.
const MAP: &str = "floor: JavaScript Map by strings";

/// What an engine may take at a size, in multiples of the Map.
const BUDGETS: [(usize, &str, f64); 15] = [
    (10_000, "native: by handle", 0.08),
    (10_000, "native: by text id", 0.35),
    (10_000, "native: batch", 0.08),
    (10_000, "V8: by handle", 0.13),
    (10_000, "V8: by text id, interned in JavaScript", 0.60),
    (10_000, "V8: batch, triples written and answers read", 0.12),
    (10_000, "wasmtime: by handle", 0.16),
    (10_000, "wasmtime: by text id", 0.50),
    (10_000, "wasmtime: batch", 0.07),
    (1_000_000, "native: by handle", 0.05),
    (1_000_000, "native: by text id", 0.35),
    (1_000_000, "native: batch", 0.08),
    (1_000_000, "V8: by handle", 0.12),
    (1_000_000, "V8: by text id, interned in JavaScript", 0.60),
    (1_000_000, "V8: batch, triples written and answers read", 0.10),
];

/// A number that is no time of a question: its budget, if it has one, is the most that it may be.
pub(crate) struct Other {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub budget: Option<f64>,
}

/// All figures of one size.
pub(crate) struct Section {
    pub users: usize,
    pub figures: Vec<Figure>,
    pub others: Vec<Other>,
}

impl Section {
    /// As a table in Markdown, which is readable as it is.
    pub fn table(&self) -> String {
        let mut out = format!("### n = {}\n\n", grouped(self.users as f64));
        out.push_str(
            "| engine and mode | best, ns | median, ns | x Map, best | x Map, median | budget | met |\n",
        );
        out.push_str("| --- | ---: | ---: | ---: | ---: | ---: | --- |\n");
        let map = self.figures.iter().find(|figure| figure.name == MAP);
        for figure in &self.figures {
            let ratios = map.map(|map| (figure.best() / map.best(), figure.median() / map.median()));
            let (best, median) = ratios.unwrap_or((f64::NAN, f64::NAN));
            let budget = BUDGETS.iter().find(|(users, name, _)| (*users, *name) == (self.users, figure.name));
            let (budget, met) = judged(median, budget.map(|(.., budget)| *budget));
            let _ = writeln!(
                out,
                "| {} | {:.1} | {:.1} | {best:.3} | {median:.3} | {budget} | {met} |",
                figure.name,
                figure.best(),
                figure.median()
            );
        }
        out.push('\n');
        out + &table_of(&self.others)
    }
}

/// Numbers with their units and budgets.
pub(crate) fn table_of(others: &[Other]) -> String {
    let mut out = "| | | budget | met |\n| --- | ---: | ---: | --- |\n".to_owned();
    for other in others {
        let (budget, met) = judged(other.value, other.budget);
        let value = if other.value >= 1000.0 { grouped(other.value) } else { format!("{:.2}", other.value) };
        let _ = writeln!(out, "| {} | {value} {} | {budget} | {met} |", other.name, other.unit);
    }
    out
}

fn judged(value: f64, budget: Option<f64>) -> (String, &'static str) {
    match budget {
        None => (String::new(), ""),
        Some(budget) if value <= budget => (budget.to_string(), "yes"),
        Some(budget) => (budget.to_string(), "**no**"),
    }
}

/// Whether what should be large is large enough.
pub(crate) fn judged_least(value: f64, least: f64) -> &'static str {
    if value >= least { "yes" } else { "**no**" }
}

/// 1234567 as 1,234,567
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The machine and the moment, for a page that is read elsewhere and later.
pub(crate) struct Circumstances {
    pub command: String,
    /// `None`: it was not asked.
    pub node: Option<String>,
}

impl Circumstances {
    /// As a list in Markdown.
    pub fn list(&self) -> String {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("unknown");
        let node = self.node.as_ref().map_or_else(String::new, |node| format!("- {node}\n"));
        format!(
            "- command: `{}`\n- date: {}\n- machine: {} with {cpus} processors, load {load} at the end\n{node}",
            self.command,
            today(),
            cpu_model(),
        )
    }
}

fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

/// The date in UTC.
fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let days = (now.as_secs() / 86_400) as i64;
    let (mut year, mut day) = (1970, days);
    let length = |year: i64| {
        if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 }
    };
    while day >= length(year) {
        day -= length(year);
        year += 1;
    }
    let months = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= months[month] {
        day -= months[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, day + 1)
}
