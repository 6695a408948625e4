//! `…/scopes` and what is below it.

use super::presets::begins;
use super::{Call, and_one, connection, item, page, parse, read_refusal, written};
use crate::app::App;
use crate::http::body::json_body;
use crate::manage::permission::{RESOURCE_MANAGE, ROLE_MANAGE, ROLE_READ};
use crate::manage::{Begun, NewMember, Write};
use crate::problem::{Problem, Refusal};
use crate::store::manage::scopes;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Who may see scopes: other than a resource, a scope tells of roles.
pub(in crate::http) const READERS: &[&str] = &[ROLE_READ, ROLE_MANAGE, RESOURCE_MANAGE];

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "type"])?;
    let range = call.range()?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let kind = call.parameter("type");
    let items = scopes::list(&mut connection, &call.caller.organization, kind, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

/// For whoever may read there: a scope can be somebody's to look after.
pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    if call.may_read(&app, READERS).await.is_err() {
        call.may_read_at(&app, READERS, Some(call.at())).await?;
    }
    let mut connection = connection(&app, &call).await?;
    let scope = scopes::get(&mut connection, &call.caller.organization, call.at()).await;
    Ok(item(&scope.map_err(read_refusal)?.ok_or(Problem::ITEM_NOT_FOUND)?))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let tags = call.tags()?;
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_scope(call.at(), &tags).await?, None))
}

pub async fn restore(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    let tags = begins(&call, body).await?;
    let done = match call.begin_once(&app, "").await? {
        Begun::Write(write) => write.restore_scope(call.at(), &tags).await?,
        Begun::Before(done) => done,
    };
    Ok(written(&call.caller, &done, None))
}

pub async fn purge(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    let tags = begins(&call, body).await?;
    let done = match call.begin_once(&app, "").await? {
        Begun::Write(write) => write.purge_scope(call.at(), &tags).await?,
        Begun::Before(done) => done,
    };
    Ok(written(&call.caller, &done, None))
}

pub async fn join(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let body = json_body(&call.headers, body).await?;
    let fields: NewMember = parse(&body)?;
    let done = match call.begin_once(&app, &body).await? {
        Begun::Write(write) => write.join_scope(call.at(), &fields).await?,
        Begun::Before(done) => done,
    };
    Ok(written(&call.caller, &done, None))
}
