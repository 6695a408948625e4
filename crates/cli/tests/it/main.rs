//! The command line as `docs/semantics.md` section 6 promises it: what goes in, what comes out, and the exit code.

mod adopt;
mod check;
mod codegen;
mod directory;
mod examples;
mod preflight;
mod settings;
mod snapshot;
mod statement;
mod vault_key;

use postern_gateway::embedded::{EmbeddedError, Options, Server};
use sqlx::{Connection, Executor, PgConnection};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// A directory that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("postern-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn postern(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postern")).args(arguments).env_remove("POSTERN_WASM").output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The one line on standard error of a command that failed as it should.
fn complaint(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr.trim_end().strip_prefix("postern: ").expect("whose complaint it is").to_string()
}

/// A Postgres of these tests, as soon as no other test has it.
async fn server() -> Server {
    let options = Options {
        data_dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-it"),
        bin_dir: std::env::var_os("POSTERN_PG_BIN").map(Into::into),
        durable: false,
    };
    loop {
        match Server::start(&options).await {
            Err(EmbeddedError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(500)).await,
            started => break started.unwrap(),
        }
    }
}

/// An empty database in it; the address.
async fn fresh(server: &Server, name: &str) -> String {
    let mut admin = PgConnection::connect(server.url()).await.unwrap();
    for statement in
        [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")]
    {
        admin.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }
    format!("{}/{name}", server.url().rsplit_once('/').unwrap().0)
}
