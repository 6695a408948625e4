//! `…/subjects` and `…/subjects/{id}`: groups are subjects of the type `group`.

use super::{Call, and_one, connection, item, page, parse, read_refusal, written};
use crate::app::App;
use crate::http::body::json_body;
use crate::manage::permission::{ROLE_MANAGE, USER_MANAGE, USER_READ};
use crate::manage::{SubjectFields, Write};
use crate::problem::{Problem, Refusal};
use crate::store::manage::subjects;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Who may see subjects and memberships.
pub(in crate::http) const READERS: &[&str] = &[USER_READ, USER_MANAGE, ROLE_MANAGE];

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "type"])?;
    let range = call.range()?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let kind = call.parameter("type");
    let items = subjects::list(&mut connection, &call.caller.organization, kind, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let subject = subjects::get(&mut connection, &call.caller.organization, &call.id).await;
    Ok(item(&subject.map_err(read_refusal)?.ok_or(Problem::ITEM_NOT_FOUND)?))
}

pub async fn update(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let tags = call.tags()?;
    let fields: SubjectFields = parse(&json_body(&call.headers, body).await?)?;
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.update_subject(&call.id, &tags, &fields).await?, None))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let tags = call.tags()?;
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_subject(&call.id, &tags).await?, None))
}
