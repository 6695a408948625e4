//! `…/role-aliases` and `…/role-aliases/{id}`

use super::roles::READERS;
use super::{Call, and_one, connection, page, read_refusal, written};
use crate::app::App;
use crate::manage::Write;
use crate::problem::Refusal;
use crate::store::Pooled;
use crate::store::manage::role_aliases;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "role"])?;
    let range = call.range()?;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let (organization, role) = (&call.caller.organization, call.parameter("role"));
    let items = role_aliases::list(&mut connection, organization, role, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_role_alias(&call.id).await?, None))
}

/// The role of which something is wanted, where it is named by a former id.
pub(super) async fn role_of(
    connection: &mut Pooled,
    organization: &str,
    id: Option<&str>,
) -> Result<Option<String>, Refusal> {
    match id.filter(|id| id.starts_with("role:")) {
        Some(id) => role_aliases::role_of(connection, organization, id).await.map_err(read_refusal),
        None => Ok(None),
    }
}
