//! `…/explain`: why somebody may or may not do something, and what would let them.

use super::roles::READERS;
use super::{Call, respond};
use crate::app::App;
use crate::clock::now_micros;
use crate::explanation;
use crate::http::body::json_body;
use crate::http::{POSTERN_CONSISTENCY_TOKEN, POSTERN_REVISION};
use crate::problem::{Problem, Refusal};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use postern_resolver::{Context, Question};
use postern_world::{Op, ResourceRef, parse_query};
use std::sync::Arc;

/// Takes a question as a query file has it (`semantics.md` section 6). For those who may read roles: the answer names
/// holders and roles.
pub async fn ask(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    if call.caller.preview {
        return Err(Problem::INVALID_QUERY.because("`preview` is for what writes"));
    }
    let state = call.may_read(&app, READERS).await?;
    let body = json_body(&call.headers, body).await?;
    let query = parse_query(&body).map_err(|error| Problem::INVALID_REQUEST.because(error.to_string()))?;
    if !matches!(query.op, Op::Check | Op::Explain) {
        return Err(Problem::INVALID_REQUEST.because("op: only a check can be explained"));
    }
    let parents: Vec<(&str, &str)> = query.parents.iter().map(pair).collect();
    let dimensions: Vec<(&str, &str)> =
        query.dimensions.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    let question = Question {
        subject: &query.subject,
        permission: &query.permission,
        resource: query.resource.as_ref().map(pair),
        context: Context {
            parents: &parents,
            owner: query.owner.as_deref(),
            dimensions: &dimensions,
            session: query.session.as_deref(),
            now: query.now.unwrap_or_else(now_micros),
        },
    };
    let explained = explanation::to_json(&postern_resolver::explain(&state.view(), &question));
    let mut response = respond(StatusCode::OK, explained.to_string());
    let headers = response.headers_mut();
    headers.insert(POSTERN_REVISION, HeaderValue::from(state.revision()));
    headers.insert(POSTERN_CONSISTENCY_TOKEN, state.consistency_token.clone());
    Ok(response)
}

fn pair(place: &ResourceRef) -> (&str, &str) {
    (&place.kind, &place.id)
}
