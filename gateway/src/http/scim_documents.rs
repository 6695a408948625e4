//! What the SCIM service says of itself (RFC 7643 sections 5 to 7).

use super::scim::{Call, LIST, ScimError, respond};
use crate::problem::Problem;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

const DOCUMENTS: &str = include_str!("scim_documents.json");

/// A part of what the service says of itself.
fn document(name: &str) -> Value {
    let documents: Value = serde_json::from_str(DOCUMENTS).unwrap_or_default();
    documents[name].clone()
}

fn list_of(call: &Call, name: &str) -> Value {
    let mut all = document(name);
    for one in all.as_array_mut().into_iter().flatten() {
        one["meta"]["location"] =
            json!(format!("{}/{}", call.base, one["meta"]["location"].as_str().unwrap_or_default()));
    }
    all
}

fn all_of(call: &Call, name: &str) -> Response {
    let all = list_of(call, name);
    let total = all.as_array().map_or(0, Vec::len);
    let body = json!({"schemas": [LIST], "totalResults": total, "startIndex": 1, "itemsPerPage": total, "Resources": all});
    respond(StatusCode::OK, &body)
}

fn one_of(call: &Call, name: &str) -> Result<Response, ScimError> {
    let all = list_of(call, name);
    let found = all.as_array().into_iter().flatten().find(|one| one["id"] == call.id.as_str());
    found.map(|one| respond(StatusCode::OK, one)).ok_or_else(|| Problem::ITEM_NOT_FOUND.into())
}

pub(super) async fn configuration(call: Call) -> Response {
    let mut configuration = document("ServiceProviderConfig");
    configuration["meta"]["location"] = json!(format!("{}/ServiceProviderConfig", call.base));
    respond(StatusCode::OK, &configuration)
}

pub(super) async fn resource_types(call: Call) -> Response {
    all_of(&call, "ResourceTypes")
}

pub(super) async fn resource_type(call: Call) -> Result<Response, ScimError> {
    one_of(&call, "ResourceTypes")
}

pub(super) async fn schemas(call: Call) -> Response {
    all_of(&call, "Schemas")
}

pub(super) async fn schema(call: Call) -> Result<Response, ScimError> {
    one_of(&call, "Schemas")
}
