//! Finds a compiler for `wasm32-unknown-unknown`.
//!
//! Most machines have the target from rustup. Where rustup may not fetch anything, Debian's packages hold a compiler
//! and the sources of `core` and `alloc`, which are then built along. Nothing is ever downloaded from here: what is
//! missing is named, with the command that installs it.

use crate::command;
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// The target that the module is built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The packages that make Debian's compiler able to build the module.
pub const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "rust-web-src", "rust-web-llvm", "cargo-web", "lld-22"];

/// Where the compiler comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The compiler in use has the target: rustup lists it, or it lies in the compiler's own folder.
    Installed,
    /// Debian's compiler, building `core` and `alloc` from Debian's sources.
    Debian,
}

impl Toolchain {
    /// A word for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Toolchain::Installed => "the installed toolchain",
            Toolchain::Debian => "Debian's rustc-web, building core and alloc from rust-web-src",
        }
    }

    /// `cargo build` for the target, ready for further arguments.
    pub fn build(self) -> Command {
        let mut cargo = match self {
            Toolchain::Installed => command::cargo(),
            Toolchain::Debian => {
                let mut cargo = command::command("/usr/bin/cargo");
                let path = std::env::var("PATH").unwrap_or_default();
                cargo.env("PATH", format!("/usr/bin:/bin:{path}")).env("RUSTC", "/usr/bin/rustc");
                // The sources of `core` may only be built along by a compiler that accepts unstable options.
                cargo.env("RUSTC_BOOTSTRAP", "1");
                // `cargo run` points the loader at its own compiler's libraries, which are not this compiler's.
                cargo.env_remove("LD_LIBRARY_PATH").env_remove("RUSTUP_TOOLCHAIN");
                cargo
            }
        };
        cargo.args(["build", "--target", TARGET]);
        if self == Toolchain::Debian {
            cargo.arg("-Zbuild-std=core,alloc");
        }
        cargo
    }
}

/// The first of the three that this machine has.
pub fn choose() -> Result<Toolchain> {
    if rustup_has_target() || sysroot_has_target() {
        return Ok(Toolchain::Installed);
    }
    if debian_is_complete() {
        return Ok(Toolchain::Debian);
    }
    bail!(
        "no compiler for {TARGET} on this machine; either of these installs one:\n  \
         rustup target add {TARGET}\n  \
         apt-get install -y --no-install-recommends {}",
        DEBIAN_PACKAGES.join(" ")
    )
}

fn rustup_has_target() -> bool {
    command::probe(command::command("rustup").args(["target", "list", "--installed"]))
        .is_some_and(|list| list.lines().any(|target| target.trim() == TARGET))
}

fn sysroot_has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    command::probe(command::command(rustc).args(["--print", "sysroot"]))
        .is_some_and(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir())
}

fn debian_is_complete() -> bool {
    // `exists` follows links: the packaged rust-lld dangles until the package with the linker itself is there.
    ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/bin/rust-lld", "/usr/lib/rustlib/src/rust/library/Cargo.toml"]
        .iter()
        .all(|path| Path::new(path).exists())
}
