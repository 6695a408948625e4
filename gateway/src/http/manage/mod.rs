//! `/v1/organizations/{organization}/…`: the management interface. `docs/management.md` describes it.

pub(super) mod assignments;
pub(super) mod audit;
pub(super) mod catalog;
pub(super) mod decisions;
pub(super) mod edges;
pub(super) mod explain;
pub(super) mod grants;
mod invitation_operations;
mod invitations;
pub(super) mod memberships;
pub(super) mod operations;
mod organization_operations;
pub(super) mod organizations;
pub(super) mod presets;
pub(super) mod resources;
pub(super) mod revisions;
mod role_alias_operations;
mod role_aliases;
pub(super) mod roles;
mod scope_operations;
pub(super) mod scopes;
mod secret_operations;
mod secrets;
pub(super) mod shares;
pub(super) mod streams;
pub(super) mod subjects;
mod webhook_operations;
mod webhooks;

use super::body::json_body;
use super::{POSTERN_CONSISTENCY_TOKEN, POSTERN_REVISION, REQUEST_ID, at_least};
use crate::app::App;
use crate::consistency;
use crate::manage::{Begun, Caller, Make, Need, Replay, Write, Written};
use crate::problem::{Problem, Refusal};
use crate::publish;
use crate::store::manage::{Item, Range};
use crate::store::{self, StoreError};
use crate::traces::part;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Items of a page that does not say how many.
const PAGE: i64 = 100;
/// LIMIT: items of a page.
const PAGE_MAX: i64 = 1000;

/// A call by somebody who belongs to the organization in the path.
pub(super) struct Call {
    caller: Caller,
    /// What stands behind the collection in the path.
    id: String,
    /// The type that stands before it, of a resource.
    kind: String,
    method_and_path: String,
    headers: HeaderMap,
    parameters: HashMap<String, String>,
}

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let path: Result<Path<HashMap<String, String>>, PathRejection> =
            Path::from_request_parts(parts, app).await;
        let Path(mut path) = path.map_err(|_| Problem::INVALID_PATH)?;
        let organization = path.remove("organization").unwrap_or_default();
        let manager = app.access.manager(&organization, &parts.headers, request_id(parts));
        let caller = part("authenticate", manager).await?;
        let mut call = Call::of(parts, path, caller)?;
        if parts.method != Method::GET {
            call.caller.preview = preview(call.parameters.remove("preview").as_deref())?;
        }
        Ok(call)
    }
}

/// A call by whoever runs the installation, about the organization in the path if one is there.
pub(super) struct ForInstallation(pub(super) Call);

impl FromRequestParts<Arc<App>> for ForInstallation {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let path: Result<Path<HashMap<String, String>>, PathRejection> =
            Path::from_request_parts(parts, app).await;
        let Path(mut path) = path.map_err(|_| Problem::INVALID_PATH)?;
        let organization = path.remove("organization").unwrap_or_default();
        let operator = app.access.installation(organization, &parts.headers, request_id(parts));
        let caller = part("authenticate", operator).await?;
        Ok(ForInstallation(Call::of(parts, path, caller)?))
    }
}

fn request_id(parts: &Parts) -> Option<&str> {
    parts.headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok())
}

impl Call {
    fn of(parts: &Parts, mut path: HashMap<String, String>, caller: Caller) -> Result<Self, Refusal> {
        let parameters = parameters(parts.uri.query().unwrap_or_default())?;
        Ok(Call {
            caller,
            id: path.remove("id").unwrap_or_default(),
            kind: path.remove("type").unwrap_or_default(),
            method_and_path: format!("{} {}", parts.method, parts.uri.path()),
            parameters,
            headers: parts.headers.clone(),
        })
    }
}

/// The parameters of a query, each once.
fn parameters(query: &str) -> Result<HashMap<String, String>, Refusal> {
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let twice = format!("`{name}` is there twice");
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Problem::INVALID_QUERY.because(twice));
        }
    }
    Ok(parameters)
}

/// Whether a write is only asked about.
fn preview(value: Option<&str>) -> Result<bool, Refusal> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::INVALID_QUERY.because("`preview` is `true` or `false`")),
    }
}

