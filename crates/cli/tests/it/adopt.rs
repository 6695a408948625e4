//! `postern adopt` as a program: killed in the middle of its work, and begun again.

use crate::{Folder, text};
use postern_gateway::embedded::{EmbeddedError, Options, Server};
use sqlx::{Connection, Executor, PgConnection};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/adopt");
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.args(arguments);
    command
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The facts of an organization, without the revision: a run in pieces has more transactions.
fn export(url: &str, organization: &str) -> String {
    let arguments = ["world", "export", "--organization", organization, "--database-url", url];
    let document = succeeded(&command(&arguments).output().unwrap());
    document.lines().filter(|line| !line.contains("\"revision\"")).collect::<Vec<_>>().join("\n")
}

async fn fresh(server: &Server, name: &str) -> String {
    let mut admin = PgConnection::connect(server.url()).await.unwrap();
    for statement in
        [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")]
    {
        admin.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }
    format!("{}/{name}", server.url().rsplit_once('/').unwrap().0)
}

/// xorshift: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn killed_three_times_and_begun_again_the_facts_are_the_same() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let seed =
        std::env::var("POSTERN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now as u64 | 1);
    println!("POSTERN_SEED={seed}");
    let mut random = Random(seed);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let options = Options {
            data_dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-it"),
            bin_dir: std::env::var_os("POSTERN_PG_BIN").map(Into::into),
            durable: false,
        };
        let server = loop {
            match Server::start(&options).await {
                Err(EmbeddedError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(500)).await,
                started => break started.unwrap(),
            }
        };
        killed(&server, &mut random).await;
        server.stop().await;
    });
}

async fn killed(server: &Server, random: &mut Random) {
    let source = fresh(server, "adopt_source").await;
    let mut connection = PgConnection::connect(&source).await.unwrap();
    let schema = std::fs::read_to_string(format!("{EXAMPLES}/sessions/schema.sql")).unwrap();
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(schema))).await.unwrap();
    let (world, plan) = (format!("{EXAMPLES}/sessions/world.json"), format!("{EXAMPLES}/sessions/plan.toml"));
    let (whole, pieces) = (fresh(server, "adopt_whole").await, fresh(server, "adopt_pieces").await);
    for url in [&whole, &pieces] {
        succeeded(&command(&["world", "import", &world, "--database-url", url]).output().unwrap());
    }

    let run = |url: &str, batch: &str, more: &[&str]| {
        let mut command =
            command(&["adopt", &plan, "--source", &source, "--database-url", url, "--batch", batch]);
        command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let done: serde_json::Value =
        serde_json::from_str(&succeeded(&run(&whole, "4000", &[]).output().unwrap())).unwrap();
    assert_eq!(
        (&done["plan"], &done["resumed"], &done["kept"]),
        (&"sessions".into(), &false.into(), &0.into())
    );

    let mut watch = PgConnection::connect(&pieces).await.unwrap();
    let mut points: Vec<u64> = (0..3).map(|_| 5 + random.below(2200)).collect();
    points.sort_unstable();
    for point in points {
        let mut child = run(&pieces, "10", &[]).spawn().unwrap();
        let begun = Instant::now();
        loop {
            let read: i64 =
                sqlx::query_scalar("SELECT coalesce(sum(rows_read), 0)::int8 FROM adoption_queries")
                    .fetch_one(&mut watch)
                    .await
                    .unwrap();
            if read.unsigned_abs() >= point {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "stuck at {read} rows");
            assert!(child.try_wait().unwrap().is_none(), "it ended at {read} rows, before {point}");
        }
        std::thread::sleep(Duration::from_micros(random.below(8000)));
        // SIGKILL: nothing is tidied up.
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "it had ended before it was killed");
        assert_ne!(export(&pieces, "cluster"), export(&whole, "cluster"));
    }
    let last: serde_json::Value =
        serde_json::from_str(&succeeded(&run(&pieces, "100", &[]).output().unwrap())).unwrap();
    assert_eq!(last["resumed"], true);
    assert!(
        last["rows"].as_u64().unwrap() < done["rows"].as_u64().unwrap(),
        "it went on where it was: {last}"
    );
    assert_eq!(export(&pieces, "cluster"), export(&whole, "cluster"));
    let counted = "SELECT sum(rows_created)::int8 FROM adoption_rules";
    let created: i64 = sqlx::query_scalar(counted).fetch_one(&mut watch).await.unwrap();
    assert_eq!(created.unsigned_abs(), done["created"].as_u64().unwrap(), "each fact was counted once");
    command_line(&run, &pieces, &mut watch, &source).await;
}

/// What the options print, and the exit codes.
async fn command_line(
    run: &impl Fn(&str, &str, &[&str]) -> Command,
    url: &str,
    target: &mut PgConnection,
    source: &str,
) {
    let verified = succeeded(&run(url, "4000", &["--verify"]).output().unwrap());
    assert!(verified.contains("query sessions: 2500 rows, 2500 counted by the source\n"), "{verified}");
    assert!(
        verified.contains(
            "check who may read and delete which session: 4000 decisions, of which the source allows"
        )
    );
    assert!(verified.ends_with("; 0 disagree\nthe facts are what the source says\n"), "{verified}");
    let dry = succeeded(&run(url, "4000", &["--dry-run"]).output().unwrap());
    assert!(
        dry.contains("  edge 1: 2500 facts, 0 to be made, 2500 there already, 0 of them different\n"),
        "{dry}"
    );

    // The source denies what the facts allow.
    let mut connection = PgConnection::connect(source).await.unwrap();
    connection.execute("UPDATE roles SET status = 'inactive' WHERE name LIKE '%-admin'").await.unwrap();
    let output = run(url, "4000", &["--verify"]).output().unwrap();
    let (shown, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{shown}{said}");
    assert!(shown.contains("the source denies it, on the facts it is allowed (grant)"), "{shown}");
    assert!(
        said.ends_with("postern: the facts and the source disagree: see above. Run plan `sessions` again for what is missing\n"),
        "{said}"
    );

    let reverted: serde_json::Value =
        serde_json::from_str(&succeeded(&run(url, "4000", &["--revert"]).output().unwrap())).unwrap();
    assert_eq!((&reverted["left"], &reverted["others"]), (&0.into(), &0.into()));
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM resources").fetch_one(target).await.unwrap();
    assert_eq!(left, 0);

    let folder = Folder::new("adopt");
    let broken = folder.file("broken.toml", "format = \"postern-adopt/1\"\nnme = \"x\"\n");
    let output =
        command(&["adopt", text(&broken), "--source", source, "--database-url", url]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "postern: {}:1: `name` is missing in the plan: add `name = \"fleet\"`: the facts are known by it\n",
            broken.display()
        )
    );
}
