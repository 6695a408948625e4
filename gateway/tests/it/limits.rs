//! How much at once, and what is said beyond.

use crate::support::{Events, PATIENCE, Setup, api_key, config, get, send};
use postern_gateway::config::{Config, LimitSettings};
use postern_gateway::consistency;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

const SNAPSHOT: &str = "/v1/organizations/acme/snapshot";
const STREAM: &str = "/v1/organizations/acme/stream";

async fn limited(limits: LimitSettings) -> Setup {
    Setup::with(Config { limits, ..config() }).await
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_until_one_ends() {
    let setup = limited(LimitSettings { streams: 2, ..LimitSettings::default() }).await;
    let bearer = format!("Bearer {}", setup.key);
    let headers = [("authorization", bearer.as_str())];
    let first = Events::open(setup.address(), STREAM, &headers).await;
    let mut second = Events::open(setup.address(), STREAM, &headers).await;
    let third = get(setup.address(), STREAM, &headers).await;
    assert_eq!((third.status.as_u16(), third.code().as_str()), (503, "too_many_streams"));
    assert_eq!(third.header("retry-after"), "1");
    assert_eq!(second.next().await.unwrap().id, "41", "those that are open go on");
    assert_eq!(setup.get(SNAPSHOT, &setup.key).await.status, 200, "and whoever asks is answered");
    drop(first);
    let begun = Instant::now();
    while send(setup.address(), "GET", STREAM, &headers).await.status() != 200 {
        assert!(begun.elapsed() < PATIENCE, "a stream that has ended keeps its place");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused_at_once() {
    let setup = limited(LimitSettings { requests: 1, ..LimitSettings::default() }).await;
    // It waits for a revision that does not come.
    let later = consistency::token("acme", 99);
    let headers = [("postern-at-least", later.to_str().unwrap())];
    let question = r#"{"subject": {"type": "user", "id": "ann"}, "action": {"name": "read"},
        "resource": {"type": "site", "id": "s1"}}"#;
    let waiting = setup.post("/access/v1/evaluation", &headers, question);
    let others = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let busy = setup.get(SNAPSHOT, &setup.key).await;
        assert_eq!((busy.status.as_u16(), busy.code().as_str()), (503, "busy"));
        assert!(!busy.header("x-request-id").is_empty());
        for health in ["/livez", "/readyz"] {
            assert_eq!(get(setup.address(), health, &[]).await.status, 200, "{health}");
        }
    };
    let (waited, ()) = tokio::join!(waiting, others);
    assert_eq!(waited.code(), "revision_not_reached");
    assert_eq!(setup.get(SNAPSHOT, &setup.key).await.status, 200);
}

#[tokio::test]
async fn a_credential_that_asks_too_often_waits_and_others_do_not() {
    let mut setup = limited(LimitSettings { rate: NonZeroU32::new(5), ..LimitSettings::default() }).await;
    let other = api_key(&mut setup.connection, "acme").await;
    let mut refused = 0;
    for _ in 0..40 {
        let answer = setup.get(SNAPSHOT, &setup.key).await;
        match answer.status.as_u16() {
            200 => {}
            429 => {
                assert_eq!(
                    (answer.code().as_str(), answer.header("retry-after")),
                    ("too_many_requests", "1")
                );
                refused += 1;
            }
            status => panic!("{status}"),
        }
    }
    assert!(refused > 0, "40 requests, and none was too many");
    assert_eq!(setup.get(SNAPSHOT, &other).await.status, 200);
    // A bad credential is not looked up any more often.
    let mut bad = 0;
    for _ in 0..40 {
        bad += u32::from(setup.get(SNAPSHOT, "postern_key_nothing").await.status == 429);
    }
    assert!(bad > 0);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(setup.get(SNAPSHOT, &setup.key).await.status, 200);
}
