//! Server-sent events.

use crate::support::{Events, PATIENCE, Setup, full_world, run, writing_key};
use postern_gateway::access::{KEY_PREFIX, key_digest};
use postern_gateway::store::credentials;
use postern_gateway::store::import::import;
use postern_snapshot::Snapshot;
use postern_world::World;
use std::time::{Duration, Instant};

const SNAPSHOTS: &str = "/v1/organizations/acme/stream";

impl Setup {
    async fn follow(&self, path: &str, bearer: &str) -> Events {
        Events::open(self.address(), path, &[("authorization", &format!("Bearer {bearer}"))]).await
    }
}

#[tokio::test]
async fn a_write_by_any_client_is_pushed() {
    let mut setup = Setup::new().await;
    let mut snapshots = setup.follow(SNAPSHOTS, &setup.key).await;
    let mut slices = setup.follow("/v1/me/stream", &setup.token("user:ann", 60)).await;
    let first = snapshots.next().await.unwrap();
    assert_eq!((first.id.as_str(), first.kind.as_str()), ("41", "state"));
    assert_eq!(first.bytes(), postern_compile::compile(&full_world("acme")).unwrap().to_bytes());
    assert_eq!(slices.next().await.unwrap().id, "41");

    let written = Instant::now();
    run(&mut setup.connection, "DELETE FROM grants").await;
    let second = snapshots.next().await.unwrap();
    let elapsed = written.elapsed();
    assert_eq!(second.id, "42");
    let without = World { grants: Vec::new(), revision: 42, ..full_world("acme") };
    assert_eq!(second.bytes(), postern_compile::compile(&without).unwrap().to_bytes());
    let slice = slices.next().await.unwrap();
    assert_eq!(slice.id, "42");
    let bytes = slice.bytes();
    assert!(Snapshot::open(&bytes).unwrap().is_slice());
    // Generous: the machine may be busy. The usual time is in docs/gateway.md.
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

#[tokio::test]
async fn whom_a_write_does_not_concern_hears_nothing() {
    let mut setup = Setup::new().await;
    let mut snapshots = setup.follow(SNAPSHOTS, &setup.key).await;
    let mut slices = setup.follow("/v1/me/stream", &setup.token("user:ann", 60)).await;
    assert_eq!(snapshots.next().await.unwrap().id, "41");
    assert_eq!(slices.next().await.unwrap().id, "41");
    run(
        &mut setup.connection,
        "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:zoe')",
    )
    .await;
    assert_eq!(snapshots.next().await.unwrap().id, "42");
    run(&mut setup.connection, "DELETE FROM assignments WHERE subject_id = 'user:ann'").await;
    assert_eq!(slices.next().await.unwrap().id, "43", "42 says of her what 41 did");
}

#[tokio::test]
async fn the_tag_of_an_event_is_the_tag_of_the_bytes() {
    let setup = Setup::new().await;
    let answer = setup.get("/v1/organizations/acme/snapshot", &setup.key).await;
    let event = setup.follow(SNAPSHOTS, &setup.key).await.next().await.unwrap();
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(data["etag"], answer.header("etag"));
    assert_eq!(event.bytes(), answer.body);
}

#[tokio::test]
async fn an_event_tells_of_the_catalog_and_of_another_one() {
    let mut setup = Setup::new().await;
    let mut deltas = setup.follow(&format!("{SNAPSHOTS}?deltas=true"), &setup.key).await;
    let mut slices = setup.follow("/v1/me/stream", &setup.token("user:ann", 60)).await;
    let told = |data: &str| serde_json::from_str::<serde_json::Value>(data).unwrap()["catalog"].clone();
    let first = deltas.next().await.unwrap();
    let hash = Snapshot::open(&first.bytes()).unwrap().catalog_hash();
    assert_eq!((first.kind.as_str(), told(&first.data)), ("state", hash.as_str().into()));
    assert_eq!(told(&slices.next().await.unwrap().data), hash.as_str());

    run(&mut setup.connection, "DELETE FROM assignments WHERE subject_id = 'user:ann'").await;
    let delta = deltas.next().await.unwrap();
    assert_eq!((delta.kind.as_str(), told(&delta.data)), ("delta", hash.as_str().into()));
    assert_eq!(told(&slices.next().await.unwrap().data), hash.as_str());

    // Another catalog is sent whole, which is no less than this small snapshot.
    let insert = "INSERT INTO permissions (organization_id, permission_key) VALUES ('acme', 'brand:new')";
    run(&mut setup.connection, insert).await;
    let (whole, slice) = (deltas.next().await.unwrap(), slices.next().await.unwrap());
    let another = Snapshot::open(&whole.bytes()).unwrap().catalog_hash();
    assert_ne!(another, hash);
    assert_eq!([told(&whole.data), told(&slice.data)], [another.as_str(), another.as_str()]);
}

#[tokio::test]
async fn who_holds_the_newest_state_is_not_sent_it_again() {
    let mut setup = Setup::new().await;
    let etag = setup.get("/v1/organizations/acme/snapshot", &setup.key).await.header("etag").to_owned();
    let bearer = format!("Bearer {}", setup.key);
    let headers = [("authorization", bearer.as_str()), ("if-none-match", etag.as_str())];
    let mut events = Events::open(setup.address(), SNAPSHOTS, &headers).await;
    run(&mut setup.connection, "DELETE FROM grants").await;
    assert_eq!(events.next().await.unwrap().id, "42", "41 was held");
}

/// What the path gives now: its tag and its bytes.
async fn current(setup: &Setup) -> (String, Vec<u8>) {
    let answer = setup.get("/v1/organizations/acme/snapshot", &setup.key).await;
    (answer.header("etag").to_owned(), answer.body.to_vec())
}

/// Waits for an event of a revision that changes what is held, and applies it.
async fn next_delta(events: &mut Events, held: &mut (String, Vec<u8>)) -> u64 {
    let event = events.next().await.unwrap();
    assert_eq!(event.kind, "delta", "{}", event.id);
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(data["from"], held.0.as_str(), "it is for what is held");
    let delta = event.bytes();
    assert!(delta.len() < 400, "{} bytes for one change", delta.len());
    held.1 = postern_snapshot::apply(&Snapshot::open(&held.1).unwrap(), &delta).unwrap();
    held.0 = data["etag"].as_str().unwrap().to_owned();
    data["revision"].as_u64().unwrap()
}

#[tokio::test]
async fn who_takes_deltas_is_sent_what_changed() {
    let mut setup = Setup::new().await;
    let path = format!("{SNAPSHOTS}?deltas=true");
    let mut events = setup.follow(&path, &setup.key).await;
    let first = events.next().await.unwrap();
    assert_eq!(first.kind, "state", "nothing is held yet");
    let mut held = (
        setup.get("/v1/organizations/acme/snapshot", &setup.key).await.header("etag").to_owned(),
        first.bytes(),
    );
    for statement in [
        "DELETE FROM grants",
        "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:zoe')",
        "DELETE FROM assignments WHERE subject_id = 'user:ann'",
    ] {
        run(&mut setup.connection, statement).await;
        next_delta(&mut events, &mut held).await;
        assert_eq!(held, current(&setup).await, "{statement}");
    }

    // Back after a while with what was held then: every step in between, and not the snapshot.
    let before = held.clone();
    for name in ["a", "b", "c"] {
        let insert =
            format!("INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:{name}')");
        run(&mut setup.connection, &insert).await;
        next_delta(&mut events, &mut held).await;
    }
    let bearer = format!("Bearer {}", setup.key);
    let headers = [("authorization", bearer.as_str()), ("if-none-match", before.0.as_str())];
    let mut back = Events::open(setup.address(), &path, &headers).await;
    let mut again = before.clone();
    let revisions = [
        next_delta(&mut back, &mut again).await,
        next_delta(&mut back, &mut again).await,
        next_delta(&mut back, &mut again).await,
    ];
    assert_eq!(revisions, [45, 46, 47]);
    assert_eq!(again, held);

    // Something else is held, or nothing that is known: the whole snapshot.
    let headers = [("authorization", bearer.as_str()), ("if-none-match", "\"0123\"")];
    let mut strange = Events::open(setup.address(), &path, &headers).await;
    let whole = strange.next().await.unwrap();
    assert_eq!((whole.kind.as_str(), whole.bytes()), ("state", held.1.clone()));
    // And who does not ask for deltas gets none.
    let headers = [("authorization", bearer.as_str()), ("if-none-match", before.0.as_str())];
    let mut plain = Events::open(setup.address(), SNAPSHOTS, &headers).await;
    assert_eq!(plain.next().await.unwrap().kind, "state");
}

#[tokio::test]
async fn unknown_parameters_of_a_stream_are_refused() {
    let setup = Setup::new().await;
    let answer = setup.get(&format!("{SNAPSHOTS}?delta=1"), &setup.key).await;
    assert_eq!(answer.status.as_u16(), 400);
    assert!(String::from_utf8_lossy(&answer.body).contains("invalid_query"));
}

#[tokio::test]
async fn a_slow_reader_goes_on_with_the_newest_state() {
    let mut setup = Setup::new().await;
    let mut events = setup.follow(SNAPSHOTS, &setup.key).await;
    assert_eq!(events.next().await.unwrap().id, "41");
    // More than the sockets hold, while nothing is read.
    let padding: String = std::iter::repeat_n('x', 400).collect();
    for round in 0..40 {
        let insert = format!(
            "INSERT INTO subjects (organization_id, subject_id)
             SELECT 'acme', 'user:{round}-' || n || '{padding}' FROM generate_series(1, 200) AS n"
        );
        run(&mut setup.connection, &insert).await;
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    let mut ids = vec![41];
    while ids.last() != Some(&81) {
        let event = events.next().await.unwrap();
        ids.push(event.id.parse::<u64>().unwrap());
        let bytes = event.bytes();
        assert_eq!(Snapshot::open(&bytes).unwrap().revision().to_string(), event.id, "whole");
    }
    assert!(ids.is_sorted(), "{ids:?}");
    assert!(ids.len() < 40, "old states were skipped: {ids:?}");
}

#[tokio::test]
async fn a_stream_ends_when_its_token_does() {
    let setup = Setup::new().await;
    let begun = Instant::now();
    let mut events = setup.follow("/v1/me/stream", &setup.token("user:ann", 2)).await;
    assert!(events.next().await.is_some());
    assert_eq!(events.next().await, None);
    let elapsed = begun.elapsed();
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    assert!(elapsed > Duration::from_millis(900), "{elapsed:?}");
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_revoked_and_others_go_on() {
    let mut setup = Setup::new().await;
    let mut by_key = setup.follow(SNAPSHOTS, &setup.key).await;
    let mut by_token = setup.follow("/v1/me/stream", &setup.token("user:ann", 60)).await;
    by_key.next().await.unwrap();
    by_token.next().await.unwrap();
    run(&mut setup.connection, "UPDATE api_keys SET revoked_at = now()").await;
    assert_eq!(by_key.next().await, None);
    run(&mut setup.connection, "DELETE FROM grants").await;
    assert_eq!(by_token.next().await.unwrap().id, "42");
    run(&mut setup.connection, "UPDATE signing_keys SET retired_at = now()").await;
    assert_eq!(by_token.next().await, None);
}

#[tokio::test]
async fn a_stream_ends_with_its_organization() {
    let mut setup = Setup::new().await;
    let mut events = setup.follow(SNAPSHOTS, &setup.key).await;
    events.next().await.unwrap();
    run(&mut setup.connection, "DELETE FROM organizations").await;
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn an_organizations_streams_hear_nothing_of_others() {
    let mut setup = Setup::new().await;
    import(&mut setup.connection, &full_world("other"), false).await.unwrap();
    let mut events = setup.follow(SNAPSHOTS, &setup.key).await;
    assert_eq!(events.next().await.unwrap().id, "41");
    run(&mut setup.connection, "DELETE FROM grants WHERE organization_id = 'other'").await;
    run(&mut setup.connection, "DELETE FROM grants WHERE organization_id = 'acme'").await;
    let event = events.next().await.unwrap();
    assert_eq!(event.id, "42");
    let bytes = event.bytes();
    assert_eq!(Snapshot::open(&bytes).unwrap().organization(), "acme");
}

#[tokio::test]
async fn a_gateway_that_stops_ends_its_streams() {
    let setup = Setup::new().await;
    let mut events = setup.follow(SNAPSHOTS, &setup.key).await;
    events.next().await.unwrap();
    let begun = Instant::now();
    let (stopped, end) = tokio::join!(setup.gateway.stop(), events.next());
    stopped.unwrap();
    assert_eq!(end, None);
    assert!(begun.elapsed() < Duration::from_secs(8), "did not wait for connections to be dropped");
}

/// A key that is replaced works on for a while, and the streams that it opened end with it.
#[tokio::test]
async fn a_key_that_was_replaced_ends_later() {
    let mut setup = Setup::new().await;
    let mut events = setup.follow(SNAPSHOTS, &setup.key).await;
    assert_eq!(events.next().await.unwrap().id, "41");
    let listed = credentials::api_keys(&mut setup.connection, "acme").await.unwrap();
    let [old] = &listed[..] else { panic!("{listed:?}") };
    assert!(old.in_force && old.expires_at.is_none() && !old.can_write);
    let new = format!("{KEY_PREFIX}{}", uuid::Uuid::new_v4().simple());
    let named = (&new[..18], &key_digest(&new));
    let connection = &mut setup.connection;
    let none = credentials::replace_api_key(connection, "acme", "postern_key_none", named, 2).await.unwrap();
    assert_eq!(none, None);
    let other = credentials::replace_api_key(connection, "other", &old.prefix, named, 2).await.unwrap();
    assert_eq!(other, None, "another organization's key is nobody's");
    credentials::replace_api_key(connection, "acme", &old.prefix, named, 2).await.unwrap().unwrap();
    let snapshot = "/v1/organizations/acme/snapshot";
    assert_eq!(setup.get(snapshot, &new).await.status, 200);
    assert_eq!(setup.get(snapshot, &setup.key).await.status, 200, "both work for a while");
    // It ends by itself: nothing changes at that moment.
    assert_eq!(events.next().await, None);
    assert_eq!(setup.get(snapshot, &setup.key).await.code(), "invalid_key");
    assert_eq!(setup.get(snapshot, &new).await.status, 200);
    let listed = credentials::api_keys(&mut setup.connection, "acme").await.unwrap();
    assert_eq!(listed.iter().map(|key| key.in_force).collect::<Vec<_>>(), [true, false]);
    assert_eq!(listed[0].name, listed[1].name);
    let ended = credentials::revoke_api_key(&mut setup.connection, "acme", &new[..18]).await.unwrap();
    assert_eq!(ended, 1);
    let begun = Instant::now();
    while setup.get(snapshot, &new).await.status == 200 {
        assert!(begun.elapsed() < PATIENCE);
    }
    assert_eq!(credentials::revoke_api_key(&mut setup.connection, "acme", &new[..18]).await.unwrap(), 0);
}

/// Those who look after edges see who follows, and how far they are.
#[tokio::test]
async fn open_streams_are_listed_until_they_end() {
    let mut setup = Setup::new().await;
    let operator = writing_key(&mut setup.connection, "acme", None).await;
    let listed = async |setup: &Setup| setup.get("/v1/organizations/acme/streams", &operator).await.json();
    let nobody = listed(&setup).await;
    assert_eq!((&nobody["slices"], nobody["items"].as_array().unwrap().len()), (&0.into(), 0));
    let bearer = format!("Bearer {}", setup.key);
    let headers = [("authorization", bearer.as_str()), ("user-agent", "edge-of-mine/7")];
    let mut edge = Events::open(setup.address(), &format!("{SNAPSHOTS}?deltas=true"), &headers).await;
    let mut slice = setup.follow("/v1/me/stream", &setup.token("user:ann", 60)).await;
    assert_eq!(edge.next().await.unwrap().id, "41");
    assert_eq!(slice.next().await.unwrap().id, "41");
    let one = listed(&setup).await;
    let item = &one["items"][0];
    assert_eq!((&one["slices"], one["items"].as_array().unwrap().len()), (&1.into(), 1));
    assert_eq!(
        (&item["key"], &item["agent"], &item["deltas"]),
        (&"test".into(), &"edge-of-mine/7".into(), &true.into())
    );
    assert_eq!((&item["sent"], &item["behind"]), (&"41".into(), &"0".into()));
    assert_eq!(item["prefix"], setup.key[..18]);
    assert!(!one.to_string().contains(&setup.key[..30]), "the key itself is not told");
    run(&mut setup.connection, "DELETE FROM grants").await;
    assert_eq!(edge.next().await.unwrap().id, "42");
    assert_eq!(listed(&setup).await["items"][0]["sent"], "42");
    drop((edge, slice));
    let begun = Instant::now();
    loop {
        let left = listed(&setup).await;
        if (&left["slices"], left["items"].as_array().unwrap().len()) == (&0.into(), 0) {
            assert_eq!(left["gateway"], one["gateway"]);
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{left}");
        // A connection that is gone is found out when something is sent on it.
        run(&mut setup.connection, "UPDATE roles SET active = NOT active WHERE organization_id = 'acme'")
            .await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
