//! What is in force is signed, with the moment when that was known.

use crate::support::{Answer, Event, Events, PATIENCE, Setup, config, get, run};
use hyper::StatusCode;
use postern_gateway::app::Gateway;
use postern_gateway::clock::now_seconds;
use postern_gateway::config::Config;
use postern_gateway::statements::{FreshKey, Statements};
use postern_gateway::store::{self, statement_keys};
use postern_snapshot::Snapshot;
use postern_statement::{KeySet, Refused, Statement};
use sqlx::{Connection, PgConnection};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const SNAPSHOT: &str = "/v1/organizations/acme/snapshot";
const HEAD: &str = "/v1/organizations/acme/head";
const STREAM: &str = "/v1/organizations/acme/stream";

async fn keys(address: SocketAddr) -> KeySet {
    let answer = get(address, "/.well-known/jwks.json", &[]).await;
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let text = std::str::from_utf8(&answer.body).unwrap();
    assert!(!text.contains("\"d\""), "private parts stay private");
    KeySet::parse(text).unwrap()
}

impl Setup {
    async fn stated(&self, text: &str) -> Statement {
        keys(self.address()).await.verify(text).unwrap()
    }

    async fn follow_with(&self, path: &str, bearer: &str, tag: Option<&str>) -> Events {
        let bearer = format!("Bearer {bearer}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(tag.map(|tag| ("if-none-match", tag)));
        Events::open(self.address(), path, &headers).await
    }
}

fn text(event: &Event) -> String {
    assert_eq!((event.kind.as_str(), event.id.as_str()), ("statement", ""));
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    data["statement"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_read_comes_with_its_statement() {
    let setup = Setup::new().await;
    let whole = setup.get(SNAPSHOT, &setup.key).await;
    let statement = setup.stated(whole.header("postern-statement")).await;
    statement.is_about("acme", None).unwrap();
    statement.names(&whole.body).unwrap();
    assert_eq!((statement.revision, statement.as_of), (41, 41));
    assert_eq!(statement.exp - statement.iat, 60, "--stale-after");
    assert!((now_seconds() - 30..=now_seconds()).contains(&statement.iat), "{statement:?}");

    let token = setup.token("user:ann", 60);
    let slice = setup.get("/v1/me/slice", &token).await;
    let of_slice = setup.stated(slice.header("postern-statement")).await;
    of_slice.is_about("acme", Some("user:ann")).unwrap();
    of_slice.names(&slice.body).unwrap();
    assert_eq!(of_slice.epoch, statement.epoch);

    // Who holds the bytes is told that they are still right.
    let headers =
        [("authorization", format!("Bearer {token}")), ("if-none-match", slice.header("etag").to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let unchanged = get(setup.address(), "/v1/me/slice", &headers).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    setup.stated(unchanged.header("postern-statement")).await.names(&slice.body).unwrap();
}

#[tokio::test]
async fn a_stream_states_what_it_sends_before_it_does() {
    let mut setup = Setup::new().await;
    let mut events = setup.follow_with(&format!("{STREAM}?deltas=true"), &setup.key, None).await;
    let statement = setup.stated(&text(&events.next_of_all().await.unwrap())).await;
    let state = events.next_of_all().await.unwrap();
    assert_eq!(state.kind, "state");
    statement.names(&state.bytes()).unwrap();

    run(&mut setup.connection, "DELETE FROM grants").await;
    let statement = setup.stated(&text(&events.next_of_all().await.unwrap())).await;
    let delta = events.next_of_all().await.unwrap();
    assert_eq!((delta.kind.as_str(), statement.revision), ("delta", 42));
    let old = state.bytes();
    let new = postern_snapshot::apply(&Snapshot::open(&old).unwrap(), &delta.bytes()).unwrap();
    statement.names(&new).unwrap();
    // Damaged on the way, it leads to nothing that the statement names.
    let mut damaged = new.clone();
    damaged[100] ^= 1;
    assert_eq!(statement.names(&damaged), Err(Refused::OtherBytes));

    // Who holds them already gets the statement alone, and then what is news.
    let held = setup.get(SNAPSHOT, &setup.key).await;
    let mut again = setup.follow_with(STREAM, &setup.key, Some(held.header("etag"))).await;
    setup.stated(&text(&again.next_of_all().await.unwrap())).await.names(&held.body).unwrap();
    run(&mut setup.connection, "DELETE FROM assignments").await;
    assert_eq!(setup.stated(&text(&again.next_of_all().await.unwrap())).await.revision, 43);
    assert_eq!(again.next_of_all().await.unwrap().id, "43");
}

/// Whose slice a write leaves as it was hears nothing of it, but with the next heartbeat that what it holds is right at
/// the new revision too; also where others are changed all the time.
#[tokio::test]
async fn heartbeats_say_that_what_is_held_is_still_in_force() {
    let mut setup = Setup::with(Config { stale_after: Duration::from_secs(4), ..config() }).await;
    let mut slices = setup.follow_with("/v1/me/stream", &setup.token("user:ann", 60), None).await;
    let first = setup.stated(&text(&slices.next_of_all().await.unwrap())).await;
    let slice = slices.next_of_all().await.unwrap();
    first.names(&slice.bytes()).unwrap();

    let begun = Instant::now();
    let (mut writes, mut newest) = (0, first.clone());
    while newest.as_of < 43 || newest.iat < first.iat + 2 {
        assert!(begun.elapsed() < PATIENCE, "{newest:?}");
        let zoe =
            format!("INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:zoe{writes}')");
        run(&mut setup.connection, &zoe).await;
        writes += 1;
        let soon = Duration::from_millis(200);
        while let Ok(event) = tokio::time::timeout(soon, slices.next_of_all()).await {
            let next = setup.stated(&text(&event.unwrap())).await;
            next.may_follow(&newest).unwrap();
            assert!(next.iat > newest.iat, "one that says nothing new is not sent");
            newest = next;
        }
    }
    assert_eq!((newest.revision, &newest.hash), (first.revision, &first.hash));
    assert!(writes > 2);
}

#[tokio::test]
async fn nothing_gets_younger_while_the_database_is_away() {
    let setup = Setup::with(Config { stale_after: Duration::from_secs(4), ..config() }).await;
    let mut events = setup.follow_with(STREAM, &setup.key, None).await;
    let statement = text(&events.next_of_all().await.unwrap());
    let known = keys(setup.address()).await;
    let first = known.verify(&statement).unwrap();
    events.next_of_all().await.unwrap();

    let (address, name) = setup.url.rsplit_once('/').unwrap();
    let mut admin = PgConnection::connect(&format!("{address}/postgres")).await.unwrap();
    run(&mut admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    let others = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    run(&mut admin, &others).await;
    let away_since = now_seconds();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let answer = setup.get(SNAPSHOT, &setup.key).await;
    assert_eq!(answer.status, StatusCode::OK, "what is held is served");
    let late = known.verify(answer.header("postern-statement")).unwrap();
    assert!(late.iat <= away_since && late.iat >= first.iat, "{late:?}, away since {away_since}");
    assert!(late.exp <= now_seconds(), "and says itself that it is old");
    while let Ok(event) = tokio::time::timeout(Duration::from_millis(100), events.next_of_all()).await {
        let told = known.verify(&text(&event.unwrap())).unwrap();
        assert!(told.iat <= away_since, "{told:?}, away since {away_since}");
    }

    run(&mut admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    loop {
        let event = events.next_of_all().await.unwrap();
        if known.verify(&text(&event)).unwrap().iat > away_since {
            break;
        }
    }
}

#[tokio::test]
async fn a_head_leads_to_bytes_that_never_change() {
    let mut setup = Setup::new().await;
    let answer = setup.get(HEAD, &setup.key).await;
    assert_eq!(answer.header("cache-control"), "private, max-age=1");
    let head = answer.json();
    let statement = setup.stated(head["statement"].as_str().unwrap()).await;
    assert_eq!(
        (&statement.hash[..], &statement.epoch[..]),
        (head["hash"].as_str().unwrap(), head["epoch"].as_str().unwrap())
    );
    let place = head["snapshot"].as_str().unwrap().to_owned();
    let bytes = setup.get(&place, &setup.key).await;
    assert_eq!(bytes.header("cache-control"), "private, max-age=31536000, immutable");
    assert_eq!(bytes.header("vary"), "Authorization");
    statement.names(&bytes.body).unwrap();

    // Who has just read the head finds them; later nobody does.
    run(&mut setup.connection, "DELETE FROM grants").await;
    wait_for(&setup, 42).await;
    assert_eq!(setup.get(&place, &setup.key).await.body, bytes.body);
    run(&mut setup.connection, "DELETE FROM assignments").await;
    wait_for(&setup, 43).await;
    assert_eq!(setup.get(&place, &setup.key).await.code(), "snapshot_not_held");

    for path in [HEAD, &place] {
        assert_eq!(get(setup.address(), path, &[]).await.code(), "missing_credentials");
        let other = path.replace("acme", "other");
        assert_eq!(setup.get(&other, &setup.key).await.code(), "other_organization");
        assert_eq!(setup.get(path, &setup.token("user:ann", 60)).await.code(), "invalid_key");
    }
}

/// The head of a revision, once it is published.
async fn wait_for(setup: &Setup, revision: u64) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = setup.get(HEAD, &setup.key).await;
        if answer.json()["revision"] == revision {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn shared_caches_are_asked_for() {
    let setup = Setup::with(Config { shared_caches: true, ..config() }).await;
    let place = setup.get(HEAD, &setup.key).await.json()["snapshot"].as_str().unwrap().to_owned();
    let bytes = get(setup.address(), &place, &[]).await;
    assert_eq!(bytes.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(bytes.body, setup.get(SNAPSHOT, &setup.key).await.body);
    let tag = [("if-none-match", bytes.header("etag"))];
    assert_eq!(get(setup.address(), &place, &tag).await.status, StatusCode::NOT_MODIFIED);
    // The address is the secret: nothing else is open, and nobody learns which organizations there are.
    assert_eq!(get(setup.address(), HEAD, &[]).await.code(), "missing_credentials");
    let mut wrong = place.clone();
    wrong.pop();
    for place in [wrong, place.replace("acme", "nobody")] {
        assert_eq!(get(setup.address(), &place, &[]).await.code(), "snapshot_not_held");
    }
}

#[tokio::test]
async fn keys_rotate_with_overlap() {
    let mut setup = Setup::new().await;
    let first = keys(setup.address()).await;
    // Gateways that start together sign with one key.
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(PgConnection::connect(&setup.url).await.unwrap());
    }
    run(&mut setup.connection, "DELETE FROM statement_keys").await;
    let started =
        connections.iter_mut().map(|connection| Statements::start(connection, Duration::from_secs(60)));
    let sets: Vec<String> = futures_util::future::join_all(started)
        .await
        .into_iter()
        .map(|statements| statements.unwrap().published())
        .collect();
    assert!(sets.iter().all(|set| *set == sets[0]));
    let one = KeySet::parse(&sets[0]).unwrap();
    assert_ne!(one, first);

    let gateway = Gateway::start(config(), &setup.url).await.unwrap();
    let headers = [("authorization", format!("Bearer {}", setup.key))];
    let headers = [("authorization", headers[0].1.as_str())];
    let signed =
        async || get(gateway.address(), SNAPSHOT, &headers).await.header("postern-statement").to_owned();
    one.verify(&signed().await).unwrap();

    // A new key is published before it signs.
    let fresh = FreshKey::new().unwrap();
    let (minutes, day) = (Duration::from_secs(600), Duration::from_secs(86_400));
    let connection = &mut setup.connection;
    statement_keys::rotate(connection, &fresh.id, &fresh.seed, minutes, day).await.unwrap();
    let begun = Instant::now();
    while keys(gateway.address()).await == one {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let both = keys(gateway.address()).await;
    one.verify(&signed().await).expect("the key before signs until everybody has the new one");
    let listed = statement_keys::read(connection).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed[0].signs_in <= 0 && listed[1].signs_in > 590, "the one that signs comes first");
    assert!(listed[0].withdrawn_in > Some(86_400 + 590) && listed[1].withdrawn_in.is_none());

    // One that leaked is withdrawn at once, and so is what would have signed next.
    let now = FreshKey::new().unwrap();
    statement_keys::rotate(connection, &now.id, &now.seed, Duration::ZERO, Duration::ZERO).await.unwrap();
    let begun = Instant::now();
    while keys(gateway.address()).await == both {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let new = keys(gateway.address()).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let statement = signed().await;
    new.verify(&statement).unwrap();
    assert_eq!(both.verify(&statement), Err(Refused::UnknownKey));
    gateway.stop().await.unwrap();
}

/// A database that was restored says so, and its lower revisions are news.
#[tokio::test]
async fn a_restored_database_is_another_epoch() {
    let mut setup = Setup::new().await;
    let mut events = setup.follow_with(STREAM, &setup.key, None).await;
    let before = setup.stated(&text(&events.next_of_all().await.unwrap())).await;
    events.next_of_all().await.unwrap();
    let epoch = store::heads::epoch(&mut setup.connection).await.unwrap();
    assert_eq!(before.epoch, epoch);
    let mut slices = setup.follow_with("/v1/me/stream", &setup.token("user:ann", 60), None).await;
    let slice_before = setup.stated(&text(&slices.next_of_all().await.unwrap())).await;
    assert_eq!(slices.next_of_all().await.unwrap().id, "41");
    // Another epoch has to be a second later, which a restored dump always is.
    while postern_gateway::clock::now_seconds() <= before.iat {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    // What a restored dump looks like from here: other tables of the same names, older rows, new connections.
    run(
        &mut setup.connection,
        "CREATE TABLE restored (LIKE organization_heads INCLUDING ALL);
         INSERT INTO restored SELECT organization_id, 7, raised_in, raised_at, credentials_revision, changed_in, deleted_at
             FROM organization_heads;
         ALTER TABLE organizations DROP CONSTRAINT organizations_head_fkey;
         DROP TABLE organization_heads;
         ALTER TABLE restored RENAME TO organization_heads;
         SELECT guard_rows('organization_heads', 'SELECT, UPDATE (credentials_revision)')",
    )
    .await;
    assert_ne!(store::heads::epoch(&mut setup.connection).await.unwrap(), epoch);
    run(
        &mut setup.connection,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    let after = loop {
        let statement = setup.stated(&text(&events.next_of_all().await.unwrap())).await;
        if statement.epoch != before.epoch {
            break statement;
        }
    };
    assert_eq!((after.revision, after.as_of), (7, 7));
    let state = events.next_of_all().await.unwrap();
    assert_eq!(state.id, "7");
    after.names(&state.bytes()).unwrap();
    after.may_follow(&before).unwrap();

    // A slice that says what it said before is sent again: what follows it has a lower revision than the one from before.
    let slice_after = loop {
        let statement = setup.stated(&text(&slices.next_of_all().await.unwrap())).await;
        if statement.epoch != before.epoch {
            break statement;
        }
    };
    slice_after.may_follow(&slice_before).unwrap();
    assert_eq!((slice_after.revision, slices.next_of_all().await.unwrap().id.as_str()), (7, "7"));
    run(&mut setup.connection, "DELETE FROM assignments").await;
    let changed = setup.stated(&text(&slices.next_of_all().await.unwrap())).await;
    changed.may_follow(&slice_after).unwrap();
    assert_eq!(slices.next_of_all().await.unwrap().id, "8");
}

/// An account that may do no more than an application's finds out the epoch as well.
#[tokio::test]
async fn an_ordinary_account_may_ask_for_the_epoch() {
    let mut setup = Setup::new().await;
    let epoch = store::heads::epoch(&mut setup.connection).await.unwrap();
    let mut transaction = setup.connection.begin().await.unwrap();
    run(&mut transaction, "CREATE ROLE it_ordinary; SET LOCAL ROLE it_ordinary").await;
    assert_eq!(store::heads::epoch(&mut transaction).await.unwrap(), epoch);
    transaction.rollback().await.unwrap();
}
