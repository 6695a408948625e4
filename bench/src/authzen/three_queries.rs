//! The path that the gateway replaces: a service that asks Postgres three times for every decision.
//!
//! It knows what W(n) needs and nothing more: groups one level deep, resources one level below a site, no narrowing, no
//! exclusions, no conditions, no time bounds, no reasons. Where it could be made faster without keeping facts in memory, it
//! is: the keys are in memory, a request takes one connection from the pool without a ping, every statement is prepared
//! once for each connection and never planned again, and the third reads only what is about the permission that was
//! asked for.

use anyhow::Result;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use postern_gateway::access::key_digest;
use postern_gateway::store;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Who asks: the subject, if it counts, and its groups.
const PRINCIPALS: &str = "
    SELECT subject_id::text FROM subjects WHERE organization_id = $1 AND subject_id = $2 AND active
    UNION ALL
    SELECT group_id::text FROM memberships WHERE organization_id = $1 AND subject_id = $2 AND active";

/// What it is about: the resource, if it counts, with each of its parents, or NULLs where it has none.
const PLACES: &str = "
    SELECT edge.parent_type::text, edge.parent_id::text FROM resources AS resource
    LEFT JOIN resource_parents AS edge ON edge.organization_id = resource.organization_id
        AND edge.child_type = resource.resource_type AND edge.child_id = resource.resource_id
    WHERE resource.organization_id = $1 AND resource.resource_type = $2 AND resource.resource_id = $3
        AND resource.active";

/// Where the principals hold the permission, by a role or by a grant; NULLs are the whole organization. With joins, a
/// plan for any number of principals reads all rows about the permission; OFFSET 0 keeps EXISTS from becoming one, and
/// both halves begin with the rows of the principals.
const HELD: &str = "
    SELECT held.at_type::text, held.at_id::text FROM assignments AS held
    WHERE held.organization_id = $1 AND held.subject_id = ANY ($2) AND held.active AND EXISTS (
        SELECT FROM role_permissions AS may
        JOIN roles AS role ON role.organization_id = may.organization_id AND role.role_id = may.role_id
        WHERE may.organization_id = held.organization_id AND may.role_id = held.role_id AND may.permission = $3
            AND role.active OFFSET 0)
    UNION ALL
    SELECT held.at_type::text, held.at_id::text FROM grants AS held
    WHERE held.organization_id = $1 AND held.subject_id = ANY ($2) AND held.active AND held.effect = 'allow'
        AND EXISTS (
            SELECT FROM grant_permissions AS may
            WHERE may.organization_id = held.organization_id AND may.grant_id = held.grant_id
                AND may.permission = $3 OFFSET 0)";

/// Where decisions are asked for, as in the gateway.
pub(super) const DECIDE: &str = "/access/v1/evaluation";
/// The same request, checked and read, and answered without a query and without a decision.
pub(super) const FLOOR: &str = "/floor";

struct Service {
    pool: PgPool,
    /// The organization of each key, by the key's SHA-256.
    keys: HashMap<[u8; 32], String>,
}

#[derive(Deserialize)]
struct Evaluation {
    subject: Entity,
    action: Action,
    resource: Entity,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

#[derive(Deserialize)]
struct Action {
    name: String,
}

#[derive(Serialize)]
struct Decision {
    decision: bool,
}

/// A type and an id; `None` is the whole organization.
type Place = (Option<String>, Option<String>);

/// A running service. It ends with the program.
pub(super) struct Running {
    pub address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
    pool: PgPool,
}

impl Running {
    /// Listens, with all connections of its pool open.
    pub async fn start(
        database_url: &str,
        connections: u32,
        key: &str,
        organization: &str,
    ) -> Result<Running> {
        // The values that are bound change nothing about the plan, and planning takes longer than running it.
        let options =
            store::connect_options(database_url)?.options([("plan_cache_mode", "force_generic_plan")]);
        let pool = PgPoolOptions::new()
            .min_connections(connections)
            .max_connections(connections)
            // A ping before every request would be a fourth query.
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        let keys = HashMap::from([(key_digest(key), organization.to_owned())]);
        let service = Arc::new(Service { pool: pool.clone(), keys });
        let router = Router::new().route(DECIDE, post(decide)).route(FLOOR, post(floor)).with_state(service);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Running { address, server, pool })
    }

    /// Ends it, and its connections to the database.
    pub async fn stop(self) {
        self.server.abort();
        self.pool.close().await;
    }
}

async fn decide(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Json(request): Json<Evaluation>,
) -> Result<Json<Decision>, StatusCode> {
    let organization = service.organization(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let decision = service.decide(organization, &request).await;
    decision.map(|decision| Json(Decision { decision })).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

async fn floor(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Json(request): Json<Evaluation>,
) -> Result<Json<Decision>, StatusCode> {
    service.organization(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(Decision { decision: request.subject.id.is_empty() }))
}

impl Service {
    fn organization(&self, headers: &HeaderMap) -> Option<&str> {
        let key = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        self.keys.get(&key_digest(key)).map(String::as_str)
    }

    async fn decide(&self, organization: &str, request: &Evaluation) -> sqlx::Result<bool> {
        let Evaluation { subject, action, resource } = request;
        let subject = format!("{}:{}", subject.kind, subject.id);
        let permission = format!("{}:{}", resource.kind, action.name);
        let mut connection = self.pool.acquire().await?;
        let principals = principals(&mut connection, organization, &subject).await?;
        // Its groups do not count where it does not itself.
        if !principals.contains(&subject) {
            return Ok(false);
        }
        let places = places(&mut connection, organization, resource).await?;
        if places.is_empty() {
            return Ok(false);
        }
        let held = held(&mut connection, organization, &principals, &permission).await?;
        Ok(held.iter().any(|held| match held {
            (Some(kind), Some(id)) => (kind, id) == (&resource.kind, &resource.id) || places.contains(held),
            _ => true,
        }))
    }
}

async fn principals(
    connection: &mut PgConnection,
    organization: &str,
    subject: &str,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(PRINCIPALS).bind(organization).bind(subject).fetch_all(connection).await
}

async fn places(
    connection: &mut PgConnection,
    organization: &str,
    resource: &Entity,
) -> sqlx::Result<Vec<Place>> {
    let query = sqlx::query_as(PLACES).bind(organization);
    query.bind(&resource.kind).bind(&resource.id).fetch_all(connection).await
}

async fn held(
    connection: &mut PgConnection,
    organization: &str,
    principals: &[String],
    permission: &str,
) -> sqlx::Result<Vec<Place>> {
    sqlx::query_as(HELD).bind(organization).bind(principals).bind(permission).fetch_all(connection).await
}
