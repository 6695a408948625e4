//! `…/shares` and `…/shares/{id}`

use super::{Call, and_one, connection, page, read_refusal, written};
use crate::app::App;
use crate::manage::permission::{RESOURCE_SHARE, ROLE_MANAGE, ROLE_READ, SECRET_SHARE, USER_MANAGE};
use crate::manage::{SECRET, Write};
use crate::problem::Refusal;
use crate::store::manage::shares;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Who may see shares: all of them, or those of a resource with one of these at it.
pub(in crate::http) const READERS: &[&str] = &[ROLE_READ, ROLE_MANAGE, USER_MANAGE, RESOURCE_SHARE];
/// The same of those of a secret.
const READERS_OF_SECRET: &[&str] = &[ROLE_READ, ROLE_MANAGE, USER_MANAGE, RESOURCE_SHARE, SECRET_SHARE];

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "resource_type", "resource_id", "subject"])?;
    let range = call.range()?;
    let resource = call.place("resource_type", "resource_id")?;
    let readers = match resource {
        Some((SECRET, _)) => READERS_OF_SECRET,
        _ => READERS,
    };
    if resource.is_none() || call.may_read_at(&app, readers, resource).await.is_err() {
        call.may_read(&app, READERS).await?;
    }
    let mut connection = connection(&app, &call).await?;
    let (organization, subject) = (&call.caller.organization, call.parameter("subject"));
    let items = shares::list(&mut connection, organization, resource, subject, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let id = call.uuid();
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_share(id?).await?, None))
}
