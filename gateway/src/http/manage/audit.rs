//! `…/audit`: what was written through this interface, newest first.

use super::{Call, and_one, connection, page, read_refusal};
use crate::app::App;
use crate::manage::permission::AUDIT_READ;
use crate::problem::Refusal;
use crate::store::manage::audit;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "target"])?;
    let range = call.range()?;
    call.may_read(&app, &[AUDIT_READ]).await?;
    let mut connection = connection(&app, &call).await?;
    let target = call.parameter("target");
    let items = audit::list(&mut connection, &call.caller.organization, target, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}
