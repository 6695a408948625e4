//! `…/resources` and `…/resources/{type}/{id}`

use super::{Call, and_one, connection, item, page, parse, read_refusal, written};
use crate::app::App;
use crate::http::body::json_body;
use crate::manage::permission::{RESOURCE_MANAGE, RESOURCE_READ, ROLE_MANAGE};
use crate::manage::{ResourceFields, Write};
use crate::problem::{Problem, Refusal};
use crate::store::manage::resources;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Who may see resources and edges.
pub(in crate::http) const READERS: &[&str] = &[RESOURCE_READ, RESOURCE_MANAGE, ROLE_MANAGE];

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "type"])?;
    let range = call.range()?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let kind = call.parameter("type");
    let items = resources::list(&mut connection, &call.caller.organization, kind, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

/// For whoever may read there: a part of the tree can be somebody's to look after.
pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let at = (call.kind.as_str(), call.id.as_str());
    let everywhere = call.may_read(&app, READERS).await;
    if everywhere.is_err() {
        call.may_read_at(&app, READERS, Some(at)).await?;
    }
    let mut connection = connection(&app, &call).await?;
    let resource = resources::get(&mut connection, &call.caller.organization, at).await;
    Ok(item(&resource.map_err(read_refusal)?.ok_or(Problem::ITEM_NOT_FOUND)?))
}

pub async fn update(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let tags = call.tags()?;
    let fields: ResourceFields = parse(&json_body(&call.headers, body).await?)?;
    let write = Write::begin(&app, &call.caller).await?;
    let changed = write.update_resource((&call.kind, &call.id), &tags, &fields).await?;
    Ok(written(&call.caller, &changed, None))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cascade"])?;
    let cascade = match call.parameter("cascade") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::INVALID_QUERY.because("`cascade` is true or false")),
    };
    let tags = call.tags()?;
    let write = Write::begin(&app, &call.caller).await?;
    let gone = write.delete_resource((&call.kind, &call.id), &tags, cascade).await?;
    Ok(written(&call.caller, &gone, None))
}
