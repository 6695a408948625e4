//! From a commit in Postgres to the changed bytes at who follows: one, a hundred, ten thousand streams of slices, or of
//! whole snapshots as deltas.
//!
//! The gateway runs in a child, so that its memory is its own; Postgres and the followers share the machine with it.
//! Followers read what comes and look for the revision, they decode nothing. A stream is a connection, of which a
//! process may have as many as `ulimit -n` says.

use anyhow::{Context as _, Result, bail, ensure};
use postern_gateway::access::{KEY_PREFIX, key_digest};
use postern_gateway::app::Gateway;
use postern_gateway::clock::now_seconds;
use postern_gateway::config::Config;
use postern_gateway::embedded::{Options, Server};
use postern_gateway::store::credentials::{NewApiKey, create_api_key, signing_key_for};
use postern_gateway::{store, token};
use postern_testkit::workload::generate;
use postern_world::World;
use sqlx::{Connection, PgConnection};
use std::fmt::Write as _;
use std::io::BufRead as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const USERS: usize = 10_000;
const ORGANIZATION: &str = "workload";
/// How the child knows that it is one.
const URL: &str = "POSTERN_BENCH_PROPAGATION";
/// Numbers of followers.
const FOLLOWERS: [usize; 3] = [1, 100, 10_000];
/// Commits that concern one follower, and commits that concern all. Both even: each undoes the one before.
const COMMITS: (usize, usize) = (30, 6);
/// A change that has not arrived by then is lost.
const LOST: Duration = Duration::from_secs(120);

/// What one number of followers saw.
struct Seen {
    what: &'static str,
    followers: usize,
    /// Milliseconds from the commit to the follower, sorted.
    latencies: Vec<f64>,
    /// Of the gateway, for each follower.
    memory: Option<f64>,
}

/// A revision arrived.
pub(crate) struct Arrival {
    revision: u64,
    at: Instant,
}

/// The whole measurement, as a table in Markdown.
pub(crate) fn run() -> Result<String> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = std::env::temp_dir().join(format!("postern-bench-propagation-{}", std::process::id()));
    let options = Options {
        data_dir: folder.clone(),
        bin_dir: std::env::var_os("POSTERN_PG_BIN").map(Into::into),
        durable: true,
    };
    let result = runtime.block_on(async {
        let server = Server::start(&options).await.context("the embedded Postgres")?;
        let result = with_postgres(server.url()).await;
        server.stop().await;
        result
    });
    let _ = std::fs::remove_dir_all(folder);
    Ok(table(&result?))
}

async fn with_postgres(url: &str) -> Result<Vec<Seen>> {
    store::migrate(url).await?;
    let mut connection = store::connect(url).await?;
    let world = generate(USERS, 0, 1).world();
    store::import::import(&mut connection, &world, false).await?;
    let key = format!("{KEY_PREFIX}{:043}", 0);
    let new = NewApiKey {
        organization: ORGANIZATION,
        name: "benchmark",
        prefix: &key[..18],
        digest: &key_digest(&key),
        can_write: false,
        subject: None,
        ttl_seconds: None,
    };
    create_api_key(&mut connection, &new).await?.context("the organization is gone")?;
    let signing =
        signing_key_for(&mut connection, ORGANIZATION, &[7; 32]).await?.context("no signing key")?;
    // As the server itself does soon after so many changes.
    sqlx::query("VACUUM ANALYZE").execute(&mut connection).await?;
    let mut seen = Vec::new();
    for followers in FOLLOWERS {
        let subjects: Vec<&str> = world.subjects.iter().map(|subject| &*subject.id).take(followers).collect();
        let tokens =
            subjects.iter().map(|subject| token::issue(&signing, subject, now_seconds(), token::TTL_MAX));
        let slices = tokens.map(|token| Ok(("/v1/me/stream", token?))).collect::<Result<Vec<_>>>()?;
        let gateway = Running::start(url)?;
        let what = ["a slice, its own change", "a slice, a change for everybody"];
        seen.extend(measure(&mut connection, &gateway, slices, subjects[0], what).await?);
        drop(gateway);
        if followers <= 100 {
            let whole = format!("/v1/organizations/{ORGANIZATION}/stream?deltas=true").leak();
            let whole = vec![(&*whole, key.clone()); followers];
            let gateway = Running::start(url)?;
            let what =
                ["the whole as deltas, one subject's change", "the whole as deltas, a change for everybody"];
            seen.extend(measure(&mut connection, &gateway, whole, subjects[0], what).await?);
        }
    }
    connection.close().await?;
    Ok(seen)
}