impl Call {
    /// Refuses parameters other than these.
    fn takes(&self, names: &[&str]) -> Result<(), Refusal> {
        match self.parameters.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some(other) => {
                let known = names.join("`, `");
                let what = format!("`{other}` is no parameter of this path, which takes: `{known}`");
                Err(Problem::INVALID_QUERY.because(what))
            }
        }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A resource by two parameters, of which none is without the other.
    fn place<'c>(&'c self, kind: &str, id: &str) -> Result<Option<(&'c str, &'c str)>, Refusal> {
        match (self.parameter(kind), self.parameter(id)) {
            (None, None) => Ok(None),
            (Some(kind), Some(id)) => Ok(Some((kind, id))),
            _ => Err(Problem::INVALID_QUERY.because(format!("`{kind}` and `{id}` go together"))),
        }
    }

    /// Which items; a cursor that is none of ours is refused.
    fn range(&self) -> Result<Range, Refusal> {
        let after = self.parameter("cursor").map(|cursor| {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
            bytes.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !text.contains('\0'))
        });
        if after == Some(None) {
            return Err(Problem::INVALID_QUERY.because("`cursor` is none that a page gave"));
        }
        let limit = match self.parameter("limit").map(str::parse) {
            None => PAGE,
            Some(Ok(limit)) if (1..=PAGE_MAX).contains(&limit) => limit,
            Some(_) => return Err(Problem::INVALID_QUERY.because("`limit` is a number from 1 to 1000")),
        };
        Ok(Range { after: after.flatten(), limit })
    }

    /// The tags that a change says it is of.
    fn tags(&self) -> Result<Vec<String>, Problem> {
        let values = self.headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
        let tags: Vec<String> =
            values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect();
        if tags.is_empty() { Err(Problem::PRECONDITION_REQUIRED) } else { Ok(tags) }
    }

    /// The id of an item that has a UUID. Any other text names nothing.
    fn uuid(&self) -> Result<uuid::Uuid, Problem> {
        self.id.parse().map_err(|_| Problem::ITEM_NOT_FOUND)
    }

    /// `Idempotency-Key`
    fn idempotency_key(&self) -> Result<Option<String>, Refusal> {
        let Some(key) = self.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
        let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
        let wrong = || Problem::INVALID_REQUEST.because("Idempotency-Key: 1 to 255 visible characters");
        Ok(Some(key.ok_or_else(wrong)?.to_owned()))
    }

    /// By what a request may be sent again: `Idempotency-Key`, of this very request.
    fn replay(&self, body: &str) -> Result<Option<Replay>, Refusal> {
        let Some(key) = self.idempotency_key()? else { return Ok(None) };
        let digest = Sha256::new().chain_update(&self.method_and_path).chain_update([0]).chain_update(body);
        Ok(Some(Replay { key, digest: digest.finalize().into() }))
    }

    /// The resource that the path names.
    fn at(&self) -> (&str, &str) {
        (&self.kind, &self.id)
    }

    /// Begins a write that may come again.
    async fn begin_once<'a>(&'a self, app: &'a App, body: &str) -> Result<Begun<'a>, Refusal> {
        Write::begin_once(app, &self.caller, self.replay(body)?).await
    }

    /// Refuses a caller who may not read this, as of the published state, or a later one if the caller asks for that.
    /// Gives the state that it was decided on.
    async fn may_read(&self, app: &Arc<App>, any_of: &[&str]) -> Result<Arc<publish::State>, Refusal> {
        self.may_read_at(app, any_of, None).await
    }

    /// The same where a part of the whole is read.
    async fn may_read_at(
        &self,
        app: &Arc<App>,
        any_of: &[&str],
        at: Option<(&str, &str)>,
    ) -> Result<Arc<publish::State>, Refusal> {
        let state = self.state(app).await?;
        self.caller.require(&state.view(), &Need { any_of, at })?;
        Ok(state)
    }

    /// The published state, or a later one if the caller asks for that.
    async fn state(&self, app: &Arc<App>) -> Result<Arc<publish::State>, Refusal> {
        let organization = &self.caller.organization;
        let at_least = at_least(organization, &self.headers)?;
        Ok(app.publisher.state_to_decide(organization, at_least, app.config.stale_after).await?)
    }
}

