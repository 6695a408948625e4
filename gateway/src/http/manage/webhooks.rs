//! `…/webhooks` and what is below it.

use super::{Call, and_one, connection, item, no_body, page, parse, read_refusal, respond, written};
use crate::app::App;
use crate::http::body::json_body;
use crate::manage::permission::WEBHOOK_MANAGE;
use crate::manage::{WebhookFields, Write};
use crate::problem::{Problem, Refusal};
use crate::store::manage::webhooks;
use crate::webhooks::SECRET_PREFIX;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::sync::Arc;

/// Who may see webhooks.
pub const READERS: &[&str] = &[WEBHOOK_MANAGE];

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit"])?;
    let range = call.range()?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let items = webhooks::list(&mut connection, &call.caller.organization, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let webhook = webhooks::get(&mut connection, &call.caller.organization, call.uuid()?).await;
    Ok(item(&webhook.map_err(read_refusal)?.ok_or(Problem::ITEM_NOT_FOUND)?))
}

pub async fn deliveries(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let found = webhooks::deliveries(&mut connection, &call.caller.organization, call.uuid()?).await;
    let found = found.map_err(read_refusal)?.ok_or(Problem::ITEM_NOT_FOUND)?;
    Ok(respond(StatusCode::OK, found.text))
}

pub async fn secret(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    call.may_read(&app, READERS).await?;
    if !call.caller.can_write {
        return Err(Problem::READ_ONLY_KEY.into());
    }
    let mut connection = connection(&app, &call).await?;
    let found = webhooks::secret(&mut connection, &call.caller.organization, call.uuid()?).await;
    let secret = found.map_err(read_refusal)?.ok_or(Problem::ITEM_NOT_FOUND)?;
    let secret = format!("{SECRET_PREFIX}{}", STANDARD.encode(secret));
    Ok(respond(StatusCode::OK, json!({"secret": secret}).to_string()))
}

pub async fn update(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let tags = call.tags()?;
    let fields: WebhookFields = parse(&json_body(&call.headers, body).await?)?;
    let id = call.uuid();
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.update_webhook(id?, &tags, &fields).await?, None))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let (tags, id) = (call.tags()?, call.uuid());
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_webhook(id?, &tags).await?, None))
}

pub async fn rotate(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    no_body(body).await?;
    let id = call.uuid();
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.rotate_webhook(id?).await?, None))
}

pub async fn retry(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    no_body(body).await?;
    let id = call.uuid();
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.retry_webhook(id?).await?, None))
}
