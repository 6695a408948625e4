//! The agent behind the real gateway, and between them a line that loses, doubles, swaps and bends what goes over it, or is
//! cut without a word. Whatever it does: nothing unverified is decided on, nothing older than its validity, and once the
//! line is good again, the bytes are the gateway's.

use crate::agents::agent;
use crate::support::{Setup, config, run, send};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use postern_edge::Agent;
use postern_gateway::config::Config;
use postern_snapshot::Snapshot;
use postern_testkit::Chance;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

const FAULTS: [&str; 6] = ["lost", "doubled", "swapped", "bent", "broken off", "late"];
/// An agent that was refused waits for 15 s at most, and one that hears nothing for 45 s.
const HEALING: Duration = Duration::from_secs(90);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quality {
    Good,
    Bad,
    /// Nothing comes through, and nobody is told.
    Cut,
}

/// What stands between an agent and its gateway.
struct Line {
    address: SocketAddr,
    quality: watch::Sender<Quality>,
    faults: Arc<[AtomicUsize; FAULTS.len()]>,
}

#[derive(Clone)]
struct Passing {
    upstream: SocketAddr,
    quality: watch::Receiver<Quality>,
    faults: Arc<[AtomicUsize; FAULTS.len()]>,
    chance: Arc<Mutex<Chance>>,
}

impl Line {
    async fn to(upstream: SocketAddr, seed: u64) -> Line {
        let (quality, heard) = watch::channel(Quality::Good);
        let faults: Arc<[AtomicUsize; FAULTS.len()]> = Arc::default();
        let chance = Arc::new(Mutex::new(Chance::new(seed)));
        let passing = Passing { upstream, quality: heard, faults: faults.clone(), chance };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().fallback(pass).with_state(passing);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Line { address, quality, faults }
    }

    fn is(&self, quality: Quality) {
        self.quality.send_replace(quality);
    }
}

async fn pass(State(mut passing): State<Passing>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let uncut = passing.quality.wait_for(|quality| *quality != Quality::Cut).await;
    uncut.expect("the test lasts longer than its line");
    let headers: Vec<(&str, &str)> = ["authorization", "if-none-match", "accept"]
        .into_iter()
        .filter_map(|name| Some((name, parts.headers.get(name)?.to_str().ok()?)))
        .collect();
    let path = parts.uri.path_and_query().unwrap().as_str();
    let (head, body) = send(passing.upstream, "GET", path, &headers).await.into_parts();
    let is_stream = head.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let body = if is_stream {
        let (out, said) = mpsc::unbounded_channel::<Bytes>();
        tokio::spawn(passing.events(body, out));
        Body::from_stream(futures_util::stream::unfold(said, |mut said| async move {
            Some((Ok::<_, Infallible>(said.recv().await?), said))
        }))
    } else {
        Body::from(body.collect().await.unwrap().to_bytes())
    };
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    if is_stream {
        response.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
    }
    response
}

