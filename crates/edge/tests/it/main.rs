//! The agent against a gateway that says whatever a test wants it to: also what no good one would.

mod envoy;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use postern_edge::Agent;
use postern_edge::config::{Config, gateway};
use postern_edge::routes::Routes;
use postern_snapshot::{Snapshot, diff};
use postern_statement::{KeySet, SecretKey, Statement, hash};
use postern_world::World;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// Nothing here takes longer, on any machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn world(revision: u64, may: bool) -> World {
    let assignments = if may {
        r#"{"subject": "user:ann", "role": "role:tech", "at": {"type": "site", "id": "s1"}}"#
    } else {
        ""
    };
    let text = format!(
        r#"{{"format": "postern-world/1", "organization": "acme", "revision": {revision},
            "catalog": {{"types": {{"site": {{"scope": true}}, "miner": {{"registered": false}}}},
                "permissions": {{"miner:reboot": {{}}, "fleet:read": {{}}}}}},
            "subjects": [{{"id": "user:ann"}}],
            "resources": [{{"type": "site", "id": "s1"}}, {{"type": "site", "id": "s2"}}],
            "roles": [{{"id": "role:tech", "permissions": ["miner:reboot"]}}],
            "assignments": [{assignments}]}}"#
    );
    World::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn snapshot(revision: u64, may: bool) -> Bytes {
    postern_compile::compile(&world(revision, may)).unwrap().to_bytes().into()
}

fn key() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// What a good gateway states of a snapshot now.
fn about(bytes: &[u8]) -> Statement {
    let revision = Snapshot::open(bytes).unwrap().revision();
    Statement {
        organization: "acme".to_owned(),
        subject: None,
        epoch: "e1".to_owned(),
        revision,
        as_of: revision,
        hash: hash(bytes),
        iat: now(),
        exp: now() + 60,
    }
}

fn stated(statement: &Statement) -> String {
    format!("event: statement\ndata: {{\"statement\":\"{}\"}}\n\n", key().sign(statement))
}

fn state(bytes: &[u8]) -> String {
    event("state", bytes, &hash(bytes))
}

fn delta(old: &[u8], new: &[u8]) -> String {
    event("delta", &diff(&Snapshot::open(old).unwrap(), &Snapshot::open(new).unwrap()), &hash(new))
}

fn event(kind: &str, bytes: &[u8], hash: &str) -> String {
    let etag = &hash[..32];
    format!(
        "event: {kind}\ndata: {{\"etag\":\"\\\"{etag}\\\"\",\"bytes\":\"{}\"}}\n\n",
        STANDARD.encode(bytes)
    )
}

/// A gateway that does as it is told.
struct Told {
    address: SocketAddr,
    connections: mpsc::UnboundedReceiver<Connection>,
    keys: Arc<Keys>,
}

struct Keys {
    set: Mutex<String>,
    read: AtomicUsize,
}

/// A follower's stream.
struct Connection {
    holding: Option<String>,
    out: mpsc::UnboundedSender<String>,
}

impl Connection {
    fn say(&self, text: impl Into<String>) {
        self.out.send(text.into()).unwrap();
    }
}

impl Told {
    async fn new() -> Told {
        Told::at("127.0.0.1:0".parse().unwrap()).await
    }

    async fn at(address: SocketAddr) -> Told {
        let (accepted, connections) = mpsc::unbounded_channel();
        let set = Mutex::new(KeySet::of([key().public()]).to_json());
        let keys = Arc::new(Keys { set, read: AtomicUsize::new(0) });
        let stream = move |headers: HeaderMap| {
            let accepted = accepted.clone();
            async move {
                assert_eq!(headers["authorization"], "Bearer the-key");
                let holding = headers.get("if-none-match").map(|tag| tag.to_str().unwrap().to_owned());
                let (out, said) = mpsc::unbounded_channel::<String>();
                let _ = accepted.send(Connection { holding, out });
                let chunks = futures_util::stream::unfold(said, |mut said| async move {
                    Some((Ok::<_, Infallible>(said.recv().await?), said))
                });
                let mut response = Body::from_stream(chunks).into_response();
                response.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
                response
            }
        };
        let published = |State(keys): State<Arc<Keys>>| async move {
            keys.read.fetch_add(1, Ordering::SeqCst);
            keys.set.lock().unwrap().clone()
        };
        let router = Router::new()
            .route("/v1/organizations/acme/stream", get(stream))
            .route("/.well-known/jwks.json", get(published))
            .with_state(keys.clone());
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Told { address, connections, keys }
    }

