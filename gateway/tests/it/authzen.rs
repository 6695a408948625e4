//! The AuthZEN endpoints over HTTP: the cases of `tests/authzen`, and what the binding says about requests, credentials
//! and headers.

use crate::support::{Answer, Setup, api_key, call, config, full_world, get, run};
use hyper::StatusCode;
use postern_gateway::config::Config;
use postern_gateway::store::import::import;
use postern_world::World;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::time::{Duration, Instant};

const PATHS: [&str; 5] = [
    "/access/v1/evaluation",
    "/access/v1/evaluations",
    "/access/v1/search/subject",
    "/access/v1/search/resource",
    "/access/v1/search/action",
];

/// A request that every endpoint takes.
const REQUEST: &str = r#"{"subject":{"type":"user","id":"ann"},"action":{"name":"read"},
    "resource":{"type":"site","id":"s1"},"context":{"time":"1985-10-26T01:22-07:00"},"more":1}"#;

async fn run_cases(text: &str) {
    let file: Value = serde_json::from_str(text).unwrap();
    let world = World::parse(file["world"].to_string().as_bytes()).unwrap();
    let setup = Setup::of(&world, config()).await;
    let cases = file["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for (number, case) in cases.iter().enumerate() {
        // At the root and below the organization in turn.
        let root = if number % 2 == 0 { "" } else { "/orgs/acme" };
        let path = format!("{root}/access/v1/{}", case["endpoint"].as_str().unwrap());
        let answer = setup.post(&path, &[], &case["request"].to_string()).await;
        if let Some(status) = case.get("status") {
            assert_eq!(*status, answer.status.as_u16(), "{}", case["id"]);
            assert_eq!(answer.code(), "invalid_request");
            continue;
        }
        assert_eq!(answer.status, StatusCode::OK, "{}: {answer:?}", case["id"]);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        let (wanted, got) = (&case["response"], answer.json());
        match wanted.get("decision") {
            Some(_) => {
                for (name, value) in wanted.as_object().unwrap() {
                    assert_eq!(&got[name], value, "{}", case["id"]);
                }
            }
            None => assert_eq!(&got, wanted, "{}", case["id"]),
        }
    }
}

#[tokio::test]
async fn the_todo_scenario() {
    run_cases(include_str!("../../../tests/authzen/todo.json")).await;
}

#[tokio::test]
async fn the_certification_fixture() {
    run_cases(include_str!("../../../tests/authzen/certification.json")).await;
}

#[tokio::test]
async fn departments_and_their_managers() {
    run_cases(include_str!("../../../tests/authzen/departments.json")).await;
}

#[tokio::test]
async fn bodies_that_are_no_requests_are_refused() {
    let setup = Setup::new().await;
    for path in PATHS {
        let post = async |headers: &[(&str, &str)], body: &str| setup.post(path, headers, body).await;
        let good = post(&[], REQUEST).await;
        assert_eq!(good.status, StatusCode::OK, "{path}: {good:?}");
        for kind in ["application/json; charset=utf-8", "Application/JSON"] {
            assert_eq!(
                post(&[("content-type", kind)], REQUEST).await.status,
                StatusCode::OK,
                "{path} {kind}"
            );
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"] {
            let answer = post(&[("content-type", kind)], REQUEST).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "unsupported_content_type"));
        }
        for body in [
            "",
            "[]",
            "null",
            "\"x\"",
            "{",
            r#"{ "subject": {"type":"user","id":"alice"} , broken"#,
            "{}",
            "\u{feff}{}",
        ] {
            let answer = post(&[], body).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (400, "invalid_request"),
                "{path} {body}"
            );
        }
        let list = format!("[{REQUEST}]");
        assert_eq!(post(&[], &list).await.code(), "invalid_request", "{path}");
        let long = format!("{}{}", REQUEST, " ".repeat(1024 * 1024));
        let answer = post(&[], &long).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "body_too_large"), "{path}");
        let deep = format!("{{\"context\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(post(&[], &deep).await.code(), "invalid_request", "{path}");
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            let answer = call(setup.address(), method, path, &[], REQUEST).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (405, "method_not_allowed"));
            assert_eq!(answer.header("allow"), "POST", "{path} {method}");
        }
        // The same question has the same answer.
        for _ in 0..3 {
            assert_eq!(post(&[], REQUEST).await.body, good.body, "{path}");
        }
    }
}

