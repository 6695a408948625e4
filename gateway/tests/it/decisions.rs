//! The decision log, as the program writes it.

use crate::support::{Setup, config};
use postern_gateway::config::{Config, DecisionLogSettings, Destination, Which};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The decisions of a request, once there are so many.
    async fn of(&self, request: &str, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            let all = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let of: Vec<Value> = all.filter(|line| line["request_id"] == request).collect();
            if of.len() >= count {
                return of;
            }
            assert!(begun.elapsed() < crate::support::PATIENCE, "{request}: {text}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn decisions_are_written_with_who_asked_and_why() {
    let lines = Lines::default();
    let writer = lines.clone();
    // The only test that listens to the whole process.
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone());
    log.with_env_filter("off,postern::decision=info").try_init().unwrap();
    let all = DecisionLogSettings { which: Which::All, to: Destination::Both, ..Default::default() };
    let setup = Setup::with(Config { decision_log: all, ..config() }).await;
    let question = |subject: &str| {
        json!({"subject": {"type": "user", "id": subject}, "action": {"name": "read"},
            "resource": {"type": "site", "id": "s1"}})
    };
    let headers = [("x-request-id", "one")];
    let answer = setup.post("/access/v1/evaluation", &headers, &question("nobody").to_string()).await.json();
    let line = &lines.of("one", 1).await[0];
    assert_eq!(line["target"], "postern::decision");
    assert_eq!((&line["subject"], &line["permission"]), (&json!("user:nobody"), &json!("site:read")));
    assert_eq!((&line["resource_type"], &line["resource_id"]), (&json!("site"), &json!("s1")));
    assert_eq!((&line["decision"], &line["reason"]), (&json!("deny"), &answer["context"]["reason"]));
    assert_eq!((&line["organization"], &line["revision"]), (&json!("acme"), &json!(41)));
    assert_eq!(line["key"], setup.key[..18]);
    assert!(!line.to_string().contains(&setup.key[..30]), "the key itself is never written");
    // A batch is as many, in its order; what is no question is a denial.
    let batch = json!({"evaluations": [question("ann"), {"subject": 7}, question("nobody")]});
    let headers = [("x-request-id", "batch")];
    let answer = setup.post("/access/v1/evaluations", &headers, &batch.to_string()).await.json();
    let written = lines.of("batch", 3).await;
    assert_eq!(written.len(), 3);
    for (line, item) in written.iter().zip(answer["evaluations"].as_array().unwrap()) {
        assert_eq!(line["decision"] == "allow", item["decision"] == true, "{line} {item}");
    }
    assert_eq!((&written[1]["reason"], &written[1]["subject"]), (&json!("invalid_request"), &json!("")));
}

