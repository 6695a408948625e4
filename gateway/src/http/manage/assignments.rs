//! `…/assignments` and `…/assignments/{id}`

use super::role_aliases::role_of;
use super::roles::READERS;
use super::{Call, and_one, connection, page, read_refusal, written};
use crate::app::App;
use crate::manage::Write;
use crate::problem::Refusal;
use crate::store::manage::assignments;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "subject", "role"])?;
    let range = call.range()?;
    call.may_read(&app, READERS).await?;
    let (subject, role) = (call.parameter("subject"), call.parameter("role"));
    let mut connection = connection(&app, &call).await?;
    let organization = &call.caller.organization;
    let former = role_of(&mut connection, organization, role).await?;
    let role = former.as_deref().or(role);
    let items = assignments::list(&mut connection, organization, subject, role, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let id = call.uuid();
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_assignment(id?).await?, None))
}
