//! Tokens of other issuers, beside our own.

use crate::support::{Events, Setup, config, run};
use postern_gateway::clock::now_seconds;
use postern_gateway::config::Config;
use postern_issuers::Settings;
use postern_issuers::dev::DevIssuer;
use postern_snapshot::Snapshot;
use serde_json::{Map, Value, json};

async fn trusting(rest: &str) -> (Setup, DevIssuer) {
    let dev = DevIssuer::start("127.0.0.1:0".parse().unwrap(), "postern").await.unwrap();
    let text = format!("[[issuer]]\nissuer = \"{}\"\naudience = \"postern\"\n{rest}", dev.issuer);
    let settings = Settings::parse(&text).unwrap();
    (Setup::with(Config { issuers: Some(settings), ..config() }).await, dev)
}

fn claims(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn a_subject_comes_with_the_token_of_its_own_issuer() {
    let (mut setup, dev) = trusting("organization = \"acme\"").await;
    let token = dev.token(claims(json!({"sub": "ann"})));
    let answer = setup.get("/v1/me/slice", &token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let own = setup.get("/v1/me/slice", &setup.token("user:ann", 60)).await;
    assert_eq!(answer.body, own.body, "whoever says it, it is the same subject");
    assert!(Snapshot::open(&answer.body).unwrap().is_slice());
    // It follows, and manages with the rights that it has.
    let headers = [("authorization", format!("Bearer {token}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut events = Events::open(setup.address(), "/v1/me/stream", &headers).await;
    assert_eq!(events.next().await.unwrap().id, "41");
    run(&mut setup.connection, "DELETE FROM assignments WHERE subject_id = 'user:ann'").await;
    assert_eq!(events.next().await.unwrap().id, "42");
    let nobody = dev.token(claims(json!({"sub": "nobody"})));
    assert_eq!(setup.manage("GET", "roles", &nobody, &[], Value::Null).await.code(), "forbidden");
    assert_eq!(setup.manage("GET", "catalog", &nobody, &[], Value::Null).await.status, 200);
    // It is no key.
    assert_eq!(setup.get("/v1/organizations/acme/snapshot", &token).await.code(), "invalid_key");
    let bearer = format!("Bearer {token}");
    let asked = setup.post("/access/v1/evaluation", &[("authorization", &bearer)], "{}").await;
    assert_eq!(asked.code(), "invalid_key");
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_it_began_with() {
    let (setup, dev) = trusting("organization = \"acme\"").await;
    let token = dev.token(claims(json!({"sub": "ann", "exp": now_seconds() + 2})));
    let bearer = format!("Bearer {token}");
    let mut events = Events::open(setup.address(), "/v1/me/stream", &[("authorization", &bearer)]).await;
    assert_eq!(events.next().await.unwrap().id, "41");
    assert_eq!(events.next().await, None);
    assert_eq!(setup.get("/v1/me/slice", &token).await.code(), "expired_token");
}

#[tokio::test]
async fn a_token_is_for_the_organization_that_its_issuer_speaks_for() {
    let (setup, dev) = trusting("organization_claim = \"org\"").await;
    let of = |organization: &str| dev.token(claims(json!({"sub": "ann", "org": organization})));
    assert_eq!(setup.get("/v1/me/slice", &of("acme")).await.status, 200);
    assert_eq!(setup.get("/v1/me/slice", &of("nowhere")).await.code(), "organization_not_found");
    let other = setup.manage("GET", "roles", &of("other"), &[], Value::Null).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (403, "other_organization"));
    let none = dev.token(claims(json!({"sub": "ann"})));
    let refused = setup.get("/v1/me/slice", &none).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (401, "invalid_token"));
    assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
    assert!(!String::from_utf8_lossy(&refused.body).contains("organization"), "the reason is for the log");
}

/// A token of ours is never looked up elsewhere, and theirs is none of ours.
#[tokio::test]
async fn an_issuer_that_is_away_hurts_nobody_else() {
    let (setup, dev) = trusting("organization = \"acme\"").await;
    let token = dev.token(claims(json!({"sub": "ann"})));
    let untrusted = Setup::new().await;
    assert_eq!(untrusted.get("/v1/me/slice", &token).await.code(), "invalid_token");
    drop(dev);
    let away = DevIssuer::start("127.0.0.1:0".parse().unwrap(), "postern").await.unwrap();
    let text =
        format!("[[issuer]]\nissuer = \"{}\"\naudience = \"postern\"\norganization = \"acme\"", away.issuer);
    let fresh = Config { issuers: Some(Settings::parse(&text).unwrap()), ..config() };
    let theirs = away.token(claims(json!({"sub": "ann"})));
    drop(away);
    let fresh = Setup::with(fresh).await;
    let answer = fresh.get("/v1/me/slice", &theirs).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "issuer_unavailable"));
    assert_eq!(fresh.get("/v1/me/slice", &fresh.token("user:ann", 60)).await.status, 200);
    assert_eq!(setup.get("/v1/me/slice", &setup.token("user:ann", 60)).await.status, 200);
}
