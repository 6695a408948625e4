//! Adopting sessions: what `postern adopt` takes beside a plain INSERT … SELECT of the same facts in the same Postgres.
//!
//! The run is killed at three random moments and begun again; what it then has made is compared with what the plain
//! statements made, and taken back. Meanwhile a gateway on the same database is asked for decisions, about another
//! organization, and where the organization is small enough to be compiled all the time, about the one that grows.

use crate::large;
use crate::propagation::Running;
use anyhow::{Context as _, Result, ensure};
use postern_gateway::access::{KEY_PREFIX, key_digest};
use postern_gateway::cli::{AdoptArgs, adopt};
use postern_gateway::config::DatabaseArgs;
use postern_gateway::embedded::{Options, Server};
use postern_gateway::store;
use postern_gateway::store::credentials::{NewApiKey, create_api_key};
use postern_world::World;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How the child knows that it is one: a plan, the source, the database, and perhaps `revert`.
const ARGUMENTS: &str = "POSTERN_BENCH_ADOPT";
/// Sessions up to which the growing organization is asked about as well.
const FOLLOWED: usize = 500_000;
const USERS: usize = 10_000;
const PROJECTS: usize = 200;
/// Between questions.
const BETWEEN: Duration = Duration::from_millis(50);

const PLAN: &str = r#"
format = "postern-adopt/1"
name = "sessions"
organization = "cluster"

[[query]]
name = "sessions"
sql = "SELECT id, user_uuid, group_id FROM legacy.sessions"
key = ["id"]

[[query.resource]]
type = "session"
id = "{id}"

[[query.edge]]
child = { type = "session", id = "{id}" }
parent = { type = "user", id = "{user_uuid}" }

[[query.edge]]
child = { type = "session", id = "{id}" }
parent = { type = "project", id = "{group_id}" }
"#;

/// The same facts without a plan: two statements, as a migration would have them.
const PLAIN: [&str; 2] = [
    "INSERT INTO resources (organization_id, resource_type, resource_id)
     SELECT 'cluster', 'session', id::text FROM legacy.sessions",
    "INSERT INTO resource_parents (organization_id, child_type, child_id, parent_type, parent_id)
     SELECT 'cluster', 'session', id::text, parent_type, parent_id::text FROM legacy.sessions,
         LATERAL (VALUES ('user', user_uuid), ('project', group_id)) AS parent (parent_type, parent_id)",
];

/// Equal facts have equal lines here; the ids of edges are random.
const FINGERPRINT: &str = "
    SELECT 'resources ' || count(*) || ' ' || coalesce(sum(hashtextextended(concat_ws(' ', organization_id,
        resource_type, resource_id, owner_id, attributes, active), 0)), 0) FROM resources
    UNION ALL SELECT 'edges ' || count(*) || ' ' || coalesce(sum(hashtextextended(concat_ws(' ', organization_id,
        child_type, child_id, parent_type, parent_id, relation, cap), 0)), 0) FROM resource_parents ORDER BY 1";

/// The whole measurement, as text.
pub(crate) fn run(sessions: usize) -> Result<String> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = std::env::temp_dir().join(format!("postern-bench-adopt-{}", std::process::id()));
    let options = Options {
        data_dir: folder.clone(),
        bin_dir: std::env::var_os("POSTERN_PG_BIN").map(Into::into),
        durable: true,
    };
    let result = runtime.block_on(async {
        let server = Server::start(&options).await.context("the embedded Postgres")?;
        let result = measure(server.url(), &folder, sessions).await;
        server.stop().await;
        result
    });
    let _ = std::fs::remove_dir_all(folder);
    result
}

