//! Traces for OpenTelemetry: a span for each request and each published state, with parts for what took its time. Without
//! `--otlp-endpoint` nothing is recorded.
//!
//! What is not a setting of ours is one of OpenTelemetry's own variables (`OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`,
//! `OTEL_EXPORTER_OTLP_HEADERS` and the like).

use axum::http::{HeaderMap, Request, Response, StatusCode};
use bytes::Bytes;
use futures_util::future::{Either, FutureExt as _};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use postern_issuers::HttpsConnector;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// For the collector's answer.
const ANSWER: Duration = Duration::from_secs(10);
/// LIMIT: bytes of it.
const ANSWER_MAX: usize = 64 * 1024;
/// For what waits to be sent when the gateway ends.
const LAST: Duration = Duration::from_secs(5);
/// Below the endpoint (OTLP/HTTP).
const PATH: &str = "/v1/traces";

/// Where spans are sent.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Whatever is started for a context that has it is a part of that.
struct Parts(Arc<Traces>);

impl Traces {
    /// Begins to send to a collector. `instance`: which gateway this is.
    ///
    /// # Errors
    /// The address is none, or none of the system's certificates can be read.
    pub fn start(endpoint: &str, instance: &str) -> Result<Arc<Self>, std::io::Error> {
        let connector = postern_issuers::https_connector(endpoint.starts_with("https:"))?;
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/')))
            .with_http_client(Sender { client, runtime: Handle::current() })
            .build()
            .map_err(std::io::Error::other)?;
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("postern");
        }
        let resource = resource.with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance.to_owned()),
        ]);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        let tracer = provider.tracer("postern");
        Ok(Arc::new(Traces { provider, tracer }))
    }

    /// Begins the span of a request: a part of the caller's trace, if its headers name one (W3C Trace Context).
    pub fn request(self: &Arc<Self>, method: &str, route: &str, id: &str, headers: &HeaderMap) -> Context {
        let caller =
            TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let span = self.tracer.span_builder(format!("{method} {route}")).with_kind(SpanKind::Server);
        let span = span.with_attributes([
            KeyValue::new("http.request.method", method.to_owned()),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("postern.request_id", id.to_owned()),
        ]);
        let span = span.start_with_context(&self.tracer, &caller);
        caller.with_span(span).with_value(Parts(self.clone()))
    }

    fn task(self: &Arc<Self>, name: &'static str, organization: &str) -> Context {
        let span = self.tracer.span_builder(name);
        let span = span.with_attributes([KeyValue::new("postern.organization", organization.to_owned())]);
        let root = Context::new();
        let span = span.start_with_context(&self.tracer, &root);
        root.with_span(span).with_value(Parts(self.clone()))
    }

    /// Sends what waits, and ends.
    pub fn stop(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            tracing::warn!(%error, "some traces could not be sent");
        }
    }
}

/// Ends the span of a request.
pub fn answered(context: &Context, status: StatusCode) {
    let span = context.span();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
    span.end();
}

/// Does something that nobody asked for, with a span of its own if there are traces.
pub fn task<T>(
    traces: Option<&Arc<Traces>>,
    name: &'static str,
    organization: &str,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    match traces {
        // It ends with the last that holds it.
        Some(traces) => Either::Left(work.with_context(traces.task(name, organization))),
        None => Either::Right(work),
    }
}

/// Does a part of what is done now, with a span of its own if that has one.
///
/// No `async fn`: that would keep the work twice, as what it was given and as what it waits for.
pub fn part<T>(name: &'static str, work: impl Future<Output = T>) -> impl Future<Output = T> {
    let whole = Context::current();
    let Some(Parts(traces)) = whole.get::<Parts>() else { return Either::Right(work) };
    let context = whole.with_span(traces.tracer.start_with_context(name, &whole));
    let part = context.clone();
    Either::Left(work.with_context(context).inspect(move |_| part.span().end()))
}

/// Sends for the exporter, whose thread is none of the runtime's.
#[derive(Clone, Debug)]
struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            tokio::time::timeout(ANSWER, async {
                let (parts, body) = client.request(request.map(Full::new)).await?.into_parts();
                let body = Limited::new(body, ANSWER_MAX).collect().await?.to_bytes();
                Ok::<_, HttpError>(Response::from_parts(parts, body))
            })
            .await?
        });
        sent.await?
    }
}