/// Makes something, once for each `Idempotency-Key`.
pub(super) async fn create<M: Make>(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body,
) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let body = json_body(&call.headers, body).await?;
    let fields: M = parse(&body)?;
    let made = match call.begin_once(&app, &body).await? {
        Begun::Write(write) => fields.make(write).await?,
        Begun::Before(made) => made,
    };
    let path = made.item.as_ref().map(|item| {
        let mut path = M::COLLECTION.to_owned();
        for segment in M::segments(item) {
            path.push('/');
            path.extend(percent_encoding::utf8_percent_encode(&segment, percent_encoding::NON_ALPHANUMERIC));
        }
        path
    });
    Ok(written(&call.caller, &made, path.as_deref()))
}

/// Refuses a body where none is taken: what it says would not be done.
async fn no_body(body: Body) -> Result<(), Refusal> {
    match axum::body::to_bytes(body, 0).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Problem::INVALID_REQUEST.because("the body: this path takes none")),
    }
}

/// A connection for a list.
async fn connection(app: &App, call: &Call) -> Result<store::Pooled, Refusal> {
    app.pool.of(&call.caller.organization).await.map_err(read_refusal)
}

fn read_refusal(error: StoreError) -> Refusal {
    tracing::warn!(%error, "a list could not be read");
    Problem::UNAVAILABLE.into()
}

/// A page of a list. One item more than asked for was read if there is more.
fn page(mut items: Vec<Item>, range: &Range) -> Response {
    let more = items.len() as i64 > range.limit;
    items.truncate(usize::try_from(range.limit).unwrap_or(usize::MAX));
    page_up_to(&items, items.last().filter(|_| more).map(|last| last.id.as_str()))
}

/// A page of a list that goes on after an item, if it does.
fn page_up_to(items: &[Item], last: Option<&str>) -> Response {
    let cursor = last.map(|last| URL_SAFE_NO_PAD.encode(last));
    let list: Vec<Value> = items.iter().map(Item::json).collect();
    respond(StatusCode::OK, json!({"items": list, "next_cursor": cursor}).to_string())
}

/// The range that is read for a page: one more, to know whether there is more.
fn and_one(range: &Range) -> Range {
    Range { after: range.after.clone(), limit: range.limit + 1 }
}

/// One item, with its tag.
fn item(item: &Item) -> Response {
    let mut response = respond(StatusCode::OK, item.text.clone());
    tag(&mut response, &item.etag());
    response
}

fn tag(response: &mut Response, etag: &str) {
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(ETAG, etag);
    }
}

fn respond(status: StatusCode, body: String) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Authorization"));
    response
}

/// A body of the interface itself: unlike AuthZEN's, it has no members that nobody knows.
fn parse<T: DeserializeOwned>(body: &str) -> Result<T, Refusal> {
    // serde would take a list for the members in their order.
    if !body.trim_start().starts_with('{') {
        return Err(Problem::INVALID_REQUEST.because("the body: it has to be a JSON object"));
    }
    serde_json::from_str(body).map_err(|error| Problem::INVALID_REQUEST.because(format!("the body: {error}")))
}

/// The answer to a write. `made`: with 201 and the path below the organization's, where something was made.
fn written(caller: &Caller, written: &Written, made: Option<&str>) -> Response {
    if let Some(impact) = &written.impact {
        return respond(StatusCode::OK, impact.to_json(written.revision).to_string());
    }
    let mut response = match (&written.item, made) {
        (Some(item), Some(path)) if written.changed => {
            let mut response = respond(StatusCode::CREATED, item.text.clone());
            let organization = percent_encoding::utf8_percent_encode(
                &caller.organization,
                percent_encoding::NON_ALPHANUMERIC,
            );
            let below = if path.is_empty() { "" } else { "/" };
            if let Ok(location) =
                HeaderValue::try_from(format!("/v1/organizations/{organization}{below}{path}"))
            {
                response.headers_mut().insert(LOCATION, location);
            }
            response
        }
        (Some(item), _) => respond(StatusCode::OK, item.text.clone()),
        (None, _) => respond(StatusCode::NO_CONTENT, String::new()),
    };
    if let Some(item) = &written.item {
        tag(&mut response, &item.etag());
    }
    let headers = response.headers_mut();
    headers.insert(POSTERN_REVISION, HeaderValue::from(written.revision));
    headers.insert(POSTERN_CONSISTENCY_TOKEN, consistency::token(&caller.organization, written.revision));
    response
}