impl Passing {
    /// Event by event, until either side ends.
    async fn events(mut self, mut from: Incoming, to: mpsc::UnboundedSender<Bytes>) {
        let mut text = Vec::new();
        let mut kept: Option<Bytes> = None;
        while let Some(Ok(frame)) = from.frame().await {
            text.extend_from_slice(frame.data_ref().map_or(&[][..], |data| &data[..]));
            while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
                let event = Bytes::from(text.drain(..end + 2).collect::<Vec<u8>>());
                if self.quality.wait_for(|quality| *quality != Quality::Cut).await.is_err() {
                    return;
                }
                let Some(out) = self.with_faults(event, &mut kept).await else { return };
                for event in out {
                    if to.send(event).is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// What becomes of an event; `None`: the line breaks off.
    async fn with_faults(&self, event: Bytes, kept: &mut Option<Bytes>) -> Option<Vec<Bytes>> {
        let bad = *self.quality.borrow() == Quality::Bad;
        let (fault, bit) = {
            let mut chance = self.chance.lock().unwrap();
            (chance.below(18), chance.below(event.len() * 7))
        };
        let mut out = Vec::new();
        if bad && let Some(counted) = self.faults.get(fault) {
            counted.fetch_add(1, Ordering::Relaxed);
            match FAULTS[fault] {
                "lost" => {}
                "doubled" => out.extend([event.clone(), event]),
                "swapped" if kept.is_none() => {
                    *kept = Some(event);
                    return Some(out);
                }
                "bent" => {
                    let mut bent = event.to_vec();
                    bent[bit / 7] ^= 1 << (bit % 7);
                    out.push(bent.into());
                }
                "broken off" => return None,
                _ => {
                    tokio::time::sleep(Duration::from_millis(150)).await;
                    out.push(event);
                }
            }
        } else {
            out.push(event);
        }
        out.extend(kept.take());
        Some(out)
    }
}

/// Every revision that there was: its bytes, and when the next one was committed.
#[derive(Default)]
struct History {
    bytes: BTreeMap<u64, Bytes>,
    followed: BTreeMap<u64, Instant>,
}

/// Watches what an agent would decide on, all the time; how many different revisions that were.
async fn watch(
    agent: &Agent,
    history: &Mutex<History>,
    validity: Duration,
    mut done: watch::Receiver<bool>,
) -> usize {
    let mut seen: BTreeMap<u64, Bytes> = BTreeMap::new();
    loop {
        if let Ok(held) = agent.holder().fresh() {
            let revision = held.revision();
            let followed = history.lock().unwrap().followed.get(&revision).copied();
            // One second for a statement's whole seconds, one for what a busy machine adds.
            let late = followed.map_or(Duration::ZERO, |at| at.elapsed());
            assert!(
                late < validity + Duration::from_secs(2),
                "{revision} is decided on {late:?} after it ended"
            );
            let bytes = held.opened.bytes();
            let before = seen.entry(revision).or_insert_with(|| bytes.clone());
            assert_eq!(before, bytes, "revision {revision} is two things");
        }
        tokio::select! {
            _ = tokio::time::sleep(Duration::from_millis(3)) => {}
            _ = done.wait_for(|done| *done) => break,
        }
    }
    let history = history.lock().unwrap();
    for (revision, bytes) in &seen {
        assert_eq!(history.bytes.get(revision), Some(bytes), "revision {revision} is not the gateway's");
    }
    seen.len()
}

/// The newest snapshot, once it is of this revision.
async fn published(setup: &Setup, revision: u64) -> Bytes {
    let begun = Instant::now();
    loop {
        let body = setup.get("/v1/organizations/acme/snapshot", &setup.key).await.body;
        if Snapshot::open(&body).unwrap().revision() == revision {
            return body;
        }
        assert!(begun.elapsed() < HEALING);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn is_healed(agent: &Agent, bytes: &Bytes) {
    let begun = Instant::now();
    while !agent.holder().fresh().is_ok_and(|held| held.opened.bytes() == bytes) {
        assert!(begun.elapsed() < HEALING, "not the gateway's bytes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Writes one fact, or takes it away.
async fn change(setup: &mut Setup, history: &Mutex<History>, count: u64) {
    let sql = match count % 2 {
        0 => "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:comes')",
        _ => "DELETE FROM subjects WHERE subject_id = 'user:comes'",
    };
    run(&mut setup.connection, sql).await;
    let revision = 41 + count + 1;
    history.lock().unwrap().followed.insert(revision - 1, Instant::now());
    let bytes = published(setup, revision).await;
    history.lock().unwrap().bytes.insert(revision, bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_lies_brings_nothing_wrong_into_force() {
    let validity = Duration::from_secs(3);
    let mut setup = Setup::with(Config { stale_after: validity, ..config() }).await;
    let history = Arc::new(Mutex::new(History::default()));
    let first = published(&setup, 41).await;
    history.lock().unwrap().bytes.insert(41, first.clone());
    let (done, heard) = watch::channel(false);
    let (mut lines, mut agents, mut watching) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..6 {
        let line = Line::to(setup.address(), seed).await;
        let agent = Arc::new(agent(line.address, &setup.key).await);
        let (watched, history, heard) = (agent.clone(), history.clone(), heard.clone());
        watching.push(tokio::spawn(async move { watch(&watched, &history, validity, heard).await }));
        is_healed(&agent, &first).await;
        line.is(Quality::Bad);
        lines.push(line);
        agents.push(agent);
    }
    for count in 0..120 {
        change(&mut setup, &history, count).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    lines.iter().for_each(|line| line.is(Quality::Good));
    let newest = published(&setup, 161).await;
    for agent in &agents {
        is_healed(agent, &newest).await;
    }
    done.send_replace(true);
    let mut revisions = 0;
    for watching in watching {
        revisions += watching.await.unwrap();
    }
    // It was a bad line, over which much came all the same.
    for (number, fault) in FAULTS.iter().enumerate() {
        let count: usize = lines.iter().map(|line| line.faults[number].load(Ordering::Relaxed)).sum();
        assert!(count > 0, "nothing was {fault}");
    }
    assert!(revisions > 60, "only {revisions} revisions came through");
}

/// A network that is cut for half a minute, without a word to either side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_cut_line_nothing_is_decided_for_long() {
    let validity = Duration::from_secs(4);
    let mut setup = Setup::with(Config { stale_after: validity, ..config() }).await;
    let history = Arc::new(Mutex::new(History::default()));
    let first = published(&setup, 41).await;
    history.lock().unwrap().bytes.insert(41, first.clone());
    let line = Line::to(setup.address(), 1).await;
    let agent = Arc::new(agent(line.address, &setup.key).await);
    is_healed(&agent, &first).await;
    let (done, heard) = watch::channel(false);
    let (watched, known) = (agent.clone(), history.clone());
    let watching = tokio::spawn(async move { watch(&watched, &known, validity, heard).await });

    line.is(Quality::Cut);
    let cut = Instant::now();
    change(&mut setup, &history, 0).await;
    tokio::time::sleep(validity + Duration::from_secs(2)).await;
    while cut.elapsed() < Duration::from_secs(30) {
        assert!(
            agent.holder().fresh().is_err(),
            "decided on what nobody has confirmed for {:?}",
            cut.elapsed()
        );
        assert_eq!(agent.holder().held().unwrap().revision(), 41);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    line.is(Quality::Good);
    let newest = published(&setup, 42).await;
    is_healed(&agent, &newest).await;
    // Watched for a moment longer.
    tokio::time::sleep(Duration::from_millis(200)).await;
    done.send_replace(true);
    assert_eq!(watching.await.unwrap(), 2);
}
