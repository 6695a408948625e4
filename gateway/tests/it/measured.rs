//! What Prometheus reads.

use crate::support::{Events, PATIENCE, Setup, config, get, run};
use postern_gateway::config::Config;
use std::time::Instant;

pub async fn metrics(setup: &Setup) -> String {
    let answer = get(setup.gateway.metrics_address().unwrap(), "/metrics", &[]).await;
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// The value of a sample.
pub fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(sample).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("no {sample} in\n{text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn what_happens_is_counted() {
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let mut setup = Setup::with(Config { metrics_listen: listen, ..config() }).await;
    let question = r#"{"subject": {"type": "user", "id": "nobody"}, "action": {"name": "read"}, "resource": {"type": "fleet", "id": "f"}}"#;
    let batch = format!(r#"{{"evaluations": [{question}, {question}, {question}]}}"#);
    assert_eq!(setup.post("/access/v1/evaluation", &[], question).await.status, 200);
    assert_eq!(setup.post("/access/v1/evaluations", &[], &batch).await.status, 200);
    setup.get("/v1/organizations/acme/snapshot", "postern_key_none").await;
    get(setup.address(), "/no/such/secret-path", &[]).await;
    let bearer = format!("Bearer {}", setup.key);
    let headers = [("authorization", bearer.as_str())];
    let mut events = Events::open(setup.address(), "/v1/organizations/acme/stream", &headers).await;
    events.next().await.unwrap();
    run(&mut setup.connection, "DELETE FROM grants").await;
    events.next().await.unwrap();

    let text = metrics(&setup).await;
    assert!(text.ends_with("# EOF\n"), "{text}");
    let route = "method=\"POST\",route=\"/access/v1/evaluation\"";
    assert_eq!(value(&text, &format!("postern_http_requests_total{{{route},status=\"200\"}}")), 1.0);
    assert_eq!(value(&text, &format!("postern_http_request_duration_seconds_count{{{route}}}")), 1.0);
    assert_eq!(value(&text, "postern_decisions_total{decision=\"deny\"}"), 4.0);
    let refused = "postern_http_requests_total{method=\"GET\",route=\"/v1/organizations/{organization}/snapshot\",status=\"401\"}";
    assert_eq!(value(&text, refused), 1.0);
    assert_eq!(
        value(&text, "postern_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"}"),
        1.0
    );
    assert_eq!(value(&text, "postern_streams{kind=\"snapshot\"}"), 1.0);
    assert_eq!(value(&text, "postern_snapshot_build_seconds_count"), 2.0);
    assert_eq!(value(&text, "postern_database_up"), 1.0);
    assert_eq!(value(&text, "postern_organizations"), 1.0);
    assert!(value(&text, "postern_confirmed_age_seconds") < 10.0);
    assert!(!text.contains("acme") && !text.contains("nobody") && !text.contains("secret-path"), "{text}");

    drop(events);
    let begun = Instant::now();
    while value(&metrics(&setup).await, "postern_streams{kind=\"snapshot\"}") > 0.0 {
        assert!(begun.elapsed() < PATIENCE);
        // A connection that has gone is noticed when something is written to it.
        run(&mut setup.connection, "UPDATE subjects SET active = NOT active WHERE subject_id = 'user:ann'")
            .await;
    }
    // Not where the public is.
    assert_eq!(get(setup.address(), "/metrics", &[]).await.status, 404);
}

/// A revision that cannot be published is counted, and the lag grows.
#[tokio::test]
async fn what_fails_is_seen() {
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let mut setup = Setup::with(Config { metrics_listen: listen, ..config() }).await;
    setup.get("/v1/organizations/acme/snapshot", &setup.key).await;
    // More permissions than a snapshot has room for.
    let broken = "INSERT INTO permissions (organization_id, permission_key)
        SELECT 'acme', 'too:many' || n FROM generate_series(1, 17000) AS n";
    run(&mut setup.connection, broken).await;
    let begun = Instant::now();
    let text = loop {
        let text = metrics(&setup).await;
        if value(&text, "postern_organizations_failing") == 1.0 {
            break text;
        }
        assert!(begun.elapsed() < PATIENCE, "{text}");
    };
    assert!(value(&text, "postern_publish_failures_total") >= 1.0);
    assert!(value(&metrics(&setup).await, "postern_revision_lag_seconds") > 0.0);
}
