//! Clients that ask over connections which stay open, each its next question as soon as the last one was answered.

use super::questions::Ask;
use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Not measured: connections open, and what was used last comes back into the caches.
const WARM_UP: Duration = Duration::from_millis(150);

/// Where something is asked.
#[derive(Clone)]
pub(super) struct Target {
    pub address: SocketAddr,
    pub path: &'static str,
    /// `Bearer …`
    pub authorization: HeaderValue,
    pub asks: Arc<Vec<Ask>>,
    /// False for what answers without deciding.
    pub decides: bool,
}

/// What one turn measured.
pub(super) struct Turn {
    /// Decisions in a second, over all connections.
    pub rate: f64,
    /// Milliseconds from sending a request to the end of its answer, ascending.
    pub latencies: Vec<f64>,
}

/// Asks for so long over so many connections. Fails on the first answer that is not the truth.
///
/// The clients have a thread and a runtime of their own: in that of the servers, a client and its server come to lie on
/// the same thread in some turns, where nobody has to be woken, as no client of another process ever does.
pub(super) async fn turn(target: &Target, connections: usize, length: Duration) -> Result<Turn> {
    let target = target.clone();
    let clients = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(clients(&target, connections, length))
    });
    clients.await?
}

async fn clients(target: &Target, connections: usize, length: Duration) -> Result<Turn> {
    let begin = Instant::now() + WARM_UP;
    let mut clients = JoinSet::new();
    for number in 0..connections {
        let target = target.clone();
        // Each begins elsewhere, the same place in every run.
        let first = number * target.asks.len() / connections;
        clients.spawn(async move {
            let mut latencies = Vec::new();
            let (mut client, connection) = Client::connect(&target).await?;
            let asking = async {
                for ask in target.asks.iter().cycle().skip(first) {
                    let sent = Instant::now();
                    client.ask(ask).await?;
                    let now = Instant::now();
                    if now >= begin + length {
                        break;
                    }
                    if now >= begin {
                        latencies.push((now - sent).as_secs_f64() * 1e3);
                    }
                }
                anyhow::Ok(())
            };
            // In one task: waking another one for each part of an answer would be measured too.
            tokio::select! {
                result = asking => result?,
                result = connection => bail!("the connection ended: {result:?}"),
            }
            Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(client) = clients.join_next().await {
        latencies.extend(client??);
    }
    latencies.sort_by(f64::total_cmp);
    let decisions = latencies.len() * target.asks.first().map_or(0, |ask| ask.truth.len());
    Ok(Turn { rate: decisions as f64 / length.as_secs_f64(), latencies })
}

/// Asks everything once. Fails on the first answer that is not the truth.
pub(super) async fn verify(target: &Target) -> Result<()> {
    let (mut client, connection) = Client::connect(target).await?;
    let asking = async {
        for (number, ask) in target.asks.iter().enumerate() {
            client.ask(ask).await.with_context(|| format!("request {number}"))?;
        }
        Ok(())
    };
    tokio::select! {
        result = asking => result,
        result = connection => bail!("the connection ended: {result:?}"),
    }
}

/// One connection.
struct Client<'t> {
    target: &'t Target,
    host: HeaderValue,
    sender: SendRequest<Full<Bytes>>,
}

impl<'t> Client<'t> {
    /// With what has to be polled for anything to move.
    async fn connect(target: &'t Target) -> Result<(Self, impl Future<Output = hyper::Result<()>>)> {
        let stream = TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let host = HeaderValue::try_from(target.address.to_string())?;
        Ok((Client { target, host, sender }, connection))
    }

    async fn ask(&mut self, ask: &Ask) -> Result<()> {
        let request = Request::post(self.target.path)
            .header(HOST, self.host.clone())
            .header(AUTHORIZATION, self.target.authorization.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Full::new(ask.body.clone()))?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let told = || format!("{} answers {status}: {}", self.target.path, String::from_utf8_lossy(&body));
        ensure!(status.is_success(), "{}", told());
        ensure!(!self.target.decides || decisions(&body).eq(ask.truth.iter().copied()), "wrong: {}", told());
        Ok(())
    }
}

/// The decisions in an answer. It is no JSON reader: one would take the servers' processors for as long as they need to
/// decide. Both servers write compact JSON, and what they write otherwise counts as wrong.
fn decisions(mut body: &[u8]) -> impl Iterator<Item = bool> {
    const NAME: &[u8] = b"\"decision\":";
    std::iter::from_fn(move || {
        let at = body.windows(NAME.len()).position(|window| window == NAME)?;
        body = &body[at + NAME.len()..];
        Some(body.starts_with(b"true"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_found_in_both_forms() {
        let found = |body: &str| decisions(body.as_bytes()).collect::<Vec<_>>();
        assert_eq!(found(r#"{"context":{"reason":"assignment"},"decision":true}"#), [true]);
        assert_eq!(found(r#"{"evaluations":[{"decision":false},{"decision":true}]}"#), [false, true]);
        assert_eq!(found("{}").len(), 0);
    }
}
