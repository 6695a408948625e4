//! The tasks of this repository: `cargo xtask <command>`. One file per command; nothing here ships.

#![forbid(unsafe_code)]

mod command;
mod demo;
mod e2e;
mod golden;
mod packages;
mod prerequisites;
mod server;
mod steps;
mod test;
mod tidy;
mod toolchain;
mod wasm;

const USAGE: &str = "usage: cargo xtask <command>

  test    everything that must hold before a change lands (what .ci/run calls)
  tidy    the rules of the house that no compiler checks
  golden  write the texts of tests/golden anew
  wasm    build the WASM module, with both of its faces, and check its size
  demo    build everything and start the demo: database, gateway and page
  sql     run one statement on the demo's database: cargo xtask sql \"SELECT ...\"
";

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => test::run(),
        ["tidy"] => tidy::run(),
        ["golden"] => golden::run(),
        ["wasm"] => wasm::run(),
        ["demo"] => demo::run(),
        ["sql", statement] => demo::sql(statement),
        _ => {
            eprint!("{USAGE}");
            return 2.into();
        }
    };
    match result {
        Ok(()) => 0.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            1.into()
        }
    }
}
