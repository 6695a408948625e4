//! `…/catalog`: types and permissions. They come from `--catalog`, an import or SQL, and are not written here.

use super::{Call, connection, item, read_refusal};
use crate::app::App;
use crate::problem::Refusal;
use crate::store::manage::catalog;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// For everybody of the organization: what can be held is no secret, who holds it is.
pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let mut connection = connection(&app, &call).await?;
    let catalog = catalog::get(&mut connection, &call.caller.organization).await;
    Ok(item(&catalog.map_err(read_refusal)?))
}
