//! The decision log, as the program writes it.

use crate::support::{Setup, config};
use postern_gateway::config::{Config, DecisionLogSettings, Which};
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
    let all = DecisionLogSettings { which: Which::All, every: 1, mask: false };
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
