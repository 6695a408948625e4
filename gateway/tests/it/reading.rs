//! Requests and their answers.

use crate::support::{Setup, api_key, config, full_world, get, run, send};
use hyper::StatusCode;
use postern_gateway::clock::now_seconds;
use postern_gateway::store::catalog_names;
use postern_gateway::store::import::import;
use postern_gateway::token::{self, Claims};
use postern_snapshot::Snapshot;
use std::time::Duration;

const SNAPSHOT: &str = "/v1/organizations/acme/snapshot";

#[tokio::test]
async fn a_key_reads_its_organizations_snapshot() {
    let setup = Setup::new().await;
    let answer = setup.get(SNAPSHOT, &setup.key).await;
    assert_eq!(answer.status, StatusCode::OK);
    let expected = postern_compile::compile(&full_world("acme")).unwrap().to_bytes();
    assert_eq!(answer.body, expected);
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.header("postern-revision"), "41");
    let etag = answer.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.len() == 34, "{etag}");

    let bearer = format!("bearer {}", setup.key);
    for held in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let headers = [("authorization", bearer.as_str()), ("if-none-match", &held)];
        let answer = get(setup.address(), SNAPSHOT, &headers).await;
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{held}");
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("etag"), etag);
    }
    let headers = [("authorization", bearer.as_str()), ("if-none-match", "\"x\"")];
    assert_eq!(get(setup.address(), SNAPSHOT, &headers).await.status, StatusCode::OK);
    let head = send(setup.address(), "HEAD", SNAPSHOT, &[("authorization", &bearer)]).await;
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers()["content-length"], expected.len().to_string().as_str());
}

