//! The server, databases, documents, and a client.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use postern_gateway::access::{KEY_PREFIX, key_digest};
use postern_gateway::app::Gateway;
use postern_gateway::clock::now_seconds;
use postern_gateway::config::Config;
use postern_gateway::embedded::{EmbeddedError, Options, Server};
use postern_gateway::store::credentials::{NewApiKey, SigningKey, create_api_key, signing_key_for};
use postern_gateway::store::import::import;
use postern_gateway::webhooks::target::Target;
use postern_gateway::{store, token};
use postern_world::World;
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Nothing here takes longer, on any machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

static SERVER: OnceCell<Server> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The server of this run. Its data is kept for the next run, which starts faster.
async fn server() -> &'static Server {
    let start = async || {
        // Of tests that run at the same time, each in a process of its own, each has a server of its own.
        let slot = std::env::var("NEXTEST_TEST_GLOBAL_SLOT").unwrap_or_else(|_| "0".to_owned());
        let options = Options {
            data_dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gateway-it-{slot}")),
            bin_dir: std::env::var_os("POSTERN_PG_BIN").map(Into::into),
            durable: false,
        };
        let server = loop {
            match Server::start(&options).await {
                // Another run of these tests: it will end.
                Err(EmbeddedError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(500)).await,
                // What an earlier Postgres of this machine left: nobody needs it.
                Err(EmbeddedError::OtherMajor { dir, .. }) => {
                    std::fs::remove_dir_all(dir.parent().unwrap()).unwrap()
                }
                started => break started.unwrap(),
            }
        };
        let mut connection = PgConnection::connect(server.url()).await.unwrap();
        let left: Vec<String> =
            sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE 'it\\_%'")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let template = template();
        for name in left.iter().filter(|name| **name != template) {
            run(&mut connection, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
        if !left.contains(&template) {
            run(&mut connection, "CREATE DATABASE it_template_new").await;
            store::migrate(&url_of(server.url(), "it_template_new")).await.unwrap();
            // Under its own name once it is whole.
            run(&mut connection, &format!("ALTER DATABASE it_template_new RENAME TO {template}")).await;
        }
        server
    };
    SERVER.get_or_init(start).await
}

/// The database with the schema of this program: another schema is another database.
fn template() -> String {
    let mut digest = Sha256::new();
    store::MIGRATOR.iter().for_each(|migration| digest.update(&migration.checksum));
    format!("it_template_{}", hex::encode(&digest.finalize()[..8]))
}

fn url_of(url: &str, database: &str) -> String {
    format!("{}/{database}", url.rsplit_once('/').unwrap().0)
}

/// A database of its own, with the schema or empty. Its address.
pub async fn database(template: &str) -> String {
    let server = server().await;
    let name = format!("it_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    run(&mut connection, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    url_of(server.url(), &name)
}

/// Runs SQL that no user wrote.
pub async fn run(connection: &mut PgConnection, sql: &str) {
    try_run(connection, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

pub async fn try_run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await.map(|_| ())
}

/// The name of the constraint that refuses a statement.
pub async fn refused_by(connection: &mut PgConnection, sql: &str) -> String {
    match try_run(connection, sql).await {
        Ok(()) => panic!("not refused: {sql}"),
        Err(sqlx::Error::Database(error)) => {
            error.constraint().map_or_else(|| error.message().to_owned(), str::to_owned)
        }
        Err(error) => panic!("{sql}: {error}"),
    }
}

/// A database with the schema, and a connection to it.
pub async fn migrated() -> (String, PgConnection) {
    let url = database(&template()).await;
    let connection = PgConnection::connect(&url).await.unwrap();
    (url, connection)
}

pub async fn revision(connection: &mut PgConnection, organization: &str) -> u64 {
    let text: String =
        sqlx::query_scalar("SELECT revision::text FROM organization_heads WHERE organization_id = $1")
            .bind(organization)
            .fetch_one(connection)
            .await
            .unwrap();
    text.parse().unwrap()
}

/// A world with something of everything.
pub const FULL: &str = include_str!("../full_world.json");

pub fn world(text: &str) -> World {
    World::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// The full world under another organization's name.
pub fn full_world(organization: &str) -> World {
    World { organization: organization.to_owned(), ..world(FULL) }
}

/// A gateway with organization `acme` in its database.
pub struct Setup {
    pub url: String,
    pub connection: PgConnection,
    pub gateway: Gateway,
    pub key: String,
    pub signing: SigningKey,
}

pub fn config() -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        poll: Duration::from_millis(20),
        connections: 5,
        allowed_origins: Vec::new(),
        default_organization: Some("acme".to_owned()),
        catalog: World::default(),
        public_url: None,
        mapping: postern_authzen::Mapping::default(),
        stale_after: Duration::from_secs(60),
        metrics_listen: None,
        shared_caches: false,
        decision_log: Default::default(),
        otlp_endpoint: None,
        limits: Default::default(),
        issuers: None,
        web_page: None,
        vault_keys: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vault_keys.toml").into()),
        webhook_targets: vec![Target::parse("https://hooks.example.com").unwrap()],
        console: None,
    }
}

impl Setup {
    pub async fn new() -> Setup {
        Setup::with(config()).await
    }

    pub async fn with(config: Config) -> Setup {
        Setup::of(&full_world("acme"), config).await
    }

    /// With another world, of the same organization.
    pub async fn of(world: &World, config: Config) -> Setup {
        let (url, mut connection) = migrated().await;
        import(&mut connection, world, false).await.unwrap();
        let key = api_key(&mut connection, "acme").await;
        let signing = signing_key_for(&mut connection, "acme", &[7; 32]).await.unwrap().unwrap();
        let gateway = Gateway::start(config, &url).await.unwrap();
        Setup { url, connection, gateway, key, signing }
    }

    pub fn address(&self) -> SocketAddr {
        self.gateway.address()
    }

    pub fn token(&self, subject: &str, seconds: u64) -> String {
        token::issue(&self.signing, subject, now_seconds(), Duration::from_secs(seconds)).unwrap()
    }

    pub async fn get(&self, path: &str, bearer: &str) -> Answer {
        get(self.address(), path, &[("authorization", &format!("Bearer {bearer}"))]).await
    }

    /// Posts JSON with the organization's key, and further headers.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        // One that is given takes the place of ours.
        all.retain(|(name, _)| !headers.iter().any(|(given, _)| given == name));
        all.extend_from_slice(headers);
        call(self.address(), "POST", path, &all, body).await
    }

    /// Calls the management interface of `acme`. `Null`: without a body.
    pub async fn manage(
        &self,
        method: &str,
        path: &str,
        bearer: &str,
        headers: &[(&str, &str)],
        body: serde_json::Value,
    ) -> Answer {
        let bearer = format!("Bearer {bearer}");
        let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        all.extend_from_slice(headers);
        let path = format!("/v1/organizations/acme/{path}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        call(self.address(), method, &path, &all, &body).await
    }
}

pub async fn api_key(connection: &mut PgConnection, organization: &str) -> String {
    let key = format!("{KEY_PREFIX}{}", uuid::Uuid::new_v4().simple());
    make_key(connection, organization, &key, false, None).await;
    key
}

/// A key for the management interface, that may write.
pub async fn writing_key(connection: &mut PgConnection, organization: &str, subject: Option<&str>) -> String {
    let key = format!("{KEY_PREFIX}{}", uuid::Uuid::new_v4().simple());
    make_key(connection, organization, &key, true, subject).await;
    key
}

async fn make_key(
    connection: &mut PgConnection,
    organization: &str,
    key: &str,
    can_write: bool,
    subject: Option<&str>,
) {
    let new = NewApiKey {
        organization,
        name: "test",
        prefix: &key[..18],
        digest: &key_digest(key),
        can_write,
        subject,
        ttl_seconds: None,
    };
    create_api_key(connection, &new).await.unwrap().unwrap();
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a problem.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["status"], self.status.as_u16());
        body["code"].as_str().unwrap().to_owned()
    }
}