async fn measure(
    connection: &mut PgConnection,
    gateway: &Running,
    follow: Vec<(&str, String)>,
    subject: &str,
    [one, all]: [&'static str; 2],
) -> Result<[Seen; 2]> {
    let followers = follow.len();
    let whole = follow[0].0.contains("organizations");
    // The state is there before anybody is counted.
    let (first, mut news) = mpsc::unbounded_channel();
    open(gateway.address, follow[0].0, &follow[0].1, first).await?;
    arrival(&mut news).await?;
    let before = gateway.memory()?;
    let (told, mut arrivals) = mpsc::unbounded_channel();
    for (path, bearer) in &follow[1..] {
        open(gateway.address, path, bearer, told.clone()).await?;
    }
    for _ in 1..followers {
        arrival(&mut arrivals).await?;
    }
    let memory = (followers >= 100).then_some((gateway.memory()? - before) / (followers - 1) as f64);

    let mut own = Vec::new();
    for count in 0..COMMITS.0 {
        let (revision, at) = toggle(connection, ORGANIZATION, subject, count).await?;
        own.push(waited(&mut news, revision, at).await?);
        if whole {
            for _ in 1..followers {
                own.push(waited(&mut arrivals, revision, at).await?);
            }
        }
        // A moment of rest, so that one change is not another's queue.
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let mut everybody = Vec::new();
    for count in 0..COMMITS.1 {
        let (revision, at) = toggle(connection, ORGANIZATION, "user:all", count).await?;
        everybody.push(waited(&mut news, revision, at).await?);
        for _ in 1..followers {
            everybody.push(waited(&mut arrivals, revision, at).await?);
        }
    }
    let seen = |what, mut latencies: Vec<f64>, memory| {
        latencies.sort_by(f64::total_cmp);
        Seen { what, followers, latencies, memory }
    };
    Ok([seen(one, own, memory), seen(all, everybody, None)])
}

/// Grants a subject everything, or takes that away again. Gives the revision, and the moment when the database had said
/// that it is committed.
pub(crate) async fn toggle(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
    count: usize,
) -> Result<(u64, Instant)> {
    let sql = match count % 2 {
        0 => {
            "WITH made AS (INSERT INTO grants (organization_id, grant_id, subject_id, effect)
                VALUES ($2, '00000000-0000-4000-8000-000000000001', $1, 'allow') RETURNING grant_id)
             INSERT INTO grant_permissions (organization_id, grant_id, permission)
             SELECT $2, grant_id, '*' FROM made"
        }
        _ => {
            "DELETE FROM grants WHERE organization_id = $2 AND subject_id = $1
                AND grant_id = '00000000-0000-4000-8000-000000000001'"
        }
    };
    let mut transaction = connection.begin().await?;
    let done = sqlx::query(sql).bind(subject).bind(organization).execute(&mut *transaction).await?;
    ensure!(done.rows_affected() == 1, "the change changed {} rows", done.rows_affected());
    let revision = store::heads::revision(&mut transaction, organization).await?;
    transaction.commit().await?;
    Ok((revision.context("the organization is gone")?, Instant::now()))
}

pub(crate) async fn arrival(arrivals: &mut mpsc::UnboundedReceiver<Arrival>) -> Result<Arrival> {
    let arrival = tokio::time::timeout(LOST, arrivals.recv()).await.context("nothing arrived")?;
    arrival.context("a stream ended")
}

/// Milliseconds from a commit to the next arrival of its revision, or of a later one.
pub(crate) async fn waited(
    arrivals: &mut mpsc::UnboundedReceiver<Arrival>,
    revision: u64,
    committed: Instant,
) -> Result<f64> {
    loop {
        let arrival = arrival(arrivals).await?;
        if arrival.revision >= revision {
            return Ok(arrival.at.saturating_duration_since(committed).as_secs_f64() * 1000.0);
        }
    }
}

/// Opens a stream, and tells of the revisions that come on it.
pub(crate) async fn open(
    address: SocketAddr,
    path: &str,
    bearer: &str,
    told: mpsc::UnboundedSender<Arrival>,
) -> Result<()> {
    let mut stream = TcpStream::connect(address).await.context("`ulimit -n` has to be above 12,000")?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {bearer}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    tokio::spawn(async move {
        let mut buffer = vec![0; 4096];
        let mut line = Vec::new();
        loop {
            let Ok(count @ 1..) = stream.read(&mut buffer).await else { return };
            for byte in &buffer[..count] {
                if *byte != b'\n' {
                    // No line that matters here is longer.
                    if line.len() < 32 {
                        line.push(*byte);
                    }
                    continue;
                }
                let id = std::str::from_utf8(&line).ok().and_then(|line| line.trim().strip_prefix("id: "));
                if let Some(revision) = id.and_then(|id| id.parse().ok()) {
                    let _ = told.send(Arrival { revision, at: Instant::now() });
                }
                line.clear();
            }
        }
    });
    Ok(())
}

/// A gateway in a process of its own.
pub(crate) struct Running {
    child: Child,
    address: SocketAddr,
}

impl Running {
    pub(crate) fn start(url: &str) -> Result<Self> {
        let mut child =
            Command::new(std::env::current_exe()?).env(URL, url).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().context("the child has no output")?;
        let mut line = String::new();
        std::io::BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().parse().context("the gateway did not start")?;
        Ok(Running { child, address })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resident, in KiB.
    pub(crate) fn memory(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Set in the child.
pub(crate) fn url_of_child() -> Option<String> {
    std::env::var(URL).ok()
}

/// Serves with the defaults of `postern serve`, until it is killed.
pub(crate) fn child(url: &str) -> Result<()> {
    let config = Config {
        listen: "127.0.0.1:0".parse()?,
        poll: Duration::from_millis(50),
        connections: 10,
        allowed_origins: Vec::new(),
        default_organization: None,
        catalog: World::default(),
        public_url: None,
        mapping: Default::default(),
        stale_after: Duration::from_secs(60),
        metrics_listen: None,
        shared_caches: false,
        decision_log: Default::default(),
        otlp_endpoint: None,
        limits: Default::default(),
        issuers: None,
        web_page: None,
        vault_keys: None,
        webhook_targets: Vec::new(),
        console: None,
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        let gateway = Gateway::start(config, url).await?;
        println!("{}", gateway.address());
        std::future::pending::<()>().await;
        bail!("never")
    })
}

fn table(seen: &[Seen]) -> String {
    let mut text = format!(
        "### From a commit to who follows, an organization of {USERS} users\n\n\
         Milliseconds; {} commits for one, {} for everybody. Memory: of the gateway, resident.\n\n\
         | followers | of | p50 | p99 | max | KiB a follower |\n| ---: | --- | ---: | ---: | ---: | ---: |\n",
        COMMITS.0, COMMITS.1
    );
    for seen in seen {
        let at = |part: f64| {
            let last = seen.latencies.len().saturating_sub(1);
            seen.latencies.get((last as f64 * part).ceil() as usize).copied().unwrap_or(f64::NAN)
        };
        let memory = seen.memory.map_or(String::new(), |memory| format!("{memory:.1}"));
        let (followers, what) = (seen.followers, seen.what);
        let _ = writeln!(
            text,
            "| {followers} | {what} | {:.0} | {:.0} | {:.0} | {memory} |",
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    text
}
