//! Envoy's `ext_authz` over gRPC: `envoy.service.auth.v3.Authorization/Check`, on the same port as everything else.
//!
//! The messages are the part of Envoy's that is read or written here; protobuf skips what it does not know. Texts are taken
//! as bytes: whatever a client puts into its request is decided on, and never a failure, which a proxy may be told to let pass.

use crate::forward::{AUTH_SUBJECT, Asked, allowed};
use crate::problem::Problem;
use crate::server::{AT_LEAST, BODY_BYTES_MAX, REVISION, Shared};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Response};
use std::sync::Arc;
use tonic::server::Grpc;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;
use tower::service_fn;

/// The method's path.
pub const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// `OVERWRITE_IF_EXISTS_OR_ADD`: what the client sent under the name is gone.
const OVERWRITE: i32 = 2;

#[derive(Clone, PartialEq, prost::Message)]
pub struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    attributes: Option<Attributes>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Attributes {
    #[prost(message, optional, tag = "4")]
    request: Option<Described>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Described {
    #[prost(message, optional, tag = "2")]
    http: Option<Http>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Http {
    #[prost(bytes = "vec", tag = "2")]
    method: Vec<u8>,
    /// A map, which is entries on the wire. Headers that came more than once are joined with commas.
    #[prost(message, repeated, tag = "3")]
    joined: Vec<Header>,
    #[prost(bytes = "vec", tag = "4")]
    path: Vec<u8>,
    /// Instead of them where Envoy is told `encode_raw_headers`: each as it came.
    #[prost(message, optional, tag = "13")]
    raw: Option<Headers>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Headers {
    #[prost(message, repeated, tag = "1")]
    headers: Vec<Header>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Header {
    #[prost(bytes = "vec", tag = "1")]
    name: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<RpcStatus>,
    #[prost(message, optional, tag = "2")]
    denied: Option<Denied>,
    #[prost(message, optional, tag = "3")]
    ok: Option<Passed>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Denied {
    #[prost(message, optional, tag = "1")]
    status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    headers: Vec<SetHeader>,
    #[prost(string, tag = "3")]
    body: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HttpStatus {
    #[prost(int32, tag = "1")]
    code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Passed {
    #[prost(message, repeated, tag = "2")]
    headers: Vec<SetHeader>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SetHeader {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
    #[prost(int32, tag = "3")]
    append_action: i32,
}

impl Http {
    /// The value of a header. `None`: it is not there, or there more than once, which a comma means where they are joined.
    fn header(&self, name: &HeaderName) -> Option<&[u8]> {
        let is_it = |header: &&Header| header.name.eq_ignore_ascii_case(name.as_str().as_bytes());
        let headers = self.raw.as_ref().map_or(&self.joined, |raw| &raw.headers);
        let mut found = headers.iter().filter(is_it);
        let header = found.next().filter(|_| found.next().is_none())?;
        let value = if header.raw.is_empty() { &header.value } else { &header.raw };
        (self.raw.is_some() || !value.contains(&b',')).then_some(value)
    }
}

/// Answers a call.
pub async fn check(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let decide = service_fn(move |request: tonic::Request<CheckRequest>| {
        let shared = shared.clone();
        async move { Ok::<_, Status>(tonic::Response::new(answer(&shared, request.into_inner()).await)) }
    });
    let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(BODY_BYTES_MAX);
    grpc.unary(decide, request).await.map(Body::new)
}

async fn answer(shared: &Shared, request: CheckRequest) -> CheckResponse {
    let http = request.attributes.and_then(|attributes| attributes.request?.http).unwrap_or_default();
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let asked = Asked {
        // An empty path is none, and is denied.
        method: text(&http.method),
        path: text(&http.path),
        subject: http.header(&shared.config.subject_header).map(text),
        at_least: http.header(&AT_LEAST),
    };
    match allowed(shared, &asked).await {
        Ok(decided) => {
            let headers = decided.into_iter().flat_map(|(subject, in_force)| {
                let revision = in_force.revision().to_string();
                [set(&AUTH_SUBJECT, subject.as_bytes()), set(&REVISION, revision.as_bytes())]
            });
            CheckResponse {
                status: Some(RpcStatus { code: Code::Ok.into() }),
                ok: Some(Passed { headers: headers.collect() }),
                denied: None,
            }
        }
        Err(problem) => denied(problem),
    }
}

/// Also where nothing is decided: a call that failed is let pass where Envoy is told `failure_mode_allow`, and what a client
/// sends can bring that about (a token of a revision that never comes).
fn denied(problem: Problem) -> CheckResponse {
    let (status, headers, body) = problem.parts();
    let code = match status.as_u16() {
        401 => Code::Unauthenticated,
        500.. => Code::Unavailable,
        _ => Code::PermissionDenied,
    };
    CheckResponse {
        status: Some(RpcStatus { code: code.into() }),
        denied: Some(Denied {
            status: Some(HttpStatus { code: status.as_u16().into() }),
            headers: all(&headers),
            body,
        }),
        ok: None,
    }
}

fn all(headers: &HeaderMap) -> Vec<SetHeader> {
    headers.iter().map(|(name, value)| set(name, value.as_bytes())).collect()
}

fn set(name: &HeaderName, value: &[u8]) -> SetHeader {
    let header = Header { name: name.as_str().into(), value: value.into(), raw: Vec::new() };
    SetHeader { header: Some(header), append_action: OVERWRITE }
}