pub async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response<Incoming> {
    send_body(address, method, path, headers, "").await
}

async fn send_body(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response<Incoming> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    tokio::time::timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap()
}

pub async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    answer(send(address, "GET", path, headers).await).await
}

/// Any method, with a body.
pub async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    answer(send_body(address, method, path, headers, body).await).await
}

async fn answer(response: Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = tokio::time::timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// One server-sent event.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub data: String,
}

impl Event {
    pub fn bytes(&self) -> Vec<u8> {
        use base64::Engine;
        let data: serde_json::Value = serde_json::from_str(&self.data).unwrap();
        assert_eq!(data["revision"].to_string(), self.id);
        base64::engine::general_purpose::STANDARD.decode(data["bytes"].as_str().unwrap()).unwrap()
    }
}

/// An open stream.
pub struct Events {
    body: Incoming,
    text: String,
}

impl Events {
    pub async fn open(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Events {
        let response = send(address, "GET", path, headers).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Events { body: response.into_body(), text: String::new() }
    }

    /// The next event that is no statement; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.next_of_all().await {
                Some(event) if event.kind == "statement" => {}
                event => return event,
            }
        }
    }

    /// The next event; `None` when the stream has ended.
    pub async fn next_of_all(&mut self) -> Option<Event> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("neither an event nor the end came")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                        .unwrap_or("")
                        .to_owned()
                };
                let event = Event { id: field("id"), kind: field("event"), data: field("data") };
                if !event.data.is_empty() {
                    return Some(event);
                }
            }
            let frame = self.body.frame().await?.ok()?;
            self.text.push_str(std::str::from_utf8(frame.data_ref()?).unwrap());
        }
    }
}