#[tokio::test]
async fn who_asks_has_a_key_of_the_organization() {
    let mut setup = Setup::new().await;
    let other = World { organization: "other".to_owned(), ..full_world("other") };
    import(&mut setup.connection, &other, false).await.unwrap();
    let foreign = api_key(&mut setup.connection, "other").await;
    let token = setup.token("user:ann", 60);
    let json = ("content-type", "application/json");
    for path in PATHS {
        let answer = call(setup.address(), "POST", path, &[json], REQUEST).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "missing_credentials"));
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"postern\"");
        // Nothing of the request is looked at before.
        let answer = call(setup.address(), "POST", path, &[], "{").await;
        assert_eq!(answer.code(), "missing_credentials");
        let with = async |path: &str, bearer: &str| {
            setup.post(path, &[("authorization", &format!("Bearer {bearer}"))], REQUEST).await
        };
        for bad in ["postern_key_nobody", "undefined", &token] {
            let answer = with(path, bad).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "invalid_key"), "{bad}");
            assert!(answer.header("www-authenticate").contains("invalid_token"));
        }
        // Another organization's key, for one that exists and for one that does not: the same answer.
        let here = with(path, &foreign).await;
        let nowhere = with(&format!("/orgs/nowhere{path}"), &foreign).await;
        let there = with(&format!("/orgs/acme{path}"), &foreign).await;
        for answer in [&here, &nowhere, &there] {
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "other_organization"));
            assert_eq!(answer.body, here.body);
        }
        assert_eq!(with(&format!("/orgs/other{path}"), &foreign).await.status, StatusCode::OK);
        let answer = with(&format!("/orgs/%ff{path}"), &foreign).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_path"));
    }
}

#[tokio::test]
async fn a_key_that_was_good_is_refused_as_soon_as_it_is_revoked() {
    let mut setup = Setup::new().await;
    // Often enough that it is remembered.
    for _ in 0..5 {
        assert_eq!(setup.post(PATHS[0], &[], REQUEST).await.status, StatusCode::OK);
    }
    run(&mut setup.connection, "UPDATE api_keys SET revoked_at = now()").await;
    let begun = Instant::now();
    loop {
        let answer = setup.post(PATHS[0], &[], REQUEST).await;
        if answer.status == StatusCode::UNAUTHORIZED {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "a second later it is still good");
    }
}

#[tokio::test]
async fn the_callers_request_id_comes_back() {
    let setup = Setup::new().await;
    let id = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716 / any text";
    for (body, headers) in [(REQUEST, vec![]), ("{", vec![]), (REQUEST, vec![("authorization", "Bearer x")])]
    {
        let mut headers = headers;
        headers.push(("x-request-id", id));
        assert_eq!(setup.post(PATHS[0], &headers, body).await.header("x-request-id"), id);
    }
    assert!(!setup.post(PATHS[0], &[], REQUEST).await.header("x-request-id").is_empty());
}

