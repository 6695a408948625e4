//! The agent behind the real gateway.

use crate::support::{PATIENCE, Setup, call, config, run};
use postern_edge::config::{Config as EdgeConfig, gateway};
use postern_edge::routes::Routes;
use postern_edge::{Agent, holder::Unready};
use postern_gateway::app::Gateway;
use postern_gateway::config::Config;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub async fn agent(address: SocketAddr, key: &str) -> Agent {
    let config = EdgeConfig {
        gateway: gateway(&format!("http://{address}")).unwrap(),
        organization: "acme".to_owned(),
        key: key.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        state: None,
        keys: None,
        routes: Routes::default(),
        subject_header: "x-auth-subject".parse().unwrap(),
        trusted: Vec::new(),
        mapping: postern_authzen::Mapping::default(),
    };
    Agent::start(config).await.unwrap()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The snapshot that the agent decides on is the gateway's, byte for byte.
async fn same_bytes(setup: &Setup, agent: &Agent) {
    let whole = setup.get("/v1/organizations/acme/snapshot", &setup.key).await;
    assert_eq!(*agent.holder().fresh().ok().unwrap().opened.bytes(), whole.body);
}

#[tokio::test]
async fn it_follows_writes_and_survives_its_gateway() {
    let mut setup = Setup::with(Config { stale_after: Duration::from_secs(4), ..config() }).await;
    let address = setup.address();
    let agent = agent(address, &setup.key).await;
    let revision = || agent.holder().held().map(|held| held.revision());
    until("the first", || revision() == Some(41)).await;
    same_bytes(&setup, &agent).await;
    for (count, sql) in ["DELETE FROM grants", "DELETE FROM assignments"].into_iter().enumerate() {
        run(&mut setup.connection, sql).await;
        until(sql, || revision() == Some(42 + count as u64)).await;
        same_bytes(&setup, &agent).await;
    }
    // The same question has the same answer at both, down to the text.
    let question = r#"{"subject": {"type": "user", "id": "ann"}, "action": {"name": "read"},
        "resource": {"type": "fleet", "id": "f"}}"#;
    let headers = [("content-type", "application/json")];
    let here = call(agent.address(), "POST", "/access/v1/evaluation", &headers, question).await;
    let there = setup.post("/access/v1/evaluation", &[], question).await;
    assert_eq!((here.status, &here.body), (there.status, &there.body));

    // Without its gateway it decides, and then does not any more.
    setup.gateway.stop().await.unwrap();
    assert!(agent.holder().fresh().is_ok());
    let stale = || matches!(agent.holder().fresh(), Err(Unready::Stale));
    until("stale", stale).await;
    let answer = call(agent.address(), "POST", "/access/v1/evaluation", &headers, question).await;
    assert_eq!(answer.code(), "stale_snapshot");

    // Another one at the same address: it goes on where it was.
    let again = Config { listen: address, stale_after: Duration::from_secs(60), ..config() };
    setup.gateway = Gateway::start(again, &setup.url).await.unwrap();
    until("fresh again", || agent.holder().fresh().is_ok()).await;
    assert_eq!(revision(), Some(43));
    run(
        &mut setup.connection,
        "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:new')",
    )
    .await;
    until("the next write", || revision() == Some(44)).await;
    same_bytes(&setup, &agent).await;
    agent.stop().await.unwrap();
}

/// A key that is revoked ends what the agent hears, and so, soon, what it says.
#[tokio::test]
async fn a_revoked_key_ends_its_decisions() {
    let mut setup = Setup::with(Config { stale_after: Duration::from_secs(2), ..config() }).await;
    let agent = agent(setup.address(), &setup.key).await;
    until("the first", || agent.holder().fresh().is_ok()).await;
    run(&mut setup.connection, "UPDATE api_keys SET revoked_at = now()").await;
    until("stale", || matches!(agent.holder().fresh(), Err(Unready::Stale))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(agent.holder().fresh().is_err());
    agent.stop().await.unwrap();
}
