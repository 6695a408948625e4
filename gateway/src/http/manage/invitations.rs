//! `…/invitations` and what is below it.

use super::roles::READERS;
use super::{Call, and_one, connection, item, no_body, page, read_refusal, written};
use crate::app::App;
use crate::manage::{Actor, Write, accept_invitation};
use crate::problem::{Problem, Refusal};
use crate::store::manage::invitations::{self, Invitation};
use crate::store::manage::subjects;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use uuid::Uuid;

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "subject", "state"])?;
    let range = call.range()?;
    let (subject, state) = (call.parameter("subject"), call.parameter("state"));
    if !(matches!(subject, Some(subject) if is_caller(&app, &call, subject).await?)) {
        call.may_read(&app, READERS).await?;
    }
    let mut connection = connection(&app, &call).await?;
    let organization = &call.caller.organization;
    let items = invitations::list(&mut connection, organization, subject, state, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let found = found(&app, &call).await?;
    let own = match &found {
        Some(found) => is_caller(&app, &call, &found.subject).await?,
        None => false,
    };
    if !own {
        call.may_read(&app, READERS).await?;
    }
    Ok(item(&found.ok_or(Problem::ITEM_NOT_FOUND)?.item))
}

pub async fn accept(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    let id = answers(&app, &call, body).await?;
    Ok(written(&call.caller, &accept_invitation(&app, &call.caller, id).await?, None))
}

pub async fn reject(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    let id = answers(&app, &call, body).await?;
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.reject_invitation(id).await?, None))
}

pub async fn cancel(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    no_body(body).await?;
    let id = call.uuid();
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.cancel_invitation(id?).await?, None))
}

/// The invitation of a caller who answers it. Who was not invited is told so only if they could see it.
async fn answers(app: &Arc<App>, call: &Call, body: Body) -> Result<Uuid, Refusal> {
    call.takes(&[])?;
    no_body(body).await?;
    if !call.caller.can_write {
        return Err(Problem::READ_ONLY_KEY.into());
    }
    let found = found(app, call).await?;
    if let Some(found) = &found
        && is_caller(app, call, &found.subject).await?
    {
        return Ok(call.uuid()?);
    }
    call.may_read(app, READERS).await?;
    found.ok_or(Problem::ITEM_NOT_FOUND)?;
    Err(Problem::NOT_INVITED.into())
}

async fn found(app: &App, call: &Call) -> Result<Option<Invitation>, Refusal> {
    let Ok(id) = call.uuid() else { return Ok(None) };
    let mut connection = connection(app, call).await?;
    invitations::get(&mut connection, &call.caller.organization, id).await.map_err(read_refusal)
}

/// Whether the caller is a subject, under this id or an alias.
async fn is_caller(app: &App, call: &Call, subject: &str) -> Result<bool, Refusal> {
    let Actor::Subject(caller) = &call.caller.actor else { return Ok(false) };
    if caller == subject {
        return Ok(true);
    }
    let mut connection = connection(app, call).await?;
    let organization = &call.caller.organization;
    let mut canonical = [caller.clone(), subject.to_owned()];
    for id in &mut canonical {
        let listed = subjects::of_alias(&mut connection, organization, id).await.map_err(read_refusal)?;
        *id = listed.unwrap_or_else(|| std::mem::take(id));
    }
    Ok(canonical[0] == canonical[1])
}