async fn measure(url: &str, folder: &Path, sessions: usize) -> Result<String> {
    let base = url.rsplit_once('/').context("a URL without a database")?.0;
    let mut admin = store::connect(url).await?;
    admin.execute("CREATE DATABASE plain").await?;
    admin.execute("CREATE DATABASE adopted").await?;
    let (plain_url, adopted_url) = (format!("{base}/plain"), format!("{base}/adopted"));
    let mut plain = prepared(&plain_url).await?;
    let mut adopted = prepared(&adopted_url).await?;
    say("making the sessions");
    let made = format!(
        "CREATE SCHEMA legacy;
         CREATE TABLE legacy.sessions (id uuid PRIMARY KEY, user_uuid uuid NOT NULL, group_id uuid NOT NULL);
         INSERT INTO legacy.sessions SELECT md5('session ' || n)::uuid, md5('user ' || n % {USERS})::uuid,
             md5('project ' || n % {PROJECTS})::uuid FROM generate_series(1, {sessions}) AS n;
         ANALYZE legacy.sessions"
    );
    plain.execute(AssertSqlSafe(made)).await?;
    plain.execute("CHECKPOINT").await?;
    let before = fingerprint(&mut adopted).await?;

    let mut plain_seconds = Vec::new();
    for statement in PLAIN {
        let start = Instant::now();
        plain.execute(statement).await?;
        plain_seconds.push(start.elapsed().as_secs_f64());
        say(&format!("plain: {:.1} s", start.elapsed().as_secs_f64()));
    }
    let expected = fingerprint(&mut plain).await?;
    // Only the sessions are needed from here on, and the disk may be.
    plain.execute("TRUNCATE resources CASCADE; CHECKPOINT").await?;

    let plan = folder.join("plan.toml");
    std::fs::write(&plan, PLAN)?;
    let other = key_of(&mut adopted, "other").await?;
    let cluster = key_of(&mut adopted, "cluster").await?;
    let gateway = Running::start(&adopted_url)?;
    let mut organizations = vec![("other", other.clone())];
    if sessions <= FOLLOWED {
        organizations.push(("cluster", cluster.clone()));
    }
    let asking = Asking::start(gateway.address(), organizations).await?;
    let ran = killed_and_resumed(&plan, &plain_url, &adopted_url, plain_seconds.iter().sum()).await?;
    let same = fingerprint(&mut adopted).await? == expected;
    ensure!(same, "the facts are not those of the plain statements");
    say("the facts are those of the plain statements");
    let answers = asking.stop().await?;
    let large = large::measured(&mut adopted, &gateway, "cluster", &cluster, &other).await?;
    // What follows changes millions of facts of an organization that nobody asks about any more.
    drop(gateway);
    let gateway = Running::start(&adopted_url)?;

    let asking = Asking::start(gateway.address(), vec![("other", other)]).await?;
    let start = Instant::now();
    let mut child = spawn(&plan, &plain_url, &adopted_url, true)?;
    let reverted = watched(&mut child, None).await?;
    ensure!(reverted.ended, "the revert failed");
    let revert_seconds = start.elapsed().as_secs_f64();
    let untouched = fingerprint(&mut adopted).await? == before;
    ensure!(untouched, "the revert touched what the plan did not make");
    let reverting = asking.stop().await?;
    let plain_total: f64 = plain_seconds.iter().sum();
    let facts = sessions * 3;
    let mut text = format!(
        "### Adopting {sessions} sessions: {facts} facts\n\n\
         | | |\n| --- | ---: |\n\
         | plain INSERT … SELECT, resources | {:.1} s |\n\
         | plain INSERT … SELECT, edges | {:.1} s |\n\
         | `postern adopt`, all of it, killed {} times | {:.1} s |\n\
         | ratio (at most 2) | {:.2} |\n\
         | sessions a second | {:.0} |\n\
         | facts a second | {:.0} |\n\
         | resident, after a tenth of the time | {:.1} MiB |\n\
         | resident, at most | {:.1} MiB |\n\
         | `postern adopt --revert` | {revert_seconds:.1} s |\n",
        plain_seconds[0],
        plain_seconds[1],
        ran.kills,
        ran.seconds,
        ran.seconds / plain_total,
        sessions as f64 / ran.seconds,
        facts as f64 / ran.seconds,
        ran.early_kib / 1024.0,
        ran.peak_kib / 1024.0,
    );
    large::rows(&mut text, "while adopting", &answers);
    text.push_str(&large);
    large::rows(&mut text, "while reverting", &reverting);
    Ok(text)
}

