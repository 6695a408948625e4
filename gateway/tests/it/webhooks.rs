//! Webhooks: what was committed is told, in its order, until it is taken; and nothing else is.

use crate::management_resources::refused;
use crate::measured::{metrics, value};
use crate::secrets::Desk;
use crate::support::{PATIENCE, api_key, config, revision, run};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use postern_gateway::app::Gateway;
use postern_gateway::config::Config;
use postern_gateway::webhooks::target::Target;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Whoever is told: what came, and how the next ones are answered; 200 after these.
#[derive(Clone, Default)]
struct Listener {
    came: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Listener {
    /// Listens on loopback; its origin.
    async fn start() -> (Listener, String) {
        let listener = Listener::default();
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", socket.local_addr().unwrap());
        let take = async |State(listener): State<Listener>, headers: HeaderMap, body: Bytes| {
            let text = String::from_utf8(body.to_vec()).unwrap();
            listener.came.lock().unwrap().push((headers, text));
            let status = listener.answers.lock().unwrap().pop_front().unwrap_or(200);
            StatusCode::from_u16(status).unwrap()
        };
        let router = Router::new().fallback(take).with_state(listener.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        (listener, origin)
    }

    fn answer(&self, with: impl IntoIterator<Item = u16>) {
        *self.answers.lock().unwrap() = with.into_iter().collect();
    }

    fn messages(&self) -> Vec<Value> {
        let came = self.came.lock().unwrap();
        came.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    /// Types of what came, once it is so many.
    async fn types(&self, count: usize) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let messages = self.messages();
            if messages.len() >= count {
                return messages.iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect();
            }
            assert!(begun.elapsed() < PATIENCE, "{messages:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn with_target(origin: &str) -> Config {
    let metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    Config { webhook_targets: vec![Target::parse(origin).unwrap()], metrics_listen, ..config() }
}

impl Desk {
    async fn hook(&mut self, origin: &str, events: Value) -> String {
        let body = json!({"url": format!("{origin}/hook?x=1"), "events": events});
        let answer = self.call("", "POST", "webhooks", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn role(&mut self, name: &str) -> String {
        let body = json!({"name": name, "permissions": ["note:read"]});
        let answer = self.call("", "POST", "roles", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn deliveries(&mut self, hook: &str) -> Value {
        self.call("", "GET", &format!("webhooks/{hook}/deliveries"), Value::Null).await.json()
    }

    async fn until(&mut self, hook: &str, member: &str, wanted: Value) -> Value {
        let begun = Instant::now();
        loop {
            let deliveries = self.deliveries(hook).await;
            if deliveries[member] == wanted {
                return deliveries;
            }
            assert!(begun.elapsed() < PATIENCE, "{member}: {wanted} in {deliveries}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Whether a message is signed with a secret.
fn signed((headers, body): &(HeaderMap, String), secret: &str) -> bool {
    let header = |name: &str| headers[name].to_str().unwrap();
    let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let text = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    let mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap().chain_update(text).finalize().into_bytes();
    let wanted = format!("v1,{}", STANDARD.encode(mac));
    header("webhook-signature").split(' ').any(|one| one == wanted)
}

/// GR-46: what was written is told after it was committed, in its order, whole, and until it is taken.
#[tokio::test]
async fn gr_46_what_was_written_is_told_in_its_order_until_it_is_taken() {
    let (listener, origin) = Listener::start().await;
    let mut desk = Desk::with(with_target(&origin)).await;
    desk.role("Before").await;
    let hook = desk.hook(&origin, json!(["role", "assignment"])).await;
    listener.answer([500, 302, 404]);
    let role = desk.role("Night shift").await;
    let given = json!({"subject": "user:x", "role": role, "at": null});
    let assignment = desk.call("", "POST", "assignments", given).await.json();
    // What is refused was never written.
    let wrong = json!({"name": "Night shift", "permissions": []});
    refused(&desk.call("", "POST", "roles", wrong).await, 409, "name_taken");
    let preview = json!({"name": "Asked only", "permissions": []});
    assert_eq!(desk.call("", "POST", "roles?preview=true", preview).await.status, 200);
    let path = format!("roles/{role}");
    let body = json!({"name": "Day shift", "permissions": []});
    assert_eq!(desk.call("", "PUT", &path, body).await.status, 200);
    let told = listener.types(6).await;
    let (first, rest) = told.split_at(3);
    assert!(first.iter().all(|kind| kind == "role.create"), "the first until it is taken: {told:?}");
    assert_eq!(rest, ["role.create", "assignment.create", "role.update"]);
    let messages = listener.messages();
    assert!(messages[..4].iter().all(|message| *message == messages[0]), "the same each time");
    assert_eq!(messages[4]["data"]["after"], assignment);
    assert_eq!(messages[4]["organization"], "acme");
    let update = &messages[5]["data"];
    assert_eq!(
        (&update["before"]["name"], &update["after"]["name"]),
        (&json!("Night shift"), &json!("Day shift"))
    );
    assert_eq!(
        (&update["target"], update["actor"].as_str().unwrap().starts_with("key:")),
        (&json!(role), true)
    );
    let now = revision(&mut desk.setup.connection, "acme").await;
    assert_eq!(messages[5]["revision"], now.to_string());
    // Signed, with an id that stays.
    let secret = desk.call("", "GET", &format!("webhooks/{hook}/secret"), Value::Null).await.json();
    let secret = secret["secret"].as_str().unwrap().to_owned();
    let came = listener.came.lock().unwrap().clone();
    for (message, (headers, body)) in messages.iter().zip(&came) {
        assert!(signed(&(headers.clone(), body.clone()), &secret));
        assert_eq!(message["id"], headers["webhook-id"].to_str().unwrap());
        assert_eq!(headers["content-type"], "application/json");
    }
    let mut other = came[0].clone();
    other.1.push(' ');
    assert!(!signed(&other, &secret), "a signature is of its body");
    let deliveries = desk.until(&hook, "waiting", json!(0)).await;
    assert_eq!((&deliveries["attempts"], &deliveries["failing_since"]), (&json!(0), &Value::Null));
    let text = metrics(&desk.setup).await;
    assert_eq!(value(&text, "postern_webhook_deliveries_total{taken=\"0\"}"), 3.0);
    assert_eq!(value(&text, "postern_webhook_deliveries_total{taken=\"1\"}"), 3.0);
    // Another secret, and the one before for a while.
    let rotated = desk.call("", "POST", &format!("webhooks/{hook}/rotate"), Value::Null).await;
    assert_eq!(rotated.status, 200);
    let second = desk.call("", "GET", &format!("webhooks/{hook}/secret"), Value::Null).await.json();
    let second = second["secret"].as_str().unwrap();
    assert_ne!(second, secret);
    desk.role("Last").await;
    listener.types(7).await;
    let last = listener.came.lock().unwrap()[6].clone();
    assert!(signed(&last, second) && signed(&last, &secret));
}

/// Revisions by whatever path are told, the newest only.
#[tokio::test]
async fn the_newest_revision_is_told() {
    let (listener, origin) = Listener::start().await;
    let mut desk = Desk::with(with_target(&origin)).await;
    let hook = desk.hook(&origin, json!(["revision"])).await;
    assert_eq!(listener.types(1).await, ["revision"], "the one that there is");
    listener.answer([500]);
    for number in 0..20 {
        let sql =
            format!("INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:n{number}')");
        run(&mut desk.setup.connection, &sql).await;
    }
    let now = json!(revision(&mut desk.setup.connection, "acme").await.to_string());
    let begun = Instant::now();
    while listener.messages().last().unwrap()["revision"] != now
        || desk.deliveries(&hook).await["attempts"] != 0
    {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(listener.messages().len() < 20, "not each of them");
    let last = listener.came.lock().unwrap().last().unwrap().clone();
    assert_eq!(last.0["webhook-id"].to_str().unwrap(), serde_json::from_str::<Value>(&last.1).unwrap()["id"]);
}

/// What is refused for three days is given up, is shown, and can be told once more; what comes after it is told.
#[tokio::test]
async fn what_is_given_up_is_kept_and_told_when_it_is_wanted() {
    let (listener, origin) = Listener::start().await;
    let mut desk = Desk::with(with_target(&origin)).await;
    let hook = desk.hook(&origin, json!(["role"])).await;
    listener.answer([500, 500]);
    let old = "INSERT INTO audit_events (organization_id, occurred_at, revision, actor, operation, target)
        SELECT 'acme', now() - interval '4 days', 1, 'a', 'role.create', 'old' || n FROM generate_series(1, 3) AS n";
    run(&mut desk.setup.connection, old).await;
    let deliveries = desk.until(&hook, "given_up", json!(3)).await;
    assert_eq!(deliveries["dead_letters"][0]["error"], "it answers with status 500");
    assert_eq!((&deliveries["waiting"], &deliveries["attempts"]), (&json!(0), &json!(1)));
    assert!(deliveries["next_attempt_at"].is_string());
    // It goes on with what is newer, once it may be asked again.
    desk.role("New").await;
    let told = listener.types(3).await;
    assert_eq!(told.len(), 3);
    assert_eq!(listener.messages()[2]["data"]["after"]["name"], "New");
    let again = desk.call("", "POST", &format!("webhooks/{hook}/retry"), Value::Null).await;
    assert_eq!(again.json(), json!({"again": 3}));
    desk.until(&hook, "given_up", json!(0)).await;
    let targets: Vec<Value> =
        listener.messages()[3..].iter().map(|one| one["data"]["target"].clone()).collect();
    assert_eq!(targets, ["old1", "old2", "old3"]);
}

/// Who says that it is gone is told no more, and who is not allowed is told nothing.
#[tokio::test]
async fn a_webhook_ends_when_it_says_so() {
    let (listener, origin) = Listener::start().await;
    let mut desk = Desk::with(with_target(&origin)).await;
    let hook = desk.hook(&origin, json!(["*"])).await;
    assert_eq!(listener.types(1).await, ["webhook.create"], "all, from its own making on");
    listener.answer([410]);
    desk.role("R1").await;
    listener.types(2).await;
    let begun = Instant::now();
    while desk.call("", "GET", &format!("webhooks/{hook}"), Value::Null).await.json()["active"] != false {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    desk.role("R2").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(listener.messages().len(), 2);
    // Made active again, it goes on where it was.
    let body = json!({"url": format!("{origin}/other"), "events": ["role"]});
    let path = format!("webhooks/{hook}");
    assert_eq!(desk.call("", "PUT", &path, body).await.status, 200);
    let told = listener.types(4).await;
    assert_eq!(told[2..], ["role.create", "role.create"]);
    // An address by SQL that nobody allowed is asked nothing.
    let (elsewhere, other) = Listener::start().await;
    let sql = format!("UPDATE webhooks SET url = '{other}/hook'");
    run(&mut desk.setup.connection, &sql).await;
    desk.role("R3").await;
    desk.until(&hook, "last_error", json!("no --webhook-to allows its address")).await;
    assert!(elsewhere.messages().is_empty());
    let body = json!({"url": format!("{other}/hook"), "events": ["role"]});
    refused(&desk.call("", "POST", "webhooks", body).await, 403, "webhook_not_allowed");
    assert_eq!(desk.call("", "DELETE", &path, Value::Null).await.status, 204);
    refused(&desk.call("", "GET", &path, Value::Null).await, 404, "item_not_found");
}

/// Of several gateways one tells; what one had in hand when it ended, another one goes on with.
#[tokio::test]
async fn gateways_share_the_telling() {
    let (listener, origin) = Listener::start().await;
    let mut desk = Desk::with(with_target(&origin)).await;
    let others = [(); 2].map(|()| Gateway::start(with_target(&origin), &desk.setup.url));
    let others = futures_util::future::try_join_all(others).await.unwrap();
    let hook = desk.hook(&origin, json!(["role"])).await;
    for number in 0..30 {
        desk.role(&format!("R{number}")).await;
    }
    listener.types(30).await;
    desk.until(&hook, "waiting", json!(0)).await;
    let names: Vec<String> = listener
        .messages()
        .iter()
        .map(|one| one["data"]["after"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, (0..30).map(|number| format!("R{number}")).collect::<Vec<_>>());
    let hold = "UPDATE webhooks SET claimed_until = now() + interval '1 hour'";
    run(&mut desk.setup.connection, hold).await;
    desk.role("Held").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(listener.messages().len(), 30, "another one has it in hand");
    run(&mut desk.setup.connection, "UPDATE webhooks SET claimed_until = now()").await;
    listener.types(31).await;
    for other in others {
        other.stop().await.unwrap();
    }
}

/// Who manages webhooks hears of what was written only if they may read that.
#[tokio::test]
async fn a_webhook_tells_what_its_maker_may_read() {
    let mut desk = Desk::new().await;
    let body = |events: Value| json!({"url": "https://hooks.example.com/a", "events": events});
    assert_eq!(desk.call("user:y", "POST", "webhooks", body(json!(["revision"]))).await.status, 201);
    let denied = desk.call("user:y", "POST", "webhooks", body(json!(["revision", "role"]))).await;
    assert_eq!(refused(&denied, 403, "forbidden")["required"], "audit:read");
    let denied = desk.call("user:x", "POST", "webhooks", body(json!(["revision"]))).await;
    assert_eq!(refused(&denied, 403, "forbidden")["required"], "webhook:manage");
    let made = desk.call("user:root", "POST", "webhooks", body(json!(["*"]))).await;
    assert_eq!(made.status, 201);
    let path = format!("webhooks/{}", made.json()["id"].as_str().unwrap());
    let denied = desk.call("user:y", "PUT", &path, body(json!(["*"]))).await;
    assert_eq!(refused(&denied, 403, "forbidden")["required"], "audit:read");
    let reader = api_key(&mut desk.setup.connection, "acme").await;
    let denied = desk.setup.manage("GET", &format!("{path}/secret"), &reader, &[], Value::Null).await;
    refused(&denied, 403, "read_only_key");
    for (body, what) in [
        (json!({"url": "https://hooks.example.com/#a", "events": ["role"]}), "url:"),
        (json!({"url": "https://a:b@hooks.example.com/", "events": ["role"]}), "url:"),
        (json!({"url": "hooks.example.com", "events": ["role"]}), "url:"),
        (json!({"url": "https://hooks.example.com/", "events": []}), "events:"),
        (json!({"url": "https://hooks.example.com/", "events": ["role", "odd"]}), "events/1:"),
        (
            json!({"url": "https://hooks.example.com/", "events": ["role"], "description": "\u{0}"}),
            "description:",
        ),
    ] {
        let problem = refused(&desk.call("", "POST", "webhooks", body).await, 400, "invalid_request");
        assert!(problem["detail"].as_str().unwrap().contains(what), "{problem}");
    }
    // The audit tells that there is one, and no secret.
    let audit = desk.call("", "GET", "audit", Value::Null).await;
    let text = String::from_utf8(audit.body.to_vec()).unwrap();
    assert!(text.contains("webhook.create") && !text.contains("whsec_"));
}