#[tokio::test]
async fn a_subject_reads_its_own_slice() {
    let setup = Setup::new().await;
    let answer = setup.get("/v1/me/slice", &setup.token("user:ann", 60)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let slice = Snapshot::open(&answer.body).unwrap();
    assert!(slice.is_slice());
    assert_eq!((slice.organization(), slice.revision()), ("acme", 41));
    let whole = postern_compile::compile(&full_world("acme")).unwrap().to_bytes();
    let whole = Snapshot::open(&whole).unwrap();
    assert_eq!(answer.body, postern_snapshot::slice(&whole, "user:ann").unwrap().to_bytes());
    let other = setup.get("/v1/me/slice", &setup.token("user:bob", 60)).await;
    assert_ne!(other.header("etag"), answer.header("etag"));
    // One that the world does not list has a slice too: whatever `user:all` may.
    assert_eq!(setup.get("/v1/me/slice", &setup.token("user:nobody", 60)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_tells_of_the_catalog() {
    let mut setup = Setup::new().await;
    let whole = postern_compile::compile(&full_world("acme")).unwrap().to_bytes();
    let hash = Snapshot::open(&whole).unwrap().catalog_hash();
    let world = full_world("acme").catalog;
    let expected = postern_snapshot::catalog_hash(
        world.types.keys().map(String::as_str),
        world.permissions.keys().map(String::as_str),
    );
    assert_eq!(hash, expected, "a snapshot has all of the catalog");
    let head = setup.get("/v1/organizations/acme/head", &setup.key).await;
    let address = head.json()["snapshot"].as_str().unwrap().to_owned();
    let slice = setup.get("/v1/me/slice", &setup.token("user:ann", 60)).await;
    assert_eq!(Snapshot::open(&slice.body).unwrap().catalog_hash(), hash, "and a slice has it, too");
    for answer in
        [&head, &slice, &setup.get(SNAPSHOT, &setup.key).await, &setup.get(&address, &setup.key).await]
    {
        assert_eq!(answer.header("postern-catalog"), hash);
    }
    let bearer = format!("Bearer {}", setup.key);
    let held = get(setup.address(), SNAPSHOT, &[("authorization", &bearer), ("if-none-match", "*")]).await;
    assert_eq!((held.status, held.header("postern-catalog")), (StatusCode::NOT_MODIFIED, hash.as_str()));

    let read = catalog_names::read(&mut setup.connection, "acme").await.unwrap().unwrap();
    assert_eq!(read.types, world.types.into_keys().collect::<Vec<_>>());
    let described = world.permissions.into_iter().map(|(key, permission)| (key, permission.description));
    assert_eq!(read.permissions, described.collect::<Vec<_>>());
    assert_eq!(catalog_names::read(&mut setup.connection, "nobody").await.unwrap(), None);
}

#[tokio::test]
async fn a_write_changes_the_snapshot_and_its_tag() {
    let mut setup = Setup::new().await;
    let before = setup.get(SNAPSHOT, &setup.key).await;
    run(&mut setup.connection, "DELETE FROM grants").await;
    for _ in 0..200 {
        let after = setup.get(SNAPSHOT, &setup.key).await;
        if after.header("postern-revision") == "42" {
            assert_ne!(after.header("etag"), before.header("etag"));
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("revision 42 never came");
}

#[tokio::test]
async fn requests_without_a_good_credential_are_refused() {
    let mut setup = Setup::new().await;
    let now = now_seconds();
    let expired = token::issue(&setup.signing, "user:ann", now - 60, Duration::from_secs(60)).unwrap();
    let forged =
        postern_gateway::store::credentials::SigningKey { secret: vec![0; 32], ..setup.signing.clone() };
    let forged = token::issue(&forged, "user:ann", now, Duration::from_secs(60)).unwrap();
    let elsewhere = Claims {
        iss: token::ISSUER.to_owned(),
        aud: "elsewhere".to_owned(),
        organization: "acme".to_owned(),
        sub: "user:ann".to_owned(),
        iat: now,
        exp: now + 60,
    };
    let elsewhere = token::sign(&setup.signing, &elsewhere).unwrap();
    let token = setup.token("user:ann", 60);
    let key = setup.key.clone();
    let cases = [
        (SNAPSHOT, None, "missing_credentials"),
        (SNAPSHOT, Some("Bearer postern_key_nobodys".to_owned()), "invalid_key"),
        (SNAPSHOT, Some(format!("Bearer {token}")), "invalid_key"),
        (SNAPSHOT, Some(format!("Basic {key}")), "malformed_credentials"),
        (SNAPSHOT, Some("Bearer".to_owned()), "malformed_credentials"),
        (SNAPSHOT, Some(format!("Bearer {key} {key}")), "malformed_credentials"),
        ("/v1/me/slice", None, "missing_credentials"),
        ("/v1/me/slice", Some(format!("Bearer {key}")), "invalid_token"),
        ("/v1/me/slice", Some(format!("Bearer {expired}")), "expired_token"),
        ("/v1/me/slice", Some(format!("Bearer {forged}")), "invalid_token"),
        ("/v1/me/slice", Some(format!("Bearer {elsewhere}")), "invalid_token"),
        ("/v1/me/stream", Some(format!("Bearer {expired}")), "expired_token"),
        ("/v1/me/stream", None, "missing_credentials"),
        ("/v1/organizations/acme/stream", None, "missing_credentials"),
        ("/v1/organizations/acme/stream", Some("Bearer postern_key_nobodys".to_owned()), "invalid_key"),
    ];
    for (path, authorization, code) in cases {
        let headers: Vec<(&str, &str)> =
            authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = get(setup.address(), path, &headers).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNAUTHORIZED, code),
            "{path} {authorization:?}"
        );
        assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"postern\""));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    run(&mut setup.connection, "UPDATE api_keys SET revoked_at = now()").await;
    assert_eq!(setup.get(SNAPSHOT, &key).await.code(), "invalid_key", "revoked");
    run(&mut setup.connection, "UPDATE api_keys SET revoked_at = NULL, expires_at = now()").await;
    assert_eq!(setup.get(SNAPSHOT, &key).await.code(), "invalid_key", "expired");
    run(&mut setup.connection, "UPDATE signing_keys SET retired_at = now()").await;
    assert_eq!(setup.get("/v1/me/slice", &token).await.code(), "invalid_token", "its key was retired");
}

#[tokio::test]
async fn a_key_of_another_organization_learns_nothing() {
    let mut setup = Setup::new().await;
    import(&mut setup.connection, &full_world("other/ö 100%"), false).await.unwrap();
    let other = api_key(&mut setup.connection, "other/ö 100%").await;
    for path in [SNAPSHOT, "/v1/organizations/acme/stream", "/v1/organizations/nobody/snapshot"] {
        let answer = setup.get(path, &other).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::FORBIDDEN, "other_organization"),
            "{path}"
        );
    }
    let own = setup.get("/v1/organizations/other%2F%C3%B6%20100%25/snapshot", &other).await;
    assert_eq!(own.status, StatusCode::OK);
    assert_eq!(Snapshot::open(&own.body).unwrap().organization(), "other/ö 100%");
    assert_eq!(setup.get("/v1/organizations/%ff/snapshot", &other).await.code(), "invalid_path");
}

#[tokio::test]
async fn a_deleted_organizations_key_is_no_key() {
    let mut setup = Setup::new().await;
    assert_eq!(setup.get(SNAPSHOT, &setup.key).await.status, StatusCode::OK);
    run(&mut setup.connection, "DELETE FROM organizations").await;
    assert_eq!(setup.get(SNAPSHOT, &setup.key).await.code(), "invalid_key");
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let setup = Setup::new().await;
    for path in ["/", "/v1", "/v1/me", "/v2/me/slice", "/v1/organizations/acme/nothing"] {
        let answer = get(setup.address(), path, &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}");
    }
    let answer = send(setup.address(), "POST", SNAPSHOT, &[]).await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()["allow"], "GET,HEAD");
}

