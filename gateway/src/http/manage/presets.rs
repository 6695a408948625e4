//! `…/presets` and what is below it.

use super::roles::READERS;
use super::{Call, and_one, connection, item, no_body, page, parse, read_refusal, written};
use crate::app::App;
use crate::http::body::json_body;
use crate::manage::{Begun, PresetFields, Write};
use crate::problem::{Problem, Refusal};
use crate::store::manage::presets;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "type"])?;
    let range = call.range()?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let kind = call.parameter("type");
    let items = presets::list(&mut connection, &call.caller.organization, kind, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let preset = presets::get(&mut connection, &call.caller.organization, call.uuid()?).await;
    Ok(item(&preset.map_err(read_refusal)?.ok_or(Problem::ITEM_NOT_FOUND)?))
}

pub async fn update(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let tags = call.tags()?;
    let fields: PresetFields = parse(&json_body(&call.headers, body).await?)?;
    let id = call.uuid();
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.update_preset(id?, &tags, &fields).await?, None))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let (tags, id) = (call.tags()?, call.uuid());
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_preset(id?, &tags).await?, None))
}

pub async fn restore(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    let (tags, id) = (begins(&call, body).await?, call.uuid());
    let done = match call.begin_once(&app, "").await? {
        Begun::Write(write) => write.restore_preset(id?, &tags).await?,
        Begun::Before(done) => done,
    };
    Ok(written(&call.caller, &done, None))
}

pub async fn purge(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    let (tags, id) = (begins(&call, body).await?, call.uuid());
    let done = match call.begin_once(&app, "").await? {
        Begun::Write(write) => write.purge_preset(id?, &tags).await?,
        Begun::Before(done) => done,
    };
    Ok(written(&call.caller, &done, None))
}

/// What a sync would change: nothing is written.
pub async fn preview(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    call.may_read(&app, READERS).await?;
    let (mut connection, id) = (connection(&app, &call).await?, call.uuid()?);
    let organization = &call.caller.organization;
    let preset = presets::get(&mut connection, organization, id).await.map_err(read_refusal)?;
    preset.ok_or(Problem::ITEM_NOT_FOUND)?;
    Ok(item(&presets::differences(&mut connection, organization, id).await.map_err(read_refusal)?))
}

pub async fn sync(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    let (tags, id) = (begins(&call, body).await?, call.uuid());
    let done = match call.begin_once(&app, "").await? {
        Begun::Write(write) => write.sync_preset(id?, &tags).await?,
        Begun::Before(done) => done,
    };
    Ok(written(&call.caller, &done, None))
}

/// What an operation without parameters and body begins with: the tags of what it is about.
pub(super) async fn begins(call: &Call, body: Body) -> Result<Vec<String>, Refusal> {
    call.takes(&[])?;
    let tags = call.tags()?;
    no_body(body).await?;
    Ok(tags)
}