fn say(text: &str) {
    eprintln!("adopt: {text}");
}

/// The schema, with people and projects, one edge that nobody adopted, and another organization.
async fn prepared(url: &str) -> Result<PgConnection> {
    store::migrate(url).await?;
    let mut connection = store::connect(url).await?;
    let catalog = r#""catalog": {"types": {"user": {"scope": true}, "project": {"scope": true}, "session": {}},
        "permissions": {"project:read": {}}}"#;
    for organization in ["cluster", "other"] {
        let text = format!(
            r#"{{"format": "postern-world/1", "organization": "{organization}", "revision": 1, {catalog},
            "subjects": [], "memberships": [], "resources": [{{"type": "project", "id": "p"}}],
            "roles": [{{"id": "role:reader", "name": "Reader", "permissions": ["project:read"]}}],
            "assignments": [{{"subject": "user:ann", "role": "role:reader", "at": {{"type": "project", "id": "p"}}}}],
            "grants": []}}"#
        );
        let world = World::parse(text.as_bytes()).map_err(|error| anyhow::anyhow!("{error}"))?;
        store::import::import(&mut connection, &world, false).await?;
    }
    let parents = format!(
        "INSERT INTO resources (organization_id, resource_type, resource_id)
         SELECT 'cluster', 'user', md5('user ' || n)::uuid::text FROM generate_series(0, {USERS} - 1) AS n
         UNION ALL SELECT 'cluster', 'project', md5('project ' || n)::uuid::text FROM generate_series(0, {PROJECTS} - 1) AS n;
         INSERT INTO resource_parents (organization_id, child_type, child_id, parent_type, parent_id)
         SELECT 'cluster', 'user', md5('user 0')::uuid::text, 'project', md5('project 0')::uuid::text"
    );
    connection.execute(AssertSqlSafe(parents)).await?;
    connection.execute("VACUUM ANALYZE").await?;
    Ok(connection)
}

async fn fingerprint(connection: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(FINGERPRINT).fetch_all(connection).await?)
}

async fn key_of(connection: &mut PgConnection, organization: &str) -> Result<String> {
    let number: i64 = sqlx::query_scalar("SELECT count(*) FROM api_keys").fetch_one(&mut *connection).await?;
    let key = format!("{KEY_PREFIX}{number:043}");
    let new = NewApiKey {
        organization,
        name: "benchmark",
        prefix: &key[..18],
        digest: &key_digest(&key),
        can_write: false,
        subject: None,
        ttl_seconds: None,
    };
    create_api_key(connection, &new).await?.context("the organization is gone")?;
    Ok(key)
}

/// What the killed run came to.
struct Ran {
    seconds: f64,
    kills: usize,
    early_kib: f64,
    peak_kib: f64,
}

async fn killed_and_resumed(plan: &Path, source: &str, target: &str, plain_seconds: f64) -> Result<Ran> {
    let mut ran = Ran { seconds: 0.0, kills: 0, early_kib: 0.0, peak_kib: 0.0 };
    // Three moments in the time that the plain statements took, at random but the same every time.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 1000) as f64 / 1000.0
    };
    let pauses: Vec<f64> = (0..3).map(|_| plain_seconds * (0.05 + 0.2 * random())).collect();
    for pause in pauses.into_iter().map(Some).chain([None]) {
        let start = Instant::now();
        let mut child = spawn(plan, source, target, false)?;
        let watched = watched(&mut child, pause.map(Duration::from_secs_f64)).await?;
        ran.seconds += start.elapsed().as_secs_f64();
        ran.peak_kib = ran.peak_kib.max(watched.peak_kib);
        if ran.early_kib == 0.0 {
            ran.early_kib = watched.early_kib;
        }
        match (watched.ended, pause) {
            (true, _) => return Ok(ran),
            (false, Some(pause)) => {
                ran.kills += 1;
                say(&format!("killed after {pause:.1} s"));
            }
            (false, None) => anyhow::bail!("the last run failed"),
        }
    }
    Ok(ran)
}

