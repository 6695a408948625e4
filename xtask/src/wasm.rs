//! `cargo xtask wasm`: the module in its two shapes, optimised, stripped and measured.
//!
//! ```text
//! wasm/ --(no feature)--> wasm-opt ------------------> wasm/dist/postern.wasm        no imports: any host
//! wasm/ --(bindgen)-----> wasm-bindgen -> wasm-opt --> wasm/dist/client/postern_bg.{wasm,js,d.ts}   JavaScript
//! ```
//!
//! The JavaScript shape is wasm-bindgen's `bundler` one without its entry file: `postern_bg.js` imports nothing and
//! loads nothing, so every runtime can instantiate the module itself (docs/wasm-abi.md says how).

use crate::command::{self, command, output, path};
use crate::prerequisites;
use crate::toolchain::{self, Toolchain};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// Where cargo builds: apart from everything else, since it may be another compiler's work.
const TARGET_DIR: &str = "target/wasm-build";
/// Where the finished files go.
pub const DIST: &str = "wasm/dist";
/// The cargo profile of the module.
const PROFILE: &str = "wasm";

/// Most bytes of the bare module, compressed with gzip.
const BARE_GZIP_MAX: usize = 24 * 1024;
/// Most bytes of the JavaScript module and its glue together, each compressed with gzip.
const CLIENT_GZIP_MAX: usize = 30 * 1024;

/// What the optimiser may assume of a host: the features that every current runtime has. Never `-all`: it makes
/// modules that Node 20 refuses.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
];

/// Builds both shapes and fails if one is over its ceiling.
pub fn run() -> Result<()> {
    let toolchain = toolchain::choose()?;
    println!("building the WASM module with {}", toolchain.describe());
    prerequisites::node_tools()?;
    let dist = path(DIST);
    let client = dist.join("client");
    fs::create_dir_all(&client).with_context(|| format!("cannot create {}", client.display()))?;

    let bare = dist.join("postern.wasm");
    optimise(&compile(toolchain, &[])?, &bare)?;
    ensure_no_imports(&bare)?;

    bind(&compile(toolchain, &["--features", "bindgen"])?, &client)?;
    let module = client.join("postern_bg.wasm");
    optimise(&module.clone(), &module)?;
    measure(&bare, &module, &client.join("postern_bg.js"))
}

/// Builds the crate; returns the module as the compiler left it.
fn compile(toolchain: Toolchain, features: &[&str]) -> Result<PathBuf> {
    command::run(
        toolchain
            .build()
            .args(["--package", "postern-wasm", "--profile", PROFILE, "--target-dir", TARGET_DIR])
            .args(features),
    )?;
    Ok(path(TARGET_DIR).join(toolchain::TARGET).join(PROFILE).join("postern_wasm.wasm"))
}

/// Lets wasm-bindgen write the glue, and the module that fits it, into a folder.
fn bind(module: &Path, folder: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(module)
        .out_name("postern")
        .bundler(true)?
        .typescript(true)
        .generate(folder)
        .context("wasm-bindgen refused the module")?;
    // The entry file imports the module in a way that only some bundlers understand; the client brings its own.
    for name in ["postern.js", "postern_bg.wasm.d.ts"] {
        let _ = fs::remove_file(folder.join(name));
    }
    fs::rename(folder.join("postern.d.ts"), folder.join("postern_bg.d.ts"))?;
    Ok(())
}

/// Shrinks a module; drops the sections that only tools read.
fn optimise(from: &Path, to: &Path) -> Result<()> {
    let optimiser = path("xtask/node/node_modules/binaryen/bin/wasm-opt");
    command::run(
        command("node")
            .arg(optimiser)
            .arg(from)
            .args([
                "-Os",
                "--converge",
                "--reorder-functions",
                "--strip-debug",
                "--strip-producers",
                "--strip-target-features",
            ])
            .args(FEATURES)
            .arg("-o")
            .arg(to),
    )
}

/// The bare module must run in any host, so it may ask nothing of one.
fn ensure_no_imports(module: &Path) -> Result<()> {
    let script = "const {readFileSync} = require('fs');
        console.log(WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(process.argv[1]))).length)";
    let count = output(command("node").args(["-e", script]).arg(module))?;
    ensure!(count.trim() == "0", "{} imports {} things from its host", module.display(), count.trim());
    Ok(())
}

/// Prints the sizes and compares them with the ceilings.
fn measure(bare: &Path, module: &Path, glue: &Path) -> Result<()> {
    let sizes = output(command("node").arg(path("xtask/node/measure.mjs")).args([bare, module, glue]))?;
    let rows: Vec<Vec<usize>> = sizes
        .lines()
        .map(|line| line.split(' ').map(str::parse).collect::<Result<_, _>>())
        .collect::<Result<_, _>>()
        .context("measure.mjs printed something else than numbers")?;
    let [bare, module, glue] = &rows[..] else { bail!("measure.mjs printed {} lines", rows.len()) };
    let both: Vec<usize> = module.iter().zip(glue).map(|(a, b)| a + b).collect();

    println!("{:<34}{:>9}{:>9}{:>9}{:>9}", "bytes", "raw", "gzip", "brotli", "ceiling");
    let row = |name: &str, sizes: &[usize], budget: String| {
        println!("{name:<34}{:>9}{:>9}{:>9}{budget:>9}", sizes[0], sizes[1], sizes[2]);
    };
    row("postern.wasm (bare)", bare, BARE_GZIP_MAX.to_string());
    row("client/postern_bg.wasm", module, String::new());
    row("client/postern_bg.js", glue, String::new());
    row("client, both", &both, CLIENT_GZIP_MAX.to_string());
    for (name, gzip, budget) in
        [("bare module", bare[1], BARE_GZIP_MAX), ("client's module and glue", both[1], CLIENT_GZIP_MAX)]
    {
        ensure!(gzip <= budget, "the {name} take {gzip} bytes with gzip, over the ceiling of {budget}");
    }
    Ok(())
}