    /// The next connection of the agent.
    async fn accept(&mut self) -> Connection {
        tokio::time::timeout(PATIENCE, self.connections.recv()).await.expect("the agent comes back").unwrap()
    }

    fn config(&self) -> Config {
        let routes = r#"{"routes": [
            {"path": "/public/*", "public": true},
            {"path": "/sites/{site}/reboot", "methods": ["POST"], "permission": "miner:reboot",
             "at": {"type": "site", "id": "{site}"}}]}"#;
        Config {
            gateway: gateway(&format!("http://{}", self.address)).unwrap(),
            key: "the-key".to_owned(),
            routes: Routes::parse(routes).unwrap(),
            ..blank()
        }
    }

    async fn agent(&self) -> Agent {
        Agent::start(self.config()).await.unwrap()
    }

    /// One that holds revision 1, where ann may.
    async fn following(&mut self) -> (Agent, Connection) {
        let agent = self.agent().await;
        let connection = self.accept().await;
        let bytes = snapshot(1, true);
        connection.say(stated(&about(&bytes)) + &state(&bytes));
        holds(&agent, 1).await;
        (agent, connection)
    }
}

/// Waits until a revision is in force.
async fn holds(agent: &Agent, revision: u64) {
    until(|| agent.holder().held().is_some_and(|held| held.revision() == revision)).await;
}

async fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn ask(
    agent: &Agent,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response<Bytes> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(method).uri(format!("http://{}{path}", agent.address()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client.request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

const MAY_ANN: &str = r#"{"subject": {"type": "user", "id": "ann"}, "action": {"name": "reboot"},
    "resource": {"type": "miner", "id": "m", "properties": {"parents": [{"type": "site", "id": "s1"}]}}}"#;

/// Whether ann may; the code of the refusal where nothing is decided.
async fn may_ann(agent: &Agent) -> Result<bool, String> {
    let json = [("content-type", "application/json")];
    let answer = ask(agent, "POST", "/access/v1/evaluation", &json, MAY_ANN).await;
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    match answer.status() {
        StatusCode::OK => Ok(body["decision"].as_bool().unwrap()),
        _ => Err(body["code"].as_str().unwrap().to_owned()),
    }
}

#[tokio::test]
async fn it_follows_states_and_deltas_and_answers() {
    let mut told = Told::new().await;
    let agent = told.agent().await;
    assert_eq!(may_ann(&agent).await, Err("no_snapshot".to_owned()));
    assert_eq!(ask(&agent, "GET", "/readyz", &[], "").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let connection = told.accept().await;
    assert_eq!(connection.holding, None);
    let (one, two, three) = (snapshot(1, true), snapshot(2, false), snapshot(3, true));
    // The order of a good gateway, and the other one: bytes wait for the statement that names them.
    connection.say(state(&one));
    connection.say(": a comment\n\nevent: later\ndata: version\n\n");
    connection.say(stated(&about(&one)));
    holds(&agent, 1).await;
    assert_eq!(may_ann(&agent).await, Ok(true));

    // Two steps under one statement, in one piece.
    connection.say(stated(&about(&three)) + &delta(&one, &two) + &delta(&two, &three));
    holds(&agent, 3).await;
    assert_eq!(may_ann(&agent).await, Ok(true));
    let four = snapshot(4, false);
    connection.say(stated(&about(&four)) + &delta(&three, &four));
    holds(&agent, 4).await;
    assert_eq!(may_ann(&agent).await, Ok(false));
    let answer = ask(&agent, "GET", "/readyz", &[], "").await;
    let ready: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!((&ready["status"], &ready["revision"]), (&"ready".into(), &4.into()));

    // It comes back with the tag of what it holds.
    drop(connection);
    let again = told.accept().await;
    assert_eq!(again.holding, Some(format!("\"{}\"", &hash(&four)[..32])));
    agent.stop().await.unwrap();
}

/// Whatever happens to the bytes on their way: what was verified stays in force, and a whole snapshot heals.
#[tokio::test]
async fn nothing_unverified_comes_into_force() {
    let (one, two, three) = (snapshot(1, true), snapshot(2, false), snapshot(3, true));
    let flipped = |bytes: &Bytes| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        bytes
    };
    let forged = SecretKey::from_seed(&[2; 32]).sign(&about(&three));
    let forged = format!("event: statement\ndata: {{\"statement\":\"{forged}\"}}\n\n");
    let signed = stated(&about(&two));
    let broken = signed.replacen("\"statement\":\"ey", "\"statement\":\"fy", 1);
    let other = Statement { organization: "other".to_owned(), ..about(&two) };
    let contradicts = Statement { revision: 7, as_of: 7, ..about(&two) };
    let slice = postern_snapshot::slice(&Snapshot::open(&two).unwrap(), "user:ann").unwrap().to_bytes();
    for (what, said) in [
        ("bytes with a flipped bit", stated(&about(&two)) + &state(&flipped(&two))),
        (
            "a delta with a flipped bit",
            stated(&about(&two)) + &event("delta", &flipped(&delta_bytes(&one, &two)), &hash(&two)),
        ),
        ("other bytes than those that are stated", stated(&about(&two)) + &state(&three)),
        ("a delta that was lost", stated(&about(&three)) + &delta(&two, &three)),
        ("deltas in the wrong order", stated(&about(&three)) + &delta(&two, &three) + &delta(&one, &two)),
        ("a statement of another authority", forged + &state(&three)),
        ("a statement with a flipped bit", broken + &state(&two)),
        ("a statement about another organization", stated(&other) + &state(&two)),
        ("a statement that contradicts the bytes", stated(&contradicts) + &state(&two)),
        ("a delta that never comes", stated(&about(&three)) + &delta(&one, &two) + &stated(&about(&three))),
        ("a slice", stated(&Statement { hash: hash(&slice), ..about(&two) }) + &state(&slice)),
        ("no base64", stated(&about(&two)) + &state(&two).replace("\"bytes\":\"", "\"bytes\":\"!")),
        ("no JSON", "event: state\ndata: [\n\n".to_owned()),
        ("no text", "event: statement\ndata: {\"statement\":7}\n\n".to_owned()),
    ] {
        let mut told = Told::new().await;
        let (agent, connection) = told.following().await;
        connection.say(said);
        let again = told.accept().await;
        assert_eq!(agent.holder().held().unwrap().revision(), 1, "{what}");
        assert_eq!(may_ann(&agent).await, Ok(true), "{what}");
        assert_eq!(again.holding, None, "{what}: it asks for a whole snapshot");
        again.say(stated(&about(&two)) + &state(&two));
        holds(&agent, 2).await;
        assert_eq!(may_ann(&agent).await, Ok(false), "{what}: healed");
        agent.stop().await.unwrap();
    }
}

fn delta_bytes(old: &[u8], new: &[u8]) -> Bytes {
    diff(&Snapshot::open(old).unwrap(), &Snapshot::open(new).unwrap()).into()
}

/// An old state, signed when it was true, is not put into force again.
#[tokio::test]
async fn nothing_old_comes_back() {
    let mut told = Told::new().await;
    let (agent, connection) = told.following().await;
    let (one, two) = (snapshot(1, true), snapshot(2, false));
    let old = Statement { iat: now() - 5, exp: now() + 55, ..about(&one) };
    connection.say(stated(&about(&two)) + &delta(&one, &two));
    holds(&agent, 2).await;
    connection.say(stated(&old) + &state(&one));
    let again = told.accept().await;
    assert_eq!(may_ann(&agent).await, Ok(false));
    assert!(again.holding.is_some(), "a gateway that is behind is no damage");
    // Said twice does not hurt.
    again.say(stated(&about(&two)) + &state(&two) + &stated(&about(&two)) + &state(&two));
    // A database that was restored says so itself, in a later second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    again.say(stated(&Statement { epoch: "e2".to_owned(), ..about(&one) }) + &state(&one));
    holds(&agent, 1).await;
    assert_eq!(may_ann(&agent).await, Ok(true));
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn past_its_validity_nothing_is_decided() {
    let mut told = Told::new().await;
    let agent = told.agent().await;
    let connection = told.accept().await;
    let one = snapshot(1, true);
    let short = |as_of| Statement { exp: now() + 2, as_of, ..about(&one) };
    connection.say(stated(&short(1)) + &state(&one));
    holds(&agent, 1).await;
    assert_eq!(may_ann(&agent).await, Ok(true));
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(may_ann(&agent).await, Err("stale_snapshot".to_owned()));
    let forward = [
        ("x-original-method", "POST"),
        ("x-original-uri", "/sites/s1/reboot"),
        ("x-auth-subject", "user:ann"),
    ];
    assert_eq!(ask(&agent, "GET", "/nginx", &forward, "").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    // Where it is said again, it is fresh again; and as new as was asked for.
    connection.say(stated(&Statement { exp: now() + 60, ..short(5) }));
    let begun = Instant::now();
    while may_ann(&agent).await.is_err() {
        assert!(begun.elapsed() < PATIENCE);
    }
    let held = agent.holder().held().unwrap();
    assert_eq!((held.revision(), held.as_of()), (1, 5));
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn a_decision_waits_for_the_revision_that_it_is_asked_for() {
    let mut told = Told::new().await;
    let (agent, connection) = told.following().await;
    let (one, two) = (snapshot(1, true), snapshot(2, false));
    let headers = [("content-type", "application/json"), ("postern-at-least", "2.0011223344556677")];
    let asked = ask(&agent, "POST", "/access/v1/evaluation", &headers, MAY_ANN);
    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        connection.say(stated(&about(&two)) + &delta(&one, &two));
    };
    let (answer, ()) = tokio::join!(asked, later);
    assert_eq!(
        (answer.status(), &answer.headers()["postern-revision"]),
        (StatusCode::OK, &"2".parse().unwrap())
    );
    assert!(answer.body().starts_with(b"{\"decision\":false"));
    for (token, status) in [("3.0011223344556677", 503), ("x", 400), ("-1.00", 400)] {
        let headers = [headers[0], ("postern-at-least", token)];
        let answer = ask(&agent, "POST", "/access/v1/evaluation", &headers, MAY_ANN).await;
        assert_eq!(answer.status(), status, "{token}");
    }
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn it_starts_from_what_it_has_verified() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Told::new().await;
    let config = Config { state: Some(folder.path().to_owned()), ..told.config() };
    let agent = Agent::start(config.clone()).await.unwrap();
    let connection = told.accept().await;
    let (one, two) = (snapshot(1, true), snapshot(2, false));
    connection.say(stated(&about(&one)) + &state(&one));
    holds(&agent, 1).await;
    connection.say(stated(&about(&two)) + &delta(&one, &two));
    holds(&agent, 2).await;
    connection.say(stated(&Statement { as_of: 9, ..about(&two) }));
    let newest = folder.path().join("statement.json");
    until(|| newest.exists()).await;
    agent.stop().await.unwrap();

    // Nobody answers at the gateway's address.
    let alone = Config { gateway: gateway("http://127.0.0.1:9").unwrap(), ..config.clone() };
    let start = async || Agent::start(alone.clone()).await.unwrap();
    let agent = start().await;
    assert_eq!(may_ann(&agent).await, Ok(false));
    assert_eq!(agent.holder().held().unwrap().as_of(), 9);
    agent.stop().await.unwrap();

    // What is changed on disk is not taken, and neither is what another key signed.
    let file = folder.path().join("state.snapshot");
    let kept = std::fs::read(&file).unwrap();
    let mut changed = kept.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (what, bytes) in
        [("changed", changed), ("cut", kept[..kept.len() / 2].to_vec()), ("empty", Vec::new())]
    {
        std::fs::write(&file, bytes).unwrap();
        let agent = start().await;
        assert_eq!(may_ann(&agent).await, Err("no_snapshot".to_owned()), "{what}");
        agent.stop().await.unwrap();
    }
    std::fs::write(&file, &kept).unwrap();
    let pinned = KeySet::of([SecretKey::from_seed(&[2; 32]).public()]);
    let agent = Agent::start(Config { keys: Some(pinned), ..alone.clone() }).await.unwrap();
    assert_eq!(may_ann(&agent).await, Err("no_snapshot".to_owned()));
    agent.stop().await.unwrap();

    // What is too old is held, shown, and not decided on.
    let old = Statement { iat: now() - 100, exp: now() - 40, ..about(&two) };
    let tagged = format!("{{\"statement\":\"{}\",\"etag\":\"\\\"x\\\"\"}}\n", key().sign(&old));
    std::fs::write(&file, [tagged.as_bytes(), &two].concat()).unwrap();
    std::fs::remove_file(&newest).unwrap();
    let agent = start().await;
    assert_eq!(may_ann(&agent).await, Err("stale_snapshot".to_owned()));
    agent.stop().await.unwrap();
    // The gateway is there again, and is told what is held.
    let agent = Agent::start(config).await.unwrap();
    assert_eq!(told.accept().await.holding.as_deref(), Some("\"x\""));
    agent.stop().await.unwrap();
}

/// Keys that lay on disk are asked for again: one that was withdrawn meanwhile is not believed.
#[tokio::test]
async fn a_withdrawn_key_is_not_believed_for_lying_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Told::new().await;
    let config = Config { state: Some(folder.path().to_owned()), ..told.config() };
    let agent = Agent::start(config.clone()).await.unwrap();
    let connection = told.accept().await;
    let (one, two) = (snapshot(1, true), snapshot(2, false));
    connection.say(stated(&about(&one)) + &state(&one));
    let kept = folder.path().join("state.snapshot");
    until(|| kept.exists()).await;
    agent.stop().await.unwrap();

    let new = SecretKey::from_seed(&[3; 32]);
    *told.keys.set.lock().unwrap() = KeySet::of([new.public()]).to_json();
    let agent = Agent::start(config).await.unwrap();
    let connection = told.accept().await;
    connection.say(stated(&about(&two)) + &delta(&one, &two));
    let connection = told.accept().await;
    assert_eq!(agent.holder().held().unwrap().revision(), 1, "signed by the key that leaked");
    let signed = format!("event: statement\ndata: {{\"statement\":\"{}\"}}\n\n", new.sign(&about(&two)));
    connection.say(signed + &state(&two));
    holds(&agent, 2).await;
    agent.stop().await.unwrap();
}

/// A disk that takes nothing keeps nobody from deciding.
#[tokio::test]
async fn a_disk_that_fails_is_only_a_disk() {
    let mut told = Told::new().await;
    // Writing to this device always fails: it is full.
    let folder = tempfile::tempdir().unwrap();
    for name in ["state.snapshot.new", "statement.json.new", "jwks.json.new"] {
        std::os::unix::fs::symlink("/dev/full", folder.path().join(name)).unwrap();
    }
    let agent =
        Agent::start(Config { state: Some(folder.path().to_owned()), ..told.config() }).await.unwrap();
    let connection = told.accept().await;
    let one = snapshot(1, true);
    connection.say(stated(&about(&one)) + &state(&one));
    holds(&agent, 1).await;
    assert_eq!(may_ann(&agent).await, Ok(true));
    until(|| !folder.path().join("state.snapshot.new").exists()).await;
    assert!(!folder.path().join("state.snapshot").exists());
    agent.stop().await.unwrap();
    let nowhere = Path::new("/proc/nowhere").to_owned();
    let agent = Agent::start(Config { state: Some(nowhere), ..told.config() }).await.unwrap();
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn a_new_key_is_fetched_when_it_signs() {
    let mut told = Told::new().await;
    let (agent, connection) = told.following().await;
    assert_eq!(told.keys.read.load(Ordering::SeqCst), 1);
    let new = SecretKey::from_seed(&[3; 32]);
    let two = snapshot(2, false);
    let signed = format!("event: statement\ndata: {{\"statement\":\"{}\"}}\n\n", new.sign(&about(&two)));
    // Not more often than every 30 seconds, whoever sends statements.
    connection.say(signed.clone());
    let connection = told.accept().await;
    connection.say(signed);
    let _ = told.accept().await;
    assert_eq!(told.keys.read.load(Ordering::SeqCst), 1);
    assert_eq!(may_ann(&agent).await, Ok(true));
    agent.stop().await.unwrap();
    // With both keys published, one that starts now takes either.
    *told.keys.set.lock().unwrap() = KeySet::of([key().public(), new.public()]).to_json();
    let agent = told.agent().await;
    let connection = told.accept().await;
    connection.say(
        format!("event: statement\ndata: {{\"statement\":\"{}\"}}\n\n", new.sign(&about(&two)))
            + &state(&two),
    );
    holds(&agent, 2).await;
    let three = snapshot(3, true);
    connection.say(stated(&about(&three)) + &delta(&two, &three));
    holds(&agent, 3).await;
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn proxies_ask_in_their_own_ways() {
    let mut told = Told::new().await;
    let (agent, _connection) = told.following().await;
    let ann = ("x-auth-subject", "user:ann");
    let nginx = |method, uri| vec![("x-original-method", method), ("x-original-uri", uri)];
    let traefik = |method, uri| vec![("x-forwarded-method", method), ("x-forwarded-uri", uri)];
    for (method, uri, subject, status) in [
        ("POST", "/sites/s1/reboot?force=1", Some(ann), 200),
        ("POST", "/sites/s2/reboot", Some(ann), 403),
        ("POST", "/sites/s1/reboot", Some(("x-auth-subject", "user:nobody")), 403),
        ("POST", "/sites/s1/reboot", None, 401),
        ("POST", "/sites/s1/reboot", Some(("x-auth-subject", "")), 401),
        ("GET", "/sites/s1/reboot", Some(ann), 403),
        ("GET", "/elsewhere", Some(ann), 403),
        ("POST", "/public/../sites/s1/reboot", Some(ann), 403),
        ("GET", "/public/a", None, 200),
    ] {
        for (path, mut headers) in [("/nginx", nginx(method, uri)), ("/forward-auth", traefik(method, uri))] {
            headers.extend(subject);
            let answer = ask(&agent, "GET", path, &headers, "").await;
            assert_eq!(answer.status(), status, "{path} {method} {uri} {subject:?}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            if status == 401 {
                assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"postern\"");
            }
        }
        // Envoy sends the request itself.
        if !uri.contains("..") {
            let headers: Vec<_> = subject.into_iter().collect();
            let answer = ask(&agent, method, &format!("/envoy{uri}"), &headers, "").await;
            assert_eq!(answer.status(), status, "envoy {method} {uri} {subject:?}");
        }
    }
    let mut headers = nginx("POST", "/sites/s2/reboot");
    headers.push(ann);
    let denied = ask(&agent, "GET", "/nginx", &headers, "").await;
    let denied: serde_json::Value = serde_json::from_slice(denied.body()).unwrap();
    assert_eq!((&denied["code"], &denied["required"]), (&"denied".into(), &"miner:reboot".into()));
    assert_eq!(denied["at"], serde_json::json!({"type": "site", "id": "s2"}));
    // One dialect's headers are nothing in another's path; two subjects are none.
    headers.push(("x-auth-subject", "user:root"));
    assert_eq!(ask(&agent, "GET", "/nginx", &headers, "").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&agent, "GET", "/forward-auth", &nginx("GET", "/public/a"), "").await.status(), 400);
    let allowed = ask(&agent, "POST", "/envoy/sites/s1/reboot", &[ann], "").await;
    assert_eq!(allowed.headers()["x-auth-subject"], "user:ann");
    agent.stop().await.unwrap();
}

#[test]
fn few_peers_are_trusted() {
    let told = Config { trusted: vec!["10.0.0.7".parse().unwrap()], ..blank() };
    for (peer, trusted) in [
        ("127.0.0.1", true),
        ("::1", true),
        ("::ffff:127.0.0.1", true),
        ("10.0.0.7", true),
        ("::ffff:10.0.0.7", true),
        ("10.0.0.8", false),
        ("127.0.0.2", false),
        ("fe80::1", false),
    ] {
        assert_eq!(told.trusts(peer.parse().unwrap()), trusted, "{peer}");
    }
}

/// Over another address of this machine than the one that is trusted.
#[tokio::test]
async fn an_untrusted_peer_is_refused() {
    let told = Told::new().await;
    let agent = told.agent().await;
    // Every address of 127.0.0.0/8 is this machine's, and only the first is loopback to the agent.
    let from = tokio::net::TcpSocket::new_v4().unwrap();
    from.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = from.connect(agent.address()).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    for (path, status) in
        [("/envoy/public/a", 403), ("/envoy.service.auth.v3.Authorization/Check", 403), ("/livez", 200)]
    {
        let request = Request::get(path).header("host", "agent").body(Full::<Bytes>::default()).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let _ = answer.into_body().collect().await;
    }
    agent.stop().await.unwrap();
}

fn blank() -> Config {
    Config {
        gateway: gateway("http://127.0.0.1:1").unwrap(),
        organization: "acme".to_owned(),
        key: String::new(),
        listen: "127.0.0.1:0".parse().unwrap(),
        state: None,
        keys: None,
        routes: Routes::default(),
        subject_header: "x-auth-subject".parse().unwrap(),
        trusted: Vec::new(),
        mapping: postern_authzen::Mapping::default(),
    }
}

#[test]
fn a_gateway_is_a_base_url() {
    for good in ["http://127.0.0.1:8080", "https://postern.example.com/", "https://example.com/postern"] {
        assert!(gateway(good).unwrap().to_string().ends_with('/'), "{good}");
    }
    for bad in ["", "example.com", "ftp://example.com", "https://", "https://example.com/?a=b"] {
        assert!(gateway(bad).is_err(), "{bad}");
    }
}
