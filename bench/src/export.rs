//! Reading an organization out of Postgres: what the same rows take with COPY, as a snapshot, and as a document.
//!
//! The parent starts a Postgres of its own and fills it; a child reads, so that the peak of its memory is that of
//! reading.

use crate::report::{Other, table_of};
use anyhow::{Context as _, Result, ensure};
use futures_util::TryStreamExt;
use postern_gateway::cli::{WorldExportArgs, world_export};
use postern_gateway::config::DatabaseArgs;
use postern_gateway::embedded::{Options, Server};
use postern_gateway::publish::compile;
use postern_gateway::store;
use postern_testkit::workload::generate;
use serde_json::{Value, json};
use sqlx::Connection;
use std::process::Command;
use std::time::Instant;

const ORGANIZATION: &str = "workload";
/// How the child knows that it is one.
const URL: &str = "POSTERN_BENCH_EXPORT";
/// Times that each way of reading is tried; the best counts.
const GOES: usize = 3;

/// The columns that an export reads, of the tables that grow with the users, as they lie there.
const ROWS: [&str; 4] = [
    "COPY (SELECT subject_id, attributes, active, not_before, expires_at FROM subjects
        WHERE organization_id = 'workload') TO STDOUT (FORMAT binary)",
    "COPY (SELECT subject_id, role_id, at_type, at_id, active, not_before, expires_at FROM assignments
        WHERE organization_id = 'workload') TO STDOUT (FORMAT binary)",
    "COPY (SELECT grant_id, subject_id, effect, at_type, at_id, conditions, require, own, session_id, active,
        not_before, expires_at FROM grants WHERE organization_id = 'workload') TO STDOUT (FORMAT binary)",
    "COPY (SELECT grant_id, permission FROM grant_permissions
        WHERE organization_id = 'workload') TO STDOUT (FORMAT binary)",
];

/// The whole measurement, as a table in Markdown.
pub(crate) fn run(users: usize) -> Result<String> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = std::env::temp_dir().join(format!("postern-bench-export-{}", std::process::id()));
    let result = runtime.block_on(filled(
        users,
        Options {
            data_dir: folder.clone(),
            bin_dir: std::env::var_os("POSTERN_PG_BIN").map(Into::into),
            durable: false,
        },
    ));
    let _ = std::fs::remove_dir_all(folder);
    let (imported, measured) = result?;
    let mut others = vec![Other {
        name: "importing it, set by set (for comparison)".to_owned(),
        value: imported,
        unit: "s",
        budget: None,
    }];
    for row in measured {
        let text = |index: usize| row.get(index).and_then(Value::as_str).unwrap_or_default();
        others.push(Other {
            name: text(0).to_owned(),
            value: row.get(1).and_then(Value::as_f64).unwrap_or(f64::NAN),
            unit: match text(2) {
                "s" => "s",
                "MB" => "MB",
                _ => "",
            },
            budget: row.get(3).and_then(Value::as_f64),
        });
    }
    Ok(format!("### Reading {users} users out of Postgres\n\n{}", table_of(&others)))
}

/// Fills a database and lets the child read it.
async fn filled(users: usize, options: Options) -> Result<(f64, Vec<Vec<Value>>)> {
    let server = Server::start(&options).await.context("the embedded Postgres")?;
    let url = server.url().to_owned();
    let result = async {
        store::migrate(&url).await?;
        let world = generate(users, 0, 1).world();
        let mut connection = store::connect(&url).await?;
        let start = Instant::now();
        store::import::import(&mut connection, &world, false).await?;
        let imported = start.elapsed().as_secs_f64();
        drop(world);
        // As the server itself does soon after so many changes: a plan without statistics is nobody's measure.
        sqlx::query("VACUUM ANALYZE").execute(&mut connection).await?;
        connection.close().await?;
        let child = Command::new(std::env::current_exe()?).env(URL, &url).output()?;
        ensure!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        let rows = serde_json::from_slice(&child.stdout).context("what the child measured")?;
        anyhow::Ok((imported, rows))
    }
    .await;
    server.stop().await;
    result
}

/// Set in the child.
pub(crate) fn url_of_child() -> Option<String> {
    std::env::var(URL).ok()
}

/// Measures, and prints rows of name, value, unit and budget.
pub(crate) fn child(url: &str) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    println!("{}", runtime.block_on(measure(url))?);
    Ok(())
}

async fn measure(url: &str) -> Result<Value> {
    let mut connection = store::connect(url).await?;
    let (mut copied, mut compiled, mut written) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    let (mut bytes, mut snapshot_bytes) = (0, 0);
    for _ in 0..GOES {
        let start = Instant::now();
        bytes = 0;
        for statement in ROWS {
            let mut stream = connection.copy_out_raw(statement).await?;
            while let Some(chunk) = stream.try_next().await? {
                bytes += chunk.len();
            }
        }
        copied = copied.min(start.elapsed().as_secs_f64());
    }
    reset_peak();
    let document = std::env::temp_dir().join(format!("postern-bench-{}.json", std::process::id()));
    for _ in 0..GOES {
        let start = Instant::now();
        world_export(WorldExportArgs {
            organization: ORGANIZATION.to_owned(),
            output: Some(document.clone()),
            database: DatabaseArgs {
                database_url: Some(url.to_owned()),
                data_dir: std::env::temp_dir(),
                pg_bin: None,
            },
        })
        .await?;
        written = written.min(start.elapsed().as_secs_f64());
    }
    let document_peak = peak_mb();
    let document_bytes = std::fs::metadata(&document)?.len();
    std::fs::remove_file(&document)?;
    reset_peak();
    for _ in 0..GOES {
        let start = Instant::now();
        let state =
            compile(&mut connection, ORGANIZATION, &mut None).await?.context("the organization is gone")?;
        compiled = compiled.min(start.elapsed().as_secs_f64());
        snapshot_bytes = state.snapshot.bytes.len();
    }
    let compile_peak = peak_mb();
    connection.close().await?;
    let mb = |bytes: f64| bytes / 1e6;
    Ok(json!([
        ["the same rows with COPY", copied, "s"],
        ["the same rows, size", mb(bytes as f64), "MB"],
        ["rows to an opened snapshot", compiled, "s"],
        ["rows to an opened snapshot, x COPY", compiled / copied, "", 3],
        ["snapshot, size", mb(snapshot_bytes as f64), "MB"],
        ["rows to an opened snapshot, peak memory", compile_peak, "MB"],
        ["rows to a world document on disk", written, "s"],
        ["rows to a world document, x COPY", written / copied, "", 3],
        ["world document, size", mb(document_bytes as f64), "MB"],
        ["rows to a world document, peak memory", document_peak, "MB"],
    ]))
}

/// Makes the kernel forget the peak so far. Where it cannot, the peak is that of everything until now.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that this process has held since then.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1e3)
}
