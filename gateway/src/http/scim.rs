//! `/scim/v2/{organization}/…`: SCIM 2.0 (RFC 7644), with which a directory writes users and groups. `docs/scim.md`
//! describes it; it describes itself at `…/Schemas`, as the standard has it, and not in `/openapi.json`.

use super::REQUEST_ID;
use super::body::text_body;
use super::scim_documents as documents;
use super::scim_events::follow;
use crate::app::App;
use crate::manage::directory::{self as manage, Members, Resource};
use crate::manage::{Actor, Caller, Write};
use crate::problem::{Problem, Refusal};
use crate::scim::filter::{self, Equal};
use crate::scim::patch::{self, apply};
use crate::scim::{GROUP, Invalid, USER};
use crate::store::StoreError;
use crate::store::manage::directory::{self, Entry, Wanted};
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const MEDIA: &str = "application/scim+json";
/// Items of a list that does not say how many.
const COUNT: i64 = 100;
/// LIMIT: items of a list.
const COUNT_MAX: i64 = 1000;

/// All paths.
pub(super) fn routes() -> Router<Arc<App>> {
    let below = |path: &str| format!("/scim/v2/{{organization}}/{path}");
    Router::new()
        .route(&below("Users"), get(list_users).post(create_user))
        .route(&below("Users/{id}"), get(read_user).put(put_user).patch(patch_user).delete(delete_user))
        .route(&below("Groups"), get(list_groups).post(create_group))
        .route(&below("Groups/{id}"), get(read_group).put(put_group).patch(patch_group).delete(delete_group))
        .route(&below("Events"), post(follow))
        .route(&below("ServiceProviderConfig"), get(documents::configuration))
        .route(&below("ResourceTypes"), get(documents::resource_types))
        .route(&below("ResourceTypes/{id}"), get(documents::resource_type))
        .route(&below("Schemas"), get(documents::schemas))
        .route(&below("Schemas/{id}"), get(documents::schema))
}

/// An error as the standard has it (section 3.12).
pub(super) struct ScimError {
    refusal: Refusal,
    kind: Option<&'static str>,
}

impl From<Refusal> for ScimError {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal.code() {
            "id_taken" => Some("uniqueness"),
            "invalid_request" => Some("invalidValue"),
            _ => None,
        };
        ScimError { refusal, kind }
    }
}

impl From<Problem> for ScimError {
    fn from(problem: Problem) -> Self {
        Refusal::from(problem).into()
    }
}

impl From<Invalid> for ScimError {
    fn from(invalid: Invalid) -> Self {
        ScimError { refusal: Problem::INVALID_REQUEST.because(invalid.what), kind: Some(invalid.kind) }
    }
}

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        let detail = self.refusal.detail().to_owned();
        // Its status, and what asks for a credential.
        let mut response = self.refusal.into_response();
        let mut body =
            json!({"schemas": [ERROR], "status": response.status().as_u16().to_string(), "detail": detail});
        if let Some(kind) = self.kind {
            body["scimType"] = json!(kind);
        }
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA));
        *response.body_mut() = Body::from(body.to_string());
        response
    }
}

