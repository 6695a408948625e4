//! What a decision costs: native, in wasmtime, in V8 and over HTTP, beside the floors of the same run.
//!
//! ```text
//! cargo xtask wasm                                     the modules that are measured
//! cargo run --release -p postern-bench                 workload W(n) at 100, 10,000 and 1,000,000 users
//! cargo run --release -p postern-bench -- 10000 --rounds 5
//! cargo run --release -p postern-bench -- --export     reading 1,000,000 users out of Postgres, too
//! cargo run --release -p postern-bench -- --authzen    AuthZEN over HTTP beside the three queries that it replaces, too
//! cargo run --release -p postern-bench -- --propagation    from a commit to one, 100 and 10,000 followers, too
//! cargo run --release -p postern-bench -- --adopt 5000000   adopting sessions beside a plain INSERT … SELECT, too
//! cargo run --release -p postern-bench -- --markdown docs/benchmarks.md
//! ```
//! `--export`, `--authzen`, `--propagation` and `--adopt` without a number of users measure only that, where no page is written.
//!
//! A figure over its budget is marked; nothing fails because of it. An answer that is not the truth fails the run.

#![forbid(unsafe_code)]

mod adopt;
mod authzen;
mod export;
mod hosted;
mod large;
mod measure;
mod native;
mod node;
mod page;
mod propagation;
mod report;
mod workload;

use anyhow::{Context, Result, bail};
use node::Node;
use postern_snapshot::Snapshot;
use report::{Circumstances, Other, Section};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use workload::Work;

/// What was asked for on the command line.
struct Options {
    sizes: Vec<usize>,
    rounds: usize,
    passes: usize,
    /// Users of the organization that is read out of Postgres.
    export: Option<usize>,
    authzen: bool,
    propagation: bool,
    /// Sessions that are adopted.
    adopt: Option<usize>,
    markdown: Option<PathBuf>,
}

fn options() -> Result<Options> {
    let mut options = Options {
        sizes: Vec::new(),
        rounds: 5,
        passes: 5,
        export: None,
        authzen: false,
        propagation: false,
        adopt: None,
        markdown: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--rounds" => options.rounds = value()?.parse().context("--rounds")?,
            "--passes" => options.passes = value()?.parse().context("--passes")?,
            "--markdown" => options.markdown = Some(value()?.into()),
            "--authzen" => options.authzen = true,
            "--propagation" => options.propagation = true,
            "--adopt" => options.adopt = Some(value()?.replace([',', '_'], "").parse().context("--adopt")?),
            "--export" => options.export = Some(1_000_000),
            "--export-users" => options.export = Some(value()?.parse().context("--export-users")?),
            size => match size.replace([',', '_'], "").parse() {
                Ok(size) => options.sizes.push(size),
                Err(_) => bail!("`{size}` is neither a number of users nor an option; see bench/src/main.rs"),
            },
        }
    }
    let others =
        options.export.is_some() || options.authzen || options.propagation || options.adopt.is_some();
    let only_others = others && options.markdown.is_none();
    if options.sizes.is_empty() && !only_others {
        options.sizes = vec![100, 10_000, 1_000_000];
    }
    Ok(options)
}

fn main() -> Result<()> {
    // The export runs in a process of its own, whose memory is its alone.
    if let Some(url) = export::url_of_child() {
        return export::child(&url);
    }
    if let Some(url) = propagation::url_of_child() {
        return propagation::child(&url);
    }
    if let Some(arguments) = adopt::arguments_of_child() {
        return adopt::child(&arguments);
    }
    let options = options()?;
    let command: Vec<String> = std::env::args().skip(1).collect();
    let mut circumstances = Circumstances {
        command: format!("cargo run --release -p postern-bench -- {}", command.join(" "))
            .trim_end()
            .to_owned(),
        node: None,
    };
    let mut tables = Vec::new();
    for users in &options.sizes {
        let section = section(*users, &options, &mut circumstances)?;
        tables.push(section.table());
        println!("{}", section.table());
    }
    let exported = options.export.map(export::run).transpose()?;
    if let Some(exported) = &exported {
        println!("{exported}");
    }
    let authzen = options.authzen.then(|| authzen::run(options.rounds)).transpose()?;
    if let Some(authzen) = &authzen {
        println!("{authzen}");
    }
    let propagation = options.propagation.then(propagation::run).transpose()?;
    if let Some(propagation) = &propagation {
        println!("{propagation}");
    }
    if let Some(sessions) = options.adopt {
        println!("{}", adopt::run(sessions)?);
    }
    println!("{}", circumstances.list());
    if let Some(file) = &options.markdown {
        let [exported, authzen, propagation] = [&exported, &authzen, &propagation].map(Option::as_deref);
        let page = page::page(&circumstances, &tables, exported, authzen, propagation);
        std::fs::write(file, page).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Everything about one size.
fn section(users: usize, options: &Options, circumstances: &mut Circumstances) -> Result<Section> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasm/dist");
    let work = Work::new(users)?;
    let snapshot = Snapshot::open(&work.bytes)?;
    let module = hosted::load(&dist.join("postern.wasm"))?;
    let instance = RefCell::new(module.open(&work.bytes)?);
    let (node, loaded) = Node::start(&work, &dist.join("client/postern_bg.wasm"))?;
    let node = RefCell::new(node);

    let mut engines = node::engines(&work, &node)?;
    engines.extend(native::engines(&work, &snapshot)?);
    engines.extend(hosted::engines(&work, &instance)?);
    let figures = measure::rounds(&mut engines, options.rounds, options.passes)?;
    drop(engines);

    let [copied, opened] = native::open(&work)?;
    let [delta_bytes, found, applied] = native::delta(&work)?;
    let other = |name: &str, value: f64, unit| Other { name: name.to_owned(), value, unit, budget: None };
    let million = users >= 1_000_000;
    let others = vec![
        Other {
            budget: million.then_some(28.0),
            ..other("snapshot, a user", work.bytes.len() as f64 / users as f64, "bytes")
        },
        other("native: copying the bytes", copied, "ms"),
        other("native: opening with full validation", opened, "ms"),
        Other { budget: million.then_some(6.0), ..other("native: opening, x copying", opened / copied, "") },
        other("delta of one assignment less", delta_bytes, "bytes"),
        other("native: finding that delta", found, "ms"),
        other("native: applying it, with opening the result", applied, "ms"),
        other("wasmtime: instance, copying and opening", hosted::open(&work, &module)?, "ms"),
        other("V8: copying the bytes", loaded.copy_ms, "ms"),
        other("V8: copying into WebAssembly and opening", loaded.open_ms, "ms"),
        other("JavaScript Map: building it", loaded.map_ms, "ms"),
        other("JavaScript Map: heap, a user", loaded.map_bytes / users as f64, "bytes"),
    ];
    circumstances.node = Some(format!("Node {} with V8 {}", loaded.node, loaded.v8));
    Ok(Section { users, figures, others })
}
