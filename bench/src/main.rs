//! `cargo run --release -p postern-bench [n …]`: workload W(n) of `docs/benchmarks.md`, every engine beside its floors.
mod measure;
mod native;
mod workload;

use anyhow::Result;
use measure::Figures;

fn main() -> Result<()> {
    let sizes: Vec<usize> = std::env::args().skip(1).map(|n| n.parse()).collect::<Result<_, _>>()?;
    let sizes = if sizes.is_empty() { vec![100, 10_000, 1_000_000] } else { sizes };
    for users in sizes {
        let work = workload::Work::new(users)?;
        let mut figures = Figures::default();
        native::floor(&work, &mut figures)?;
        native::run(&work, &mut figures)?;
        native::open(&work, &mut figures)?;
        println!("n = {users}");
        for (name, ns) in &figures.timed { println!("  {name}: {ns:.1} ns"); }
        for (name, v) in &figures.plain { println!("  {name}: {v:.2}"); }
    }
    Ok(())
}