/// A call by whoever runs the gateway, or its directory.
pub(super) struct Call {
    pub(super) caller: Caller,
    pub(super) id: String,
    parameters: HashMap<String, String>,
    headers: HeaderMap,
    /// Without a slash at the end.
    pub(super) base: String,
}

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = ScimError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ScimError> {
        let path: Result<Path<HashMap<String, String>>, _> = Path::from_request_parts(parts, app).await;
        let Path(mut path) = path.map_err(|_| Problem::INVALID_PATH)?;
        let organization = path.remove("organization").unwrap_or_default();
        let request_id = parts.headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
        let caller = app.access.manager(&organization, &parts.headers, request_id).await?;
        if !matches!(caller.actor, Actor::Operator(_)) {
            return Err(Problem::NEEDS_OPERATOR.into());
        }
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let parameters = form_urlencoded::parse(query)
            .map(|(name, value)| (name.to_lowercase(), value.into_owned()))
            .collect();
        let base = format!("{}/scim/v2/{}", app.public_url, encoded(&organization));
        let id = path.remove("id").unwrap_or_default();
        Ok(Call { caller, id, parameters, headers: parts.headers.clone(), base })
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

impl Call {
    /// The tags that a change says it is of: none where it does not say.
    fn tags(&self) -> Vec<String> {
        let values = self.headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect()
    }

    fn filter(&self) -> Result<Vec<Equal>, Invalid> {
        self.parameters.get("filter").map_or(Ok(Vec::new()), |text| filter::parse(text))
    }

    /// How many are left out, and how many are wanted: what is out of range is brought into it (section 3.4.2.4).
    fn part(&self) -> Result<(i64, i64), Invalid> {
        let number =
            |name: &str, default: i64| match self.parameters.get(name).map(|text| text.parse::<i64>()) {
                None => Ok(default),
                Some(Ok(number)) => Ok(number),
                Some(Err(_)) => Err(Invalid::new("invalidValue", format!("{name}: it is no number"))),
            };
        Ok((number("startindex", 1)?.max(1) - 1, number("count", COUNT)?.clamp(0, COUNT_MAX)))
    }

    /// Whether the caller wants to be told an attribute: by `attributes` and `excludedAttributes`.
    fn wants(&self, attribute: &str) -> bool {
        let names = |name: &str| {
            let all = self.parameters.get(name)?;
            let first = |one: &str| {
                one.trim().rsplit(':').next().unwrap_or_default().split('.').next().map(str::to_lowercase)
            };
            Some(all.split(',').filter_map(first).collect::<Vec<_>>())
        };
        let attribute = attribute.to_lowercase();
        match (names("attributes"), names("excludedattributes")) {
            (Some(wanted), _) => wanted.contains(&attribute),
            (None, Some(left_out)) => !left_out.contains(&attribute),
            (None, None) => true,
        }
    }

    async fn body(&self, body: Body) -> Result<Value, ScimError> {
        let text = text_body(&self.headers, body, &[MEDIA, "application/json"]).await?;
        serde_json::from_str(&text).map_err(|error| Invalid::new("invalidSyntax", error.to_string()).into())
    }

    pub(super) async fn object(&self, body: Body) -> Result<Map<String, Value>, ScimError> {
        match self.body(body).await? {
            Value::Object(object) => Ok(object),
            _ => Err(Invalid::new("invalidSyntax", "it is no JSON object").into()),
        }
    }

    /// What is told of users or groups, in their order.
    async fn told(&self, app: &App, entries: &[Entry], group: bool) -> Result<Vec<Value>, ScimError> {
        let organization = &self.caller.organization;
        let mut connection = app.pool.of(organization).await.map_err(unavailable)?;
        let subjects: Vec<String> = entries.iter().map(|entry| entry.subject.clone()).collect();
        let versioned = !group || entries.len() == 1 || self.wants("members");
        let related = match group {
            // The tag is of the members as well, where it is told of one.
            true if versioned => {
                directory::members_of(&mut connection, organization, &subjects).await.map_err(unavailable)?
            }
            false if self.wants("groups") => {
                directory::groups_of(&mut connection, organization, &subjects).await.map_err(unavailable)?
            }
            _ => Vec::new(),
        };
        let mut by_subject: HashMap<&str, Vec<[String; 3]>> = HashMap::new();
        for one in &related {
            by_subject.entry(&one[0]).or_default().push(one.clone());
        }
        let none = Vec::new();
        let told = |entry: &Entry| {
            self.resource(entry, by_subject.get(entry.subject.as_str()).unwrap_or(&none), (group, versioned))
        };
        Ok(entries.iter().map(told).collect())
    }

    fn resource(&self, entry: &Entry, related: &[[String; 3]], (group, versioned): (bool, bool)) -> Value {
        let version = versioned.then(|| manage::version(entry, if group { related } else { &[] }));
        let mut all = Resource::written(entry);
        let id = manage::bare(&entry.subject);
        let place = |subject: &str| {
            let kind = if subject.starts_with("user:") { "Users" } else { "Groups" };
            format!("{}/{kind}/{}", self.base, encoded(manage::bare(subject)))
        };
        let related: Vec<Value> = related
            .iter()
            .map(|[_, other, name]| {
                let of = match (group, other.starts_with("user:")) {
                    (false, _) => "direct",
                    (true, true) => "User",
                    (true, false) => "Group",
                };
                json!({"value": manage::bare(other), "display": name, "type": of, "$ref": place(other)})
            })
            .collect();
        let (name, schema, kind) = if group { ("members", GROUP, "Group") } else { ("groups", USER, "User") };
        let mut meta = json!({"resourceType": kind, "location": place(&entry.subject)});
        if let Some(version) = version {
            meta["version"] = json!(version);
        }
        for (name, moment) in [("created", &entry.created_at), ("lastModified", &entry.modified_at)] {
            if let Some(moment) = moment {
                meta[name] = json!(moment);
            }
        }
        if !related.is_empty() || group {
            all.insert(name.to_owned(), Value::Array(related));
        }
        all.insert("meta".to_owned(), meta);
        all.retain(|name, _| self.wants(name));
        // What is always told (RFC 7643 section 3.1).
        let mut schemas = vec![schema.to_owned()];
        schemas.extend(all.keys().filter(|name| name.starts_with("urn:")).cloned());
        all.insert("schemas".to_owned(), json!(schemas));
        all.insert("id".to_owned(), json!(id));
        Value::Object(all)
    }

    async fn entry(&self, app: &App, kind: &str) -> Result<Entry, ScimError> {
        let organization = &self.caller.organization;
        let mut connection = app.pool.of(organization).await.map_err(unavailable)?;
        let subject = format!("{kind}:{}", self.id);
        let entry = directory::get(&mut connection, organization, &subject).await.map_err(unavailable)?;
        Ok(entry.ok_or(Problem::ITEM_NOT_FOUND)?)
    }

    /// One, with a status.
    async fn one(&self, app: &App, entry: Entry, status: StatusCode) -> Result<Response, ScimError> {
        let group = entry.subject.starts_with("group:");
        let mut told = self.told(app, &[entry], group).await?;
        let one = told.pop().unwrap_or_default();
        let mut response = respond(status, &one);
        let headers = response.headers_mut();
        for (header, value) in [(LOCATION, &one["meta"]["location"]), (ETAG, &one["meta"]["version"])] {
            if let Some(Ok(value)) = value.as_str().map(HeaderValue::from_str) {
                headers.insert(header, value);
            }
        }
        Ok(response)
    }

    /// What a write left, as it is now.
    async fn after(&self, app: &App, subject: &str, status: StatusCode) -> Result<Response, ScimError> {
        let organization = &self.caller.organization;
        let mut connection = app.pool.of(organization).await.map_err(unavailable)?;
        let entry = directory::get(&mut connection, organization, subject).await.map_err(unavailable)?;
        drop(connection);
        self.one(app, entry.ok_or(Problem::ITEM_NOT_FOUND)?, status).await
    }

    /// A list of those whose ids are `among`, if that is said.
    async fn list(&self, app: &App, group: bool, wanted: Lookup) -> Result<Response, ScimError> {
        let organization = &self.caller.organization;
        let part = self.part()?;
        let (total, entries) = {
            let mut connection = app.pool.of(organization).await.map_err(unavailable)?;
            let kind = if group { "group:" } else { "user:" };
            let wanted = Wanted { kind, among: wanted.among.as_deref(), active: wanted.active, part };
            directory::list(&mut connection, organization, &wanted).await.map_err(unavailable)?
        };
        let told = self.told(app, &entries, group).await?;
        let body = json!({"schemas": [LIST], "totalResults": total, "startIndex": part.0 + 1,
            "itemsPerPage": told.len(), "Resources": told});
        Ok(respond(StatusCode::OK, &body))
    }

    /// Which ones a filter finds.
    async fn find(&self, app: &App, group: bool) -> Result<Lookup, ScimError> {
        let organization = &self.caller.organization;
        let mut found = Lookup::default();
        for equal in self.filter()? {
            let mut connection = app.pool.of(organization).await.map_err(unavailable)?;
            let text = equal.text().unwrap_or_default();
            let kind = if group { "group" } else { "user" };
            let ids = match equal.attribute.to_lowercase().as_str() {
                "active" if !group => {
                    let active = equal.value.as_bool();
                    found.active = Some(
                        active.ok_or_else(|| Invalid::new("invalidFilter", "active: write true or false"))?,
                    );
                    continue;
                }
                "id" => vec![format!("{kind}:{text}")],
                "externalid" => directory::of_external_id(&mut connection, organization, text)
                    .await
                    .map_err(unavailable)?,
                "username" if !group => {
                    let folded = text.to_lowercase();
                    let names = directory::of_user_name(&mut connection, organization, (text, &folded));
                    names.await.map_err(unavailable)?
                }
                "displayname" if group => directory::of_display_name(&mut connection, organization, text)
                    .await
                    .map_err(unavailable)?,
                "members" | "members.value" if group => {
                    let subjects = ["user", "group"].map(|kind| format!("{kind}:{text}"));
                    let groups = directory::groups_of(&mut connection, organization, &subjects).await;
                    groups.map_err(unavailable)?.into_iter().map(|[_, group, _]| group).collect()
                }
                _ => {
                    let known = if group {
                        "id, externalId, displayName, members.value"
                    } else {
                        "id, externalId, userName, active"
                    };
                    return Err(
                        Invalid::new("invalidFilter", format!("only these are looked up: {known}")).into()
                    );
                }
            };
            found.among = Some(match found.among.take() {
                None => ids,
                Some(before) => before.into_iter().filter(|id| ids.contains(id)).collect(),
            });
        }
        Ok(found)
    }
}

/// Which ones of a list.
#[derive(Default)]
struct Lookup {
    among: Option<Vec<String>>,
    active: Option<bool>,
}

fn unavailable(error: StoreError) -> ScimError {
    tracing::warn!(%error, "a directory could not be answered");
    Problem::UNAVAILABLE.into()
}

pub(super) fn respond(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a change makes of what was written before.
fn patched(body: &Value, was: &Entry, user: bool) -> Result<(Resource, Vec<Members>), Invalid> {
    let mut all = Resource::written(was);
    let mut members = Vec::new();
    for operation in patch::parse(body)? {
        let of_members = if user { None } else { manage::members_of(&operation)? };
        match of_members {
            Some(change) => members.push(change),
            None => apply(&mut all, &operation)?,
        }
    }
    Ok((Resource::of(all, user)?, members))
}

async fn create(app: &Arc<App>, call: &Call, body: Body, user: bool) -> Result<Response, ScimError> {
    let all = call.object(body).await?;
    let members = if user { Vec::new() } else { members(&all)? };
    let resource = Resource::of(all, user)?;
    let write = Write::begin(app, &call.caller).await?;
    let (subject, _) = write.create_directory(&resource, members).await?;
    call.after(app, &subject, StatusCode::CREATED).await
}

async fn put(app: &Arc<App>, call: &Call, body: Body, kind: &str) -> Result<Response, ScimError> {
    let all = call.object(body).await?;
    let user = kind == "user";
    let members = if user { Vec::new() } else { vec![Members::Are(members(&all)?)] };
    let resource = Resource::of(all, user)?;
    let subject = format!("{kind}:{}", call.id);
    let mut write = Write::begin(app, &call.caller).await?;
    let changing = write.changing(&subject, &call.tags()).await?;
    write.change_directory(changing, &resource, &members).await?;
    call.after(app, &subject, StatusCode::OK).await
}

async fn patch_one(app: &Arc<App>, call: &Call, body: Body, kind: &str) -> Result<Response, ScimError> {
    let body = call.body(body).await?;
    // What is no change is told as such before anything is locked.
    patch::parse(&body)?;
    let subject = format!("{kind}:{}", call.id);
    let mut write = Write::begin(app, &call.caller).await?;
    let changing = write.changing(&subject, &call.tags()).await?;
    let (resource, members) = patched(&body, &changing.was, kind == "user")?;
    write.change_directory(changing, &resource, &members).await?;
    call.after(app, &subject, StatusCode::OK).await
}

fn members(all: &Map<String, Value>) -> Result<Vec<String>, Invalid> {
    let named = all.iter().find(|(name, _)| name.eq_ignore_ascii_case("members"));
    named.map_or(Ok(Vec::new()), |(_, value)| manage::ids_of(value))
}

async fn delete(app: &Arc<App>, call: &Call, kind: &str) -> Result<Response, ScimError> {
    let write = Write::begin(app, &call.caller).await?;
    write.delete_directory(&format!("{kind}:{}", call.id), &call.tags()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn list_users(State(app): State<Arc<App>>, call: Call) -> Result<Response, ScimError> {
    let wanted = call.find(&app, false).await?;
    call.list(&app, false, wanted).await
}

async fn create_user(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, ScimError> {
    create(&app, &call, body, true).await
}

async fn read_user(State(app): State<Arc<App>>, call: Call) -> Result<Response, ScimError> {
    call.one(&app, call.entry(&app, "user").await?, StatusCode::OK).await
}

async fn put_user(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, ScimError> {
    put(&app, &call, body, "user").await
}

async fn patch_user(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, ScimError> {
    patch_one(&app, &call, body, "user").await
}

async fn delete_user(State(app): State<Arc<App>>, call: Call) -> Result<Response, ScimError> {
    delete(&app, &call, "user").await
}

async fn list_groups(State(app): State<Arc<App>>, call: Call) -> Result<Response, ScimError> {
    let wanted = call.find(&app, true).await?;
    call.list(&app, true, wanted).await
}

async fn create_group(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, ScimError> {
    create(&app, &call, body, false).await
}

async fn read_group(State(app): State<Arc<App>>, call: Call) -> Result<Response, ScimError> {
    call.one(&app, call.entry(&app, "group").await?, StatusCode::OK).await
}

async fn put_group(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, ScimError> {
    put(&app, &call, body, "group").await
}

async fn patch_group(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, ScimError> {
    patch_one(&app, &call, body, "group").await
}

async fn delete_group(State(app): State<Arc<App>>, call: Call) -> Result<Response, ScimError> {
    delete(&app, &call, "group").await
}
