//! `…/decisions`: what was decided for those who asked, where that is kept, newest first.

use super::{Call, and_one, connection, page, read_refusal};
use crate::app::App;
use crate::manage::permission::AUDIT_READ;
use crate::problem::{Problem, Refusal};
use crate::store::decisions::{self, Filter};
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// What may be asked for.
pub const PARAMETERS: &[&str] =
    &["cursor", "limit", "subject", "permission", "resource_type", "resource_id", "decision"];

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(PARAMETERS)?;
    let range = call.range()?;
    let allowed = match call.parameter("decision") {
        None => None,
        Some("allow") => Some(true),
        Some("deny") => Some(false),
        Some(_) => return Err(Problem::INVALID_QUERY.because("`decision` is allow or deny")),
    };
    let filter = Filter {
        subject: call.parameter("subject"),
        permission: call.parameter("permission"),
        resource: call.place("resource_type", "resource_id")?,
        allowed,
    };
    call.may_read(&app, &[AUDIT_READ]).await?;
    let mut connection = connection(&app, &call).await?;
    let items = decisions::list(&mut connection, &call.caller.organization, filter, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}
