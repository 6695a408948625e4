//! `/v1/organizations`: which there are, for whoever runs the installation.

use super::{Call, ForInstallation, and_one, connection, item, page, parse, read_refusal, respond, written};
use crate::app::App;
use crate::http::body::json_body;
use crate::manage::organizations::{self as rules, NewOrganization};
use crate::problem::{Problem, Refusal};
use crate::store::organizations;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

pub async fn list(
    State(app): State<Arc<App>>,
    ForInstallation(call): ForInstallation,
) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit"])?;
    let range = call.range()?;
    let mut connection = app.pool.login().await.map_err(read_refusal)?;
    let items = organizations::list(&mut connection, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn create(
    State(app): State<Arc<App>>,
    ForInstallation(mut call): ForInstallation,
    body: Body,
) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let body = json_body(&call.headers, body).await?;
    let fields: NewOrganization = parse(&body)?;
    call.caller.organization = fields.id()?.to_owned();
    let made = fields.make(&app, &call.caller, call.replay(&body)?).await?;
    Ok(written(&call.caller, &made, Some("")))
}

pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let mut connection = connection(&app, &call).await?;
    let found = organizations::get(&mut connection, &call.caller.organization).await.map_err(read_refusal)?;
    Ok(item(&found.ok_or(Problem::ORGANIZATION_GONE)?))
}

pub async fn delete(
    State(app): State<Arc<App>>,
    ForInstallation(call): ForInstallation,
) -> Result<Response, Refusal> {
    call.takes(&[])?;
    rules::delete(&app, &call.caller, &call.tags()?).await?;
    Ok(respond(StatusCode::NO_CONTENT, String::new()))
}