/// Everything that is kept, oldest first, once there is so much.
async fn kept(setup: &Setup, query: &str, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let page = setup.get(&format!("/v1/organizations/acme/decisions?{query}"), &setup.key).await.json();
        let mut items = page["items"].as_array().unwrap().clone();
        if items.len() >= count {
            items.reverse();
            return items;
        }
        assert!(begun.elapsed() < crate::support::PATIENCE, "{query}: {page}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn decisions_are_kept_in_the_database_for_as_long_as_wanted() {
    let settings = DecisionLogSettings { which: Which::All, to: Destination::Database, ..Default::default() };
    let mut setup = Setup::with(Config { decision_log: settings, ..config() }).await;
    let question = |subject: &str, resource: &str| {
        json!({"subject": {"type": "user", "id": subject}, "action": {"name": "read"},
            "resource": {"type": "site", "id": resource}})
    };
    // What Postgres has no place for is no reason to lose the others of its batch.
    let batch = json!({"evaluations": [question("ann", "s1"), question("no\u{0}body", "s1"), {"subject": 7},
        question("nobody", &"x".repeat(3000))]});
    let headers = [("x-request-id", "batch")];
    let answer = setup.post("/access/v1/evaluations", &headers, &batch.to_string()).await.json();
    let all = kept(&setup, "limit=10", 4).await;
    assert_eq!(all.len(), 4);
    let described = setup.get("/openapi.json", &setup.key).await.json();
    let described = crate::described::validator(&described, "DecisionEvent");
    for (kept, item) in all.iter().zip(answer["evaluations"].as_array().unwrap()) {
        assert_eq!(kept["decision"] == "allow", item["decision"] == true, "{kept} {item}");
        assert_eq!((&kept["request_id"], &kept["revision"]), (&json!("batch"), &json!(41)));
        assert_eq!(kept["asked_by"], setup.key[..18]);
        assert!(described.is_valid(kept), "{kept}");
    }
    assert_eq!(all[1]["subject"], "user:no\u{fffd}body");
    assert_eq!(all[3]["resource"]["id"].as_str().unwrap().len(), 512);
    assert_eq!(all[2]["reason"], "invalid_request");

    let allowed = all.iter().filter(|one| one["decision"] == "allow").count();
    assert_eq!(kept(&setup, "decision=allow", allowed).await.len(), allowed);
    assert_eq!(kept(&setup, "decision=deny", 1).await.len(), 4 - allowed);
    assert_eq!(kept(&setup, "subject=user:ann&permission=site:read", 1).await.len(), 1);
    assert_eq!(kept(&setup, "resource_type=site&resource_id=s1", 2).await.len(), 2);
    assert_eq!(kept(&setup, "resource_type=site&resource_id=s9", 0).await.len(), 0);
    for (query, code) in [("decision=maybe", "invalid_query"), ("resource_type=site", "invalid_query")] {
        let path = format!("/v1/organizations/acme/decisions?{query}");
        assert_eq!(setup.get(&path, &setup.key).await.code(), code, "{query}");
    }
    let first = setup.get("/v1/organizations/acme/decisions?limit=3", &setup.key).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(kept(&setup, &format!("limit=3&cursor={cursor}"), 1).await, all[..1]);

    // Those that are old go, when the next gateway looks.
    let old = "UPDATE decisions SET decided_at = now() - interval '2 days' WHERE subject = 'user:ann'";
    crate::support::run(&mut setup.connection, old).await;
    let keep = Duration::from_secs(86_400);
    let again = Config { decision_log: DecisionLogSettings { keep, ..settings }, ..config() };
    let gateway = postern_gateway::app::Gateway::start(again, &setup.url).await.unwrap();
    let begun = Instant::now();
    while kept(&setup, "subject=user:ann", 0).await.len() == 1 {
        assert!(begun.elapsed() < crate::support::PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(kept(&setup, "limit=10", 3).await.len(), 3);
    gateway.stop().await.unwrap();
}

/// What was decided before the gateway ends is kept when it has ended.
#[tokio::test]
async fn nothing_is_lost_when_the_gateway_ends() {
    let settings = DecisionLogSettings { which: Which::All, to: Destination::Database, ..Default::default() };
    let mut setup = Setup::with(Config { decision_log: settings, ..config() }).await;
    let question = json!({"subject": {"type": "user", "id": "ann"}, "action": {"name": "read"},
        "resource": {"type": "site", "id": "s1"}});
    let batch = json!({"evaluations": vec![question; 40]});
    // The table is held, so that nothing is written yet.
    crate::support::run(&mut setup.connection, "BEGIN; LOCK TABLE decisions IN SHARE MODE").await;
    for _ in 0..50 {
        let answer = setup.post("/access/v1/evaluations", &[], &batch.to_string()).await;
        assert_eq!(answer.status, 200);
    }
    let Setup { gateway, mut connection, .. } = setup;
    let ended = tokio::spawn(gateway.stop());
    crate::support::run(&mut connection, "COMMIT").await;
    ended.await.unwrap().unwrap();
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM decisions").fetch_one(&mut connection).await.unwrap();
    assert_eq!(count, 2000);
}