/// A write, and a decision that is at least as new.
#[tokio::test]
async fn a_decision_is_as_new_as_it_is_asked_to_be() {
    let mut setup = Setup::new().await;
    let first = setup.post(PATHS[0], &[], REQUEST).await;
    let token = first.header("postern-consistency-token").to_owned();
    let revision: u64 = first.header("postern-revision").parse().unwrap();
    assert_eq!(first.json()["decision"], true, "{first:?}");
    let again = setup.post(PATHS[0], &[("postern-at-least", &token)], REQUEST).await;
    assert_eq!(again.body, first.body);

    // As a write would answer: the token of the revision that it made.
    let next = token.replacen(&revision.to_string(), &(revision + 1).to_string(), 1);
    run(&mut setup.connection, "UPDATE subjects SET active = false WHERE subject_id = 'user:ann'").await;
    let answer = setup.post(PATHS[0], &[("postern-at-least", &next)], REQUEST).await;
    assert_eq!(answer.json(), json!({"decision": false, "context": {"reason": "inactive_subject"}}));
    assert_eq!(answer.header("postern-consistency-token"), next);

    let begun = Instant::now();
    let far = token.replacen(&revision.to_string(), "999999", 1);
    let answer = setup.post(PATHS[0], &[("postern-at-least", &far)], REQUEST).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "revision_not_reached"));
    assert!(begun.elapsed() >= Duration::from_secs(4), "it waits for a while");
    for bad in ["", "7", "7.0000000000000000", "x.y"] {
        let answer = setup.post(PATHS[0], &[("postern-at-least", bad)], REQUEST).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "invalid_revision_token"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn what_may_be_old_decides_nothing() {
    let setup = Setup::with(Config { stale_after: Duration::from_millis(300), ..config() }).await;
    assert_eq!(setup.post(PATHS[0], &[], REQUEST).await.status, StatusCode::OK);
    let (address, name) = setup.url.rsplit_once('/').unwrap();
    let mut admin = PgConnection::connect(&format!("{address}/postgres")).await.unwrap();
    run(&mut admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    let others = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    run(&mut admin, &others).await;
    let stale = wait_for(&setup, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(stale.code(), "stale_snapshot");
    assert_eq!(stale.header("retry-after"), "1");
    run(&mut admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    wait_for(&setup, StatusCode::OK).await;
}

/// Facts that do not compile leave the state before in force, and it gets older.
#[tokio::test]
async fn what_is_known_to_be_old_decides_for_a_while_only() {
    let mut setup = Setup::with(Config { stale_after: Duration::from_millis(500), ..config() }).await;
    assert_eq!(setup.post(PATHS[0], &[], REQUEST).await.status, StatusCode::OK);
    // No path of ours writes this: a constraint is taken away first.
    run(&mut setup.connection, "ALTER TABLE resources DROP CONSTRAINT resources_owner_group_fkey").await;
    run(&mut setup.connection, "UPDATE resources SET owner_id = 'group:nobody' WHERE resource_id = 's1'")
        .await;
    let stale = wait_for(&setup, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(stale.code(), "stale_snapshot");
    run(&mut setup.connection, "UPDATE resources SET owner_id = NULL WHERE resource_id = 's1'").await;
    wait_for(&setup, StatusCode::OK).await;
}

async fn wait_for(setup: &Setup, status: StatusCode) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = setup.post(PATHS[0], &[], REQUEST).await;
        if answer.status == status {
            return answer;
        }
        assert!(begun.elapsed() < crate::support::PATIENCE, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test]
async fn the_metadata_lists_what_is_served() {
    let public_url = Some("https://pdp.example.com".to_owned());
    let setup = Setup::with(Config { public_url, ..config() }).await;
    let well_known = "/.well-known/authzen-configuration";
    for (path, identifier) in [
        ("", "https://pdp.example.com"),
        ("/", "https://pdp.example.com"),
        ("/orgs/acme", "https://pdp.example.com/orgs/acme"),
        ("/orgs/acme/", "https://pdp.example.com/orgs/acme"),
        // The same for one that does not exist, and in the caller's spelling.
        ("/orgs/no%20one", "https://pdp.example.com/orgs/no%20one"),
    ] {
        let answer = get(setup.address(), &format!("{well_known}{path}"), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
        let document = answer.json();
        assert_eq!(document["policy_decision_point"], identifier);
        let members = [
            "access_evaluation_endpoint",
            "access_evaluations_endpoint",
            "search_subject_endpoint",
            "search_resource_endpoint",
            "search_action_endpoint",
        ];
        for (member, path) in members.into_iter().zip(PATHS) {
            assert_eq!(document[member], format!("{identifier}{path}"));
        }
        assert_eq!(document.as_object().unwrap().len(), 6);
    }
    for path in ["/orgs", "/orgs/", "/orgs/a/b", "/elsewhere", "x"] {
        let answer = get(setup.address(), &format!("{well_known}{path}"), &[]).await;
        assert_eq!(answer.code(), "not_found", "{path}");
    }
}

#[tokio::test]
async fn without_a_default_organization_the_root_decides_nothing() {
    let setup = Setup::with(Config { default_organization: None, ..config() }).await;
    for path in PATHS {
        let answer = setup.post(path, &[], REQUEST).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "no_default_organization"));
        assert_eq!(setup.post(&format!("/orgs/acme{path}"), &[], REQUEST).await.status, StatusCode::OK);
    }
    let answer = get(setup.address(), "/.well-known/authzen-configuration", &[]).await;
    assert_eq!(answer.code(), "not_found");
    // Nobody said where it is reached: it is where it listens.
    let answer = get(setup.address(), "/.well-known/authzen-configuration/orgs/acme", &[]).await;
    let identifier = format!("http://{}/orgs/acme", setup.address());
    assert_eq!(answer.json()["policy_decision_point"], identifier);
}
