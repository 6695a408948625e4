//! `GET /openapi.json`: the interface as OpenAPI 3.1, made of the list that the router is made of.

use super::operations::{Answer, Credential, Operation, operations};
use crate::problem::Problem;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Bodies and answers, by name. The tests hold real ones against them.
const SCHEMAS: &str = include_str!("openapi_schemas.json");

static DOCUMENT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));

pub async fn read() -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, DOCUMENT.as_str()).into_response()
}

fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations() {
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        path[operation.method.to_ascii_lowercase()] = describe(&operation);
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Postern gateway",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
            "description": "Snapshots and slices, decisions by AuthZEN 1.0, and the management of what they rest on. \
                Ids in paths are percent-encoded.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of the organization."},
                "installationKey": {"type": "http", "scheme": "bearer",
                    "description": "A key of the installation: an operator's in each organization."},
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "A subject's token."},
            },
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": responses(operation),
    });
    let security = match operation.credential {
        Credential::None => json!([]),
        Credential::Key => json!([{"key": []}]),
        Credential::Subject => json!([{"token": []}]),
        Credential::Manager(_) => json!([{"key": []}, {"token": []}, {"installationKey": []}]),
        Credential::Installation => json!([{"installationKey": []}]),
    };
    described["security"] = security;
    if let Credential::Manager(any_of) = operation.credential {
        described["description"] = match any_of {
            [] => "For whoever belongs to the organization.".into(),
            any_of => format!("Needs one of: {}.", any_of.join(", ")).into(),
        };
    }
    let parameters: Vec<Value> = placeholders(&operation.path)
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .chain(operation.parameters.iter().map(|name| parameter(name)))
        .chain(operation.writes().then(|| parameter("preview")))
        .collect();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = operation.body {
        described["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": reference(body)}}});
    }
    described
}

fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Headers begin with a capital letter.
fn parameter(name: &str) -> Value {
    let (place, required) = match name {
        "If-Match" => ("header", true),
        name if name.starts_with(char::is_uppercase) => ("header", false),
        _ => ("query", false),
    };
    let schema = match name {
        "limit" => json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
        "deltas" | "cascade" | "preview" => json!({"type": "boolean", "default": false}),
        "effect" => json!({"enum": ["allow", "exclude"]}),
        _ => json!({"type": "string"}),
    };
    json!({"name": name, "in": place, "required": required, "schema": schema})
}

fn responses(operation: &Operation) -> Value {
    let content = match operation.answer {
        Answer::Json(schema) => json!({"application/json": {"schema": reference(schema)}}),
        Answer::Page(schema) => json!({"application/json": {"schema": {
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {
                "items": {"type": "array", "items": reference(schema)},
                "next_cursor": {"type": ["string", "null"]},
            },
        }}}),
        Answer::Bytes => json!({"application/octet-stream": {}}),
        Answer::Events => json!({"text/event-stream": {"schema": {"type": "string"}}}),
        Answer::Empty => Value::Null,
    };
    let mut good = json!({"description": operation.summary});
    if !content.is_null() {
        good["content"] = content;
    }
    let headers = operation.headers.iter().chain(["X-Request-ID"].iter());
    good["headers"] =
        headers.map(|name| ((*name).to_owned(), json!({"schema": {"type": "string"}}))).collect();
    let mut all = json!({operation.status.to_string(): good});
    if operation.writes() {
        preview(&mut all);
    }
    // By status, then by code, each once.
    let mut problems: BTreeMap<u16, BTreeMap<&str, &str>> = BTreeMap::new();
    for problem in credential_problems(operation).into_iter().chain(operation.refuses.iter().copied()) {
        problems.entry(problem.status.as_u16()).or_default().insert(problem.code, problem.detail);
    }
    for (status, codes) in problems {
        let list: Vec<String> = codes.iter().map(|(code, detail)| format!("`{code}`: {detail}")).collect();
        all[status.to_string()] = json!({
            "description": list.join("\n\n"),
            "content": {"application/problem+json": {"schema": reference("Problem")}},
        });
    }
    all
}

/// Adds the answer to the question what a write would change.
fn preview(responses: &mut Value) {
    let of_write = responses["200"]["content"]["application/json"]["schema"].take();
    let schema = match of_write {
        Value::Null => reference("Preview"),
        of_write => json!({"anyOf": [of_write, reference("Preview")]}),
    };
    if responses["200"].is_null() {
        let headers = json!({"X-Request-ID": {"schema": {"type": "string"}}});
        responses["200"] =
            json!({"description": "With `preview=true`: what it would change.", "headers": headers});
    }
    responses["200"]["content"]["application/json"]["schema"] = schema;
}

fn credential_problems(operation: &Operation) -> Vec<Problem> {
    let mut problems = match operation.credential {
        Credential::None => return Vec::new(),
        Credential::Key => vec![Problem::INVALID_KEY, Problem::OTHER_ORGANIZATION, Problem::PERSONAL_KEY],
        Credential::Subject => {
            vec![Problem::INVALID_TOKEN, Problem::EXPIRED_TOKEN, Problem::ISSUER_UNAVAILABLE]
        }
        Credential::Installation => {
            vec![Problem::INVALID_KEY, Problem::NEEDS_INSTALLATION_KEY, Problem::INVALID_QUERY]
        }
        Credential::Manager(any_of) => {
            let mut problems = vec![
                Problem::INVALID_KEY,
                Problem::INVALID_TOKEN,
                Problem::EXPIRED_TOKEN,
                Problem::ISSUER_UNAVAILABLE,
                Problem::OTHER_ORGANIZATION,
                Problem::ORGANIZATION_GONE,
                Problem::INVALID_QUERY,
            ];
            if !any_of.is_empty() {
                problems.extend([Problem::FORBIDDEN, Problem::STALE]);
            }
            if operation.writes() {
                problems.push(Problem::READ_ONLY_KEY);
            }
            problems
        }
    };
    if operation.credential == Credential::Installation && operation.method != "GET" {
        problems.push(Problem::READ_ONLY_KEY);
    }
    problems.extend([Problem::BUSY, Problem::TOO_MANY_REQUESTS]);
    if operation.answer == Answer::Events {
        problems.push(Problem::TOO_MANY_STREAMS);
    }
    problems.extend([Problem::MISSING_CREDENTIALS, Problem::MALFORMED_CREDENTIALS, Problem::UNAVAILABLE]);
    if operation.path.contains('{') {
        problems.push(Problem::INVALID_PATH);
    }
    problems
}
