//! `postern adopt` as a program: killed in the middle of its work, and begun again.

use crate::{Folder, fresh, server, text};
use postern_gateway::embedded::Server;
use sqlx::{Connection, Executor, PgConnection};
use std::io::Read;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/adopt");
/// No program gets past a gate that is closed, a lock that the test holds, once it has read so many rows: however slow
/// the test is, the program is not at its end when it is killed.
const GATES: &str = "
    CREATE TABLE gates (gate bigint PRIMARY KEY, rows bigint NOT NULL);
    INSERT INTO gates VALUES (1, 0), (2, 0);
    CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(gate) FROM gates
            WHERE rows <= (SELECT sum(rows_read) FROM adoption_queries) ORDER BY gate;
            RETURN NULL;
        END
    $$;
    CREATE TRIGGER gate AFTER INSERT OR UPDATE ON adoption_queries FOR EACH STATEMENT EXECUTE FUNCTION gate();
";
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
        let server = server().await;
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
    watch.execute(sqlx::raw_sql(GATES)).await.unwrap();
    let mut points: Vec<i64> = (0..3).map(|_| 5 + random.below(2200).cast_signed()).collect();
    points.sort_unstable();
    for point in points {
        sqlx::query("UPDATE gates SET rows = CASE gate WHEN 1 THEN $1 ELSE $1 + 100 END")
            .bind(point)
            .execute(&mut watch)
            .await
            .unwrap();
        watch.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(2)").await.unwrap();
        let mut child = run(&pieces, "10", &[]).spawn().unwrap();
        until_it_waits(&mut watch, &mut child).await;
        watch.execute("SELECT pg_advisory_unlock(1)").await.unwrap();
        std::thread::sleep(Duration::from_micros(random.below(8000)));
        // SIGKILL: nothing is tidied up.
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "it had ended before it was killed");
        watch.execute("SELECT pg_advisory_unlock(2)").await.unwrap();
        assert_ne!(export(&pieces, "cluster"), export(&whole, "cluster"));
    }
    watch.execute("DROP TABLE gates CASCADE; DROP FUNCTION gate CASCADE").await.unwrap();
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

/// Until a program stands before the first gate, which is closed.
async fn until_it_waits(watch: &mut PgConnection, child: &mut Child) {
    let begun = Instant::now();
    let waits =
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND NOT granted)";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut *watch).await.unwrap() {
        assert!(begun.elapsed() < PATIENCE, "it does not come to the gate");
        if let Some(status) = child.try_wait().unwrap() {
            let mut told = String::new();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("it ended before the gate, {status}: {told}");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
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
