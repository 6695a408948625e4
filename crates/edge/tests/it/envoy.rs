//! Envoy's `ext_authz` over gRPC: a client of its own published messages, over HTTP/2.

use super::{Told, about, delta, holds, snapshot, stated};
use envoy_types::ext_authz::v3::pb::{CheckRequest, CheckResponse, HeaderValueOption, HttpResponse};
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use postern_edge::Agent;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use tonic_prost::ProstCodec;

const ANN: (&str, &str) = ("x-auth-subject", "user:ann");

/// Calls as Envoy's generated client does.
struct Client(Grpc<Channel>);

impl Client {
    async fn new(agent: &Agent) -> Client {
        let endpoint = Channel::from_shared(format!("http://{}", agent.address())).unwrap();
        Client(Grpc::new(endpoint.connect().await.unwrap()))
    }

    async fn check(&mut self, request: CheckRequest) -> Result<Response<CheckResponse>, Status> {
        let path = PathAndQuery::from_static("/envoy.service.auth.v3.Authorization/Check");
        self.0.ready().await.unwrap();
        self.0.unary(tonic::Request::new(request), path, ProstCodec::default()).await
    }
}

/// As Envoy describes a request: with more than anybody here reads.
fn described(http: HttpRequest) -> CheckRequest {
    let peer = Peer { principal: "spiffe://a/b".to_owned(), ..Peer::default() };
    let attributes = AttributeContext {
        source: Some(peer),
        request: Some(Request { http: Some(http), ..Request::default() }),
        context_extensions: [("public".to_owned(), "true".to_owned())].into(),
        ..AttributeContext::default()
    };
    CheckRequest { attributes: Some(attributes) }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> HttpRequest {
    HttpRequest {
        id: "7".to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        host: "example.com".to_owned(),
        scheme: "https".to_owned(),
        size: -1,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..HttpRequest::default()
    }
}

/// The code for Envoy, the one for its client, the headers that it sets and the body.
fn told(answer: &CheckResponse) -> (Code, Option<i32>, Vec<(String, String)>, String) {
    let headers = |headers: &[HeaderValueOption]| {
        let one = |option: &HeaderValueOption| {
            assert_eq!(option.append_action, 2, "what the client sent under the name is overwritten");
            let header = option.header.clone().unwrap();
            (header.key, header.value)
        };
        headers.iter().map(one).collect::<Vec<_>>()
    };
    let code = Code::from_i32(answer.status.as_ref().unwrap().code);
    match answer.http_response.as_ref().unwrap() {
        HttpResponse::OkResponse(ok) => (code, None, headers(&ok.headers), String::new()),
        HttpResponse::DeniedResponse(denied) => {
            let status = denied.status.as_ref().map(|status| status.code);
            (code, status, headers(&denied.headers), denied.body.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn envoy_asks_over_grpc() {
    let mut gateway = Told::new().await;
    let (agent, connection) = gateway.following().await;
    let mut client = Client::new(&agent).await;
    for (method, path, headers, code, status) in [
        ("POST", "/sites/s1/reboot?force=1", vec![ANN], Code::Ok, None),
        ("POST", "/sites/s2/reboot", vec![ANN], Code::PermissionDenied, Some(403)),
        (
            "POST",
            "/sites/s1/reboot",
            vec![("x-auth-subject", "user:nobody")],
            Code::PermissionDenied,
            Some(403),
        ),
        ("POST", "/sites/s1/reboot", vec![], Code::Unauthenticated, Some(401)),
        ("POST", "/sites/s1/reboot", vec![("x-auth-subject", "")], Code::Unauthenticated, Some(401)),
        // Envoy joins what came twice.
        (
            "POST",
            "/sites/s1/reboot",
            vec![("x-auth-subject", "user:ann,user:root")],
            Code::Unauthenticated,
            Some(401),
        ),
        ("GET", "/sites/s1/reboot", vec![ANN], Code::PermissionDenied, Some(403)),
        ("GET", "/elsewhere", vec![ANN], Code::PermissionDenied, Some(403)),
        ("POST", "/public/../sites/s1/reboot", vec![ANN], Code::PermissionDenied, Some(403)),
        ("POST", "/public/%2e%2e/sites/s1/reboot", vec![ANN], Code::PermissionDenied, Some(403)),
        ("", "", vec![ANN], Code::PermissionDenied, Some(403)),
        ("GET", "/public/a", vec![], Code::Ok, None),
        (
            "POST",
            "/sites/s1/reboot",
            vec![ANN, ("postern-at-least", "what")],
            Code::PermissionDenied,
            Some(400),
        ),
    ] {
        let answer = client.check(described(request(method, path, &headers))).await.unwrap().into_inner();
        let (given, shown, set, body) = told(&answer);
        assert_eq!((given, shown), (code, status), "{method} {path} {headers:?}");
        let value = |name: &str| set.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if code == Code::Ok {
            assert_eq!(value("x-auth-subject"), headers.first().map(|_| "user:ann"), "{path}");
            assert_eq!(value("postern-revision"), headers.first().map(|_| "1"), "{path}");
        } else {
            assert_eq!(value("content-type"), Some("application/problem+json"));
            assert_eq!(value("cache-control"), Some("no-store"));
            assert_eq!(value("www-authenticate").is_some(), status == Some(401));
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["status"].as_i64(), status.map(i64::from));
        }
    }
    // Nothing of a request described is nothing that a route fits.
    let answer = client.check(CheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(told(&answer).0, Code::PermissionDenied);

    // What is revoked is denied on the next call of the same connection.
    let (one, two) = (snapshot(1, true), snapshot(2, false));
    connection.say(stated(&about(&two)) + &delta(&one, &two));
    holds(&agent, 2).await;
    let answer = client.check(described(request("POST", "/sites/s1/reboot", &[ANN]))).await.unwrap();
    let (code, _, _, body) = told(answer.get_ref());
    assert_eq!(code, Code::PermissionDenied);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["code"], &body["required"]), (&"denied".into(), &"miner:reboot".into()));
    agent.stop().await.unwrap();
}

/// With `encode_raw_headers`, Envoy sends each header as it came.
#[tokio::test]
async fn raw_headers_are_read() {
    let mut gateway = Told::new().await;
    let (agent, _connection) = gateway.following().await;
    let mut client = Client::new(&agent).await;
    let raw = |name: &str, value: &[u8]| HeaderValue {
        key: name.to_owned(),
        raw_value: value.to_vec(),
        ..HeaderValue::default()
    };
    let ann = || raw("x-auth-subject", b"user:ann");
    for (headers, code) in [
        (vec![raw("accept", b"*/*"), ann()], Code::Ok),
        (vec![ann(), raw("X-Auth-Subject", b"user:root")], Code::Unauthenticated),
        (vec![ann(), ann()], Code::Unauthenticated),
        (vec![raw("x-auth-subject", b"user:ann\xff")], Code::Unauthenticated),
        (vec![raw("x-auth-subject", b"user:ann,user:bob")], Code::PermissionDenied),
        (vec![], Code::Unauthenticated),
    ] {
        let http = HttpRequest {
            header_map: Some(HeaderMap { headers: headers.clone() }),
            ..request("POST", "/sites/s1/reboot", &[])
        };
        let answer = client.check(described(http)).await.unwrap();
        assert_eq!(told(answer.get_ref()).0, code, "{headers:?}");
    }
    agent.stop().await.unwrap();
}

/// An agent that decides nothing answers, and denies: Envoy's `failure_mode_allow` is about no answer at all.
#[tokio::test]
async fn where_nothing_is_decided_it_is_denied() {
    let mut gateway = Told::new().await;
    let agent = gateway.agent().await;
    let mut client = Client::new(&agent).await;
    let asked = || described(request("POST", "/sites/s1/reboot", &[ANN]));
    let (code, status, headers, body) = told(client.check(asked()).await.unwrap().get_ref());
    assert_eq!((code, status), (Code::Unavailable, Some(503)));
    assert!(headers.contains(&("retry-after".to_owned(), "1".to_owned())), "{headers:?}");
    assert!(body.contains("no_snapshot"), "{body}");
    let connection = gateway.accept().await;
    let one = snapshot(1, true);
    connection.say(stated(&about(&one)) + &super::state(&one));
    holds(&agent, 1).await;
    assert_eq!(told(client.check(asked()).await.unwrap().get_ref()).0, Code::Ok);
    let never = described(request("POST", "/sites/s1/reboot", &[ANN, ("postern-at-least", "9.x")]));
    let (code, status, _, body) = told(client.check(never).await.unwrap().get_ref());
    assert_eq!((code, status), (Code::Unavailable, Some(503)));
    assert!(body.contains("revision_not_reached"), "{body}");
    // A message that is longer than the limit is none.
    let body = HttpRequest { raw_body: vec![0; 2 << 20], ..request("GET", "/public/a", &[]) };
    assert_eq!(client.check(described(body)).await.unwrap_err().code(), Code::OutOfRange);
    agent.stop().await.unwrap();
}
