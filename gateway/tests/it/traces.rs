//! Traces, as a collector gets them.

use crate::support::{PATIENCE, Setup, config, run};
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use postern_gateway::config::Config;
use prost::Message;
use serde_json::json;
use std::sync::{Arc, Mutex};

/// Everything that was sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// Where it listens.
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let take = async |State(all): State<Collector>, headers: HeaderMap, body: Bytes| {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            all.0.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}/")
    }

    fn spans(&self) -> Vec<Span> {
        let all = self.0.lock().unwrap();
        let resources = all.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }
}

/// An attribute, as text.
fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()).and_then(|value| value.value) {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(number)) => number.to_string(),
        other => panic!("{key} is {other:?} in {span:?}"),
    }
}

fn parts_of(spans: &[Span], whole: &Span) -> Vec<String> {
    let parts = spans.iter().filter(|span| span.parent_span_id == whole.span_id);
    assert!(parts.clone().all(|part| part.trace_id == whole.trace_id && part.end_time_unix_nano > 0));
    let mut names: Vec<String> = parts.map(|part| part.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_requests_with_their_parts_and_what_is_published() {
    let collector = Collector::default();
    let endpoint = collector.listen().await;
    let endpoint = endpoint.trim_end_matches('/').to_owned();
    let mut setup = Setup::with(Config { otlp_endpoint: Some(endpoint), ..config() }).await;
    let question = json!({"subject": {"type": "user", "id": "ann"}, "action": {"name": "read"},
        "resource": {"type": "site", "id": "s1"}});
    // The caller's trace goes on here (W3C Trace Context, section 3.2).
    let (trace, caller) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let headers = [("traceparent", &*format!("00-{trace}-{caller}-01")), ("x-request-id", "asked")];
    let answer = setup.post("/access/v1/evaluation", &headers, &question.to_string()).await;
    assert_eq!(answer.status, 200);
    // One that the caller does not record is not recorded here.
    let headers = [
        ("traceparent", "00-11111111111111111111111111111111-2222222222222222-00"),
        ("x-request-id", "unheard"),
    ];
    setup.post("/access/v1/evaluation", &headers, &question.to_string()).await;
    let key = crate::support::writing_key(&mut setup.connection, "acme", None).await;
    let role = json!({"name": "Traced", "permissions": ["site:read"]});
    let made = setup.manage("POST", "roles", &key, &[("x-request-id", "written")], role).await;
    assert_eq!(made.status, 201, "{made:?}");
    setup.manage("GET", "roles", &key, &[("x-request-id", "listed")], json!(null)).await;
    setup.get("/livez", "").await;
    // An organization whose facts are gone is one that the gateway cannot answer for.
    run(&mut setup.connection, "ALTER TABLE roles RENAME TO elsewhere").await;
    let failed = setup.manage("GET", "roles", &key, &[("x-request-id", "failed")], json!(null)).await;
    assert_eq!(failed.status, 503);
    let Setup { gateway, .. } = setup;
    tokio::time::timeout(PATIENCE, gateway.stop()).await.unwrap().unwrap();

    let spans = collector.spans();
    let request = |id: &str| {
        let of = |span: &&Span| {
            span.kind == SpanKind::Server as i32 && attribute(span, "postern.request_id") == id
        };
        spans.iter().find(of).unwrap_or_else(|| panic!("{id}: {spans:?}"))
    };
    let asked = request("asked");
    assert_eq!(asked.name, "POST /access/v1/evaluation");
    assert_eq!(
        (hex::encode(&asked.trace_id), hex::encode(&asked.parent_span_id)),
        (trace.into(), caller.into())
    );
    assert_eq!(attribute(asked, "http.response.status_code"), "200");
    assert_eq!(parts_of(&spans, asked), ["authenticate", "decide", "wait for the state"]);
    let written = request("written");
    assert_eq!(attribute(written, "http.route"), "/v1/organizations/{organization}/roles");
    assert_eq!(parts_of(&spans, written), ["authenticate", "commit", "connect", "lock"]);
    assert_eq!(parts_of(&spans, request("listed")), ["authenticate", "connect"]);
    let status = |span: &Span| span.status.as_ref().map_or(0, |status| status.code);
    assert_eq!(status(request("failed")), StatusCode::Error as i32);
    assert_eq!(status(asked), StatusCode::Unset as i32);
    assert!(!spans.iter().any(|span| span.name.contains("livez")));
    let servers = spans.iter().filter(|span| span.kind == SpanKind::Server as i32);
    assert!(servers.clone().all(|span| attribute(span, "postern.request_id") != "unheard"));
    let published: Vec<&Span> = spans.iter().filter(|span| span.name == "publish").collect();
    assert!(!published.is_empty() && published.iter().all(|span| span.parent_span_id.is_empty()));
    assert_eq!(attribute(published[0], "postern.organization"), "acme");
    assert!(parts_of(&spans, published[0]).contains(&"compile".to_owned()));
    let resource = collector.0.lock().unwrap()[0].resource_spans[0].resource.clone().unwrap();
    let named = resource.attributes.iter().any(|one| one.key == "service.name");
    assert!(named, "{resource:?}");
}

/// A collector that is away, or does not answer, is nobody's concern.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_everything_goes_on() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for address in ["127.0.0.1:1".to_owned(), silent.local_addr().unwrap().to_string()] {
        let endpoint = Some(format!("http://{address}"));
        let setup = Setup::with(Config { otlp_endpoint: endpoint, ..config() }).await;
        for _ in 0..50 {
            assert_eq!(setup.get("/v1/organizations/acme/snapshot", &setup.key).await.status, 200);
        }
        tokio::time::timeout(PATIENCE, setup.gateway.stop()).await.unwrap().unwrap();
    }
}
