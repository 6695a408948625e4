//! `…/grants` and `…/grants/{id}`

use super::role_aliases::role_of;
use super::roles::READERS;
use super::{Call, and_one, connection, page, read_refusal, written};
use crate::app::App;
use crate::manage::Write;
use crate::problem::{Problem, Refusal};
use crate::store::manage::grants::{self, Filter};
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "subject", "effect", "at_type", "at_id"])?;
    let range = call.range()?;
    let mut filter = Filter {
        subject: call.parameter("subject"),
        effect: call.parameter("effect"),
        at: call.place("at_type", "at_id")?,
    };
    if filter.effect.is_some_and(|effect| !["allow", "exclude"].contains(&effect)) {
        return Err(Problem::INVALID_QUERY.because("`effect` is allow or exclude"));
    }
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let organization = &call.caller.organization;
    let of_role = role_of(&mut connection, organization, filter.subject).await?;
    filter.subject = of_role.as_deref().or(filter.subject);
    let items = grants::list(&mut connection, organization, &filter, &and_one(&range)).await;
    Ok(page(items.map_err(read_refusal)?, &range))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let id = call.uuid();
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_grant(id?).await?, None))
}
