//! `…/edges` and `…/edges/{id}`

use super::resources::READERS;
use super::{Call, and_one, connection, page, read_refusal, written};
use crate::app::App;
use crate::manage::Write;
use crate::problem::Refusal;
use crate::store::manage::edges;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "child_type", "child_id", "parent_type", "parent_id"])?;
    let range = call.range()?;
    let (child, parent) = (call.place("child_type", "child_id")?, call.place("parent_type", "parent_id")?);
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let organization = &call.caller.organization;
    let items = edges::list(&mut connection, organization, child, parent, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let id = call.uuid();
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_edge(id?).await?, None))
}
