//! An organization that has grown large while nobody looked: its first snapshot, its changes as deltas, and how long others
//! wait for decisions meanwhile.

use crate::adopt::{Answers, Asking, decision};
use crate::propagation::{Running, arrival, open, toggle, waited};
use anyhow::{Context as _, Result, ensure};
use sqlx::PgConnection;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Changes that are told as deltas. Even: each undoes the one before.
const CHANGES: usize = 20;
/// A first snapshot takes less, or is none.
const FIRST: Duration = Duration::from_secs(900);

/// Rows of a table. `other`: the key of an organization that is asked about all the time.
pub(crate) async fn measured(
    connection: &mut PgConnection,
    gateway: &Running,
    organization: &'static str,
    key: &str,
    other: &str,
) -> Result<String> {
    let others = || Asking::start(gateway.address(), vec![("other", other.to_owned())]);
    let before = gateway.memory()?;
    let asking = others().await?;
    let start = Instant::now();
    while !decision(gateway.address(), organization, key).await.unwrap_or(false) {
        ensure!(start.elapsed() < FIRST, "no first snapshot within {FIRST:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let first = start.elapsed().as_secs_f64();
    eprintln!("large: first decision after {first:.1} s");
    let building = asking.stop().await?;
    let held = gateway.memory()?;
    let bytes = length(gateway, organization, key).await?;
    eprintln!("large: {bytes} bytes");

    let (told, mut news) = mpsc::unbounded_channel();
    let path = format!("/v1/organizations/{organization}/stream?deltas=true");
    open(gateway.address(), &path, key, told).await?;
    arrival(&mut news).await?;
    let both = vec![("other", other.to_owned()), (organization, key.to_owned())];
    let asking = Asking::start(gateway.address(), both).await?;
    let mut latencies = Vec::new();
    for count in 0..CHANGES {
        let (revision, at) = toggle(connection, organization, "user:bob", count).await?;
        latencies.push(waited(&mut news, revision, at).await?);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    latencies.sort_by(f64::total_cmp);
    let telling = asking.stop().await?;
    let mut text = format!(
        "| first snapshot of `{organization}` afterwards, to the first decision | {first:.1} s |\n\
         | its size | {:.1} MiB |\n\
         | gateway, resident: before, with it, after {CHANGES} changes | {:.0}, {:.0}, {:.0} MiB |\n\
         | a change from its commit to a follower as a delta: p50, max | {:.0} ms, {:.0} ms |\n",
        bytes as f64 / 1_048_576.0,
        before / 1024.0,
        held / 1024.0,
        gateway.memory()? / 1024.0,
        latencies[CHANGES / 2],
        latencies[CHANGES - 1],
    );
    rows(&mut text, "while its first snapshot is built", &building);
    rows(&mut text, "while its changes are told", &telling);
    Ok(text)
}

/// What was answered, in words.
pub(crate) fn rows(text: &mut String, when: &str, answers: &[Answers]) {
    for answer in answers {
        let (organization, count, refused) = (answer.organization, answer.latencies.len(), answer.refused);
        let (p50, p99, max) = (answer.at(0.5), answer.at(0.99), answer.at(1.0));
        let _ = writeln!(
            text,
            "| decisions about `{organization}` {when}: asked, refused, p50, p99, max | {count}, {refused}, {p50:.1} ms, {p99:.1} ms, {max:.1} ms |"
        );
    }
}

/// Bytes of the snapshot.
async fn length(gateway: &Running, organization: &str, key: &str) -> Result<usize> {
    let mut stream = TcpStream::connect(gateway.address()).await?;
    let request = format!(
        "GET /v1/organizations/{organization}/snapshot HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {key}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = vec![0; 4096];
    let count = stream.read(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..count]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.with_context(|| format!("no length: {head}"))?.trim().parse().context("the length")
}