fn spawn(plan: &Path, source: &str, target: &str, revert: bool) -> Result<Child> {
    let what = if revert { "revert" } else { "" };
    let arguments = format!("{}\n{source}\n{target}\n{what}", plan.display());
    let executable = std::env::current_exe()?;
    Ok(Command::new(executable).env(ARGUMENTS, arguments).stdout(Stdio::null()).spawn()?)
}

struct Watched {
    ended: bool,
    early_kib: f64,
    peak_kib: f64,
}

/// Waits for a child, or kills it after a time. Its memory is looked at all along.
async fn watched(child: &mut Child, kill_after: Option<Duration>) -> Result<Watched> {
    let start = Instant::now();
    let mut watched = Watched { ended: false, early_kib: 0.0, peak_kib: 0.0 };
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "the child ended with {status}");
            watched.ended = true;
            return Ok(watched);
        }
        if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0);
            watched.peak_kib = watched.peak_kib.max(kib);
            let early = kill_after.map_or(Duration::from_secs(5), |limit| limit / 2);
            if start.elapsed() < early {
                watched.early_kib = kib;
            }
        }
        if kill_after.is_some_and(|limit| start.elapsed() > limit) {
            child.kill()?;
            child.wait()?;
            return Ok(watched);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Set in the child.
pub(crate) fn arguments_of_child() -> Option<String> {
    std::env::var(ARGUMENTS).ok()
}

/// `postern adopt` in a process of its own.
pub(crate) fn child(arguments: &str) -> Result<()> {
    let lines: Vec<&str> = arguments.split('\n').collect();
    let [plan, source, target, what] = lines[..] else { anyhow::bail!("the child has no arguments") };
    let args = AdoptArgs {
        plan: plan.into(),
        source: Some(source.to_owned()),
        dry_run: false,
        verify: false,
        revert: what == "revert",
        batch: 4000,
        database: DatabaseArgs {
            database_url: Some(target.to_owned()),
            data_dir: std::env::temp_dir(),
            pg_bin: None,
        },
    };
    Ok(tokio::runtime::Runtime::new()?.block_on(adopt(args))?)
}

/// What was answered about one organization.
pub(crate) struct Answers {
    pub(crate) organization: &'static str,
    pub(crate) refused: usize,
    /// Milliseconds, sorted.
    pub(crate) latencies: Vec<f64>,
}

impl Answers {
    pub(crate) fn at(&self, part: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * part).ceil() as usize).copied().unwrap_or(f64::NAN)
    }
}

/// Asks for decisions until it is stopped.
pub(crate) struct Asking {
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<Result<Answers>>>,
}

impl Asking {
    pub(crate) async fn start(
        address: SocketAddr,
        organizations: Vec<(&'static str, String)>,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for (organization, key) in organizations {
            // The first state is there before it counts.
            decision(address, organization, &key).await?;
            let stop = stop.clone();
            tasks.push(tokio::spawn(async move {
                let mut answers = Answers { organization, refused: 0, latencies: Vec::new() };
                while !stop.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    let allowed = decision(address, organization, &key).await.unwrap_or(false);
                    answers.latencies.push(start.elapsed().as_secs_f64() * 1000.0);
                    answers.refused += usize::from(!allowed);
                    tokio::time::sleep(BETWEEN).await;
                }
                answers.latencies.sort_by(f64::total_cmp);
                Ok(answers)
            }));
        }
        Ok(Asking { stop, tasks })
    }

    pub(crate) async fn stop(self) -> Result<Vec<Answers>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for task in self.tasks {
            all.push(task.await??);
        }
        Ok(all)
    }
}

/// Whether the right decision came, over a connection of its own.
pub(crate) async fn decision(address: SocketAddr, organization: &str, key: &str) -> Result<bool> {
    let body = r#"{"subject": {"type": "user", "id": "ann"}, "action": {"name": "read"}, "resource": {"type": "project", "id": "p"}}"#;
    let request = format!(
        "POST /orgs/{organization}/access/v1/evaluation HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200") && answer.contains("\"decision\":true"))
}