#[tokio::test]
async fn answers_carry_the_requests_id() {
    let setup = Setup::new().await;
    let answer = get(setup.address(), "/livez", &[("x-request-id", "caller-7")]).await;
    assert_eq!(answer.header("x-request-id"), "caller-7");
    let answer = get(setup.address(), "/nothing", &[]).await;
    assert_eq!(answer.header("x-request-id").len(), 36, "one of our own");
}

#[tokio::test]
async fn health_needs_no_credential() {
    let setup = Setup::new().await;
    for (path, status) in [("/livez", "live"), ("/readyz", "ready")] {
        let answer = get(setup.address(), path, &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["status"], status);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_let_in_only_when_named() {
    let origin = "https://app.example.com";
    let preflight = [
        ("origin", origin),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization,last-event-id"),
    ];
    let closed = Setup::new().await;
    let answer = send(closed.address(), "OPTIONS", "/v1/me/slice", &preflight).await;
    assert!(answer.headers().get("access-control-allow-origin").is_none());

    let open = Setup::with(postern_gateway::config::Config {
        allowed_origins: vec![origin.parse().unwrap()],
        ..config()
    })
    .await;
    let answer = send(open.address(), "OPTIONS", "/v1/me/slice", &preflight).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], origin);
    let token = format!("Bearer {}", open.token("user:ann", 60));
    let answer = get(open.address(), "/v1/me/slice", &[("origin", origin), ("authorization", &token)]).await;
    assert_eq!(answer.header("access-control-allow-origin"), origin);
    let exposed: Vec<&str> =
        answer.header("access-control-expose-headers").split(',').map(str::trim).collect();
    for header in [
        "etag",
        "postern-catalog",
        "postern-revision",
        "postern-statement",
        "postern-consistency-token",
        "x-request-id",
    ] {
        assert!(exposed.contains(&header), "{header}: {exposed:?}");
    }
    // The keys are everybody's; that they may be read is said once, or a browser refuses the answer.
    let answer = get(open.address(), "/.well-known/jwks.json", &[("origin", origin)]).await;
    assert_eq!(answer.headers.get_all("access-control-allow-origin").iter().count(), 1);
    let answer = get(open.address(), "/livez", &[("origin", "https://evil.example")]).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
