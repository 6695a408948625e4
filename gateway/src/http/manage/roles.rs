//! `…/roles` and `…/roles/{id}`

use super::role_aliases::role_of;
use super::{Call, and_one, connection, item, page, parse, read_refusal, written};
use crate::app::App;
use crate::http::body::json_body;
use crate::manage::permission::{ROLE_MANAGE, ROLE_READ, USER_MANAGE};
use crate::manage::{RoleFields, Write};
use crate::problem::{Problem, Refusal};
use crate::store::manage::roles;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Who may see roles and assignments.
pub(in crate::http) const READERS: &[&str] = &[ROLE_READ, ROLE_MANAGE, USER_MANAGE];

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit"])?;
    let range = call.range()?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let items = roles::list(&mut connection, &call.caller.organization, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let organization = &call.caller.organization;
    let former = role_of(&mut connection, organization, Some(&call.id)).await?;
    let id = former.as_deref().unwrap_or(&call.id);
    let role = roles::get(&mut connection, organization, id).await.map_err(read_refusal)?;
    Ok(item(&role.ok_or(Problem::ITEM_NOT_FOUND)?))
}

pub async fn update(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let tags = call.tags()?;
    let fields: RoleFields = parse(&json_body(&call.headers, body).await?)?;
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.update_role(&call.id, &tags, &fields).await?, None))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["reassign_to"])?;
    let tags = call.tags()?;
    let write = Write::begin(&app, &call.caller).await?;
    let gone = write.delete_role(&call.id, &tags, call.parameter("reassign_to")).await?;
    Ok(written(&call.caller, &gone, None))
}
