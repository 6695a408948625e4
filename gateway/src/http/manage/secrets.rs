//! `…/secrets` and what is below it.

use super::{
    Call, POSTERN_CONSISTENCY_TOKEN, POSTERN_REVISION, connection, item, page_up_to, read_refusal, respond,
    written,
};
use crate::app::App;
use crate::clock::now_micros;
use crate::http::body::json_body;
use crate::manage::permission::{SECRET_DESCRIBE, SECRET_READ};
use crate::manage::{Actor, Begun, NewValue, Replay, SECRET, SecretFields, Write, forbidden};
use crate::problem::{Problem, Refusal};
use crate::publish;
use crate::store::manage::{Range, audit, secrets};
use crate::store::secrets::sealed;
use crate::vault::Vault;
use crate::vault::seal::SealError;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use postern_resolver::{Context, Question, check};
use postern_vocab::{Decision, QueryError, Reason};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;

/// Rows that are read at once to find those that the caller sees.
const READ_AT_ONCE: i64 = 1000;
/// LIMIT: rows that are looked at for one page: who sees few of many gets short pages, or empty ones, with a cursor.
const LOOKED_AT_MAX: i64 = 10_000;

fn vault(app: &App) -> Result<&Vault, Problem> {
    app.vault.as_deref().ok_or(Problem::NO_VAULT)
}

/// A body with a value in it, of which no error quotes anything.
fn parse<T: DeserializeOwned>(body: &str, members: &str) -> Result<T, Refusal> {
    let wrong = |what: String| Err(Problem::INVALID_REQUEST.because(format!("the body: {what}")));
    if !body.trim_start().starts_with('{') {
        return wrong("it has to be a JSON object".to_owned());
    }
    serde_json::from_str(body).or_else(|error| {
        let (line, column) = (error.line(), error.column());
        wrong(format!("line {line}, column {column}: this path takes {members}, each once and of its type"))
    })
}

const FIELDS: &str = "`name`, `kind`, `description`, `value`, `owner`, `visibility` ({\"to\": \"user\"}, \"session\" with \
     `session` and `participants`, \"group\" with `groups`, or \"organization\"), `active`, `not_before` and `expires_at`";

/// What the caller may do with secrets.
struct Reader<'c> {
    caller: &'c Actor,
    state: Arc<publish::State>,
    session: Option<&'c str>,
    now: i64,
}

impl<'c> Reader<'c> {
    async fn of(app: &Arc<App>, call: &'c Call) -> Result<Reader<'c>, Refusal> {
        let session = call.parameter("session");
        Ok(Reader { caller: &call.caller.actor, state: call.state(app).await?, session, now: now_micros() })
    }

    fn check(&self, subject: &str, permission: &str, id: &str) -> Result<Reason, QueryError> {
        let context = Context { session: self.session, now: self.now, ..Context::default() };
        check(&self.state.view(), &Question { subject, permission, resource: Some((SECRET, id)), context })
    }

    /// Whether what is told of a secret is told to the caller: to whoever runs the gateway, to who may describe it, and
    /// to who may read it.
    fn sees(&self, id: &str) -> bool {
        match self.caller {
            Actor::Operator(_) => true,
            Actor::Subject(subject) => [SECRET_DESCRIBE, SECRET_READ].iter().any(|permission| {
                self.check(subject, permission, id).is_ok_and(|reason| reason.decision() == Decision::Allow)
            }),
        }
    }
}

pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["cursor", "limit", "name", "session"])?;
    vault(&app)?;
    let Range { mut after, limit } = call.range()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let reader = Reader::of(&app, &call).await?;
    let mut connection = connection(&app, &call).await?;
    let (organization, name) = (&call.caller.organization, call.parameter("name"));
    let mut seen = Vec::new();
    for _ in 0..LOOKED_AT_MAX / READ_AT_ONCE {
        let range = Range { after: after.clone(), limit: READ_AT_ONCE };
        let items = secrets::list(&mut connection, organization, name, &range).await.map_err(read_refusal)?;
        let all = (items.len() as i64) < READ_AT_ONCE;
        for item in items {
            if seen.len() == limit && reader.sees(&item.id) {
                return Ok(page_up_to(&seen, after.as_deref()));
            }
            after = Some(item.id.clone());
            if seen.len() < limit && reader.sees(&item.id) {
                seen.push(item);
            }
        }
        if all {
            return Ok(page_up_to(&seen, None));
        }
    }
    Ok(page_up_to(&seen, after.as_deref()))
}

pub async fn read(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["session"])?;
    vault(&app)?;
    // Whether it is there or not, who does not see it is told the same.
    if !Reader::of(&app, &call).await?.sees(&call.id) {
        return Err(forbidden(SECRET_DESCRIBE, Some((SECRET, &call.id))));
    }
    let mut connection = connection(&app, &call).await?;
    let found = secrets::get(&mut connection, &call.caller.organization, &call.id).await;
    Ok(item(&found.map_err(read_refusal)?.ok_or(Problem::ITEM_NOT_FOUND)?))
}

pub async fn create(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let vault = vault(&app)?;
    let body = json_body(&call.headers, body).await?;
    let fields: SecretFields = parse(&body, FIELDS)?;
    let digest = || vault.keys().digest(&format!("{}\0{body}", call.method_and_path));
    let replay = call.idempotency_key()?.map(|key| Replay { key, digest: digest() });
    let made = match Write::begin_once(&app, &call.caller, replay).await? {
        Begun::Write(write) => write.create_secret(vault, &fields).await?,
        Begun::Before(made) => made,
    };
    let path = made.item.as_ref().map(|item| {
        let id = percent_encoding::utf8_percent_encode(&item.id, percent_encoding::NON_ALPHANUMERIC);
        format!("secrets/{id}")
    });
    Ok(written(&call.caller, &made, path.as_deref()))
}

pub async fn update(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    vault(&app)?;
    let tags = call.tags()?;
    let fields: SecretFields = parse(&json_body(&call.headers, body).await?, FIELDS)?;
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.update_secret(&call.id, &tags, &fields).await?, None))
}

pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    vault(&app)?;
    let tags = call.tags()?;
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.delete_secret(&call.id, &tags).await?, None))
}

pub async fn write_value(State(app): State<Arc<App>>, call: Call, body: Body) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let vault = vault(&app)?;
    let tags = call.tags()?;
    let new: NewValue = parse(&json_body(&call.headers, body).await?, "`value`, a text")?;
    let write = Write::begin(&app, &call.caller).await?;
    Ok(written(&call.caller, &write.write_value(vault, &call.id, &tags, &new).await?, None))
}

/// The value, for a subject whom the resolver allows to read it. Taken down before it is answered, a denial too.
pub async fn read_value(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["session"])?;
    let vault = vault(&app)?;
    let Actor::Subject(subject) = &call.caller.actor else { return Err(Problem::NEEDS_SUBJECT.into()) };
    let reader = Reader::of(&app, &call).await?;
    let id = call.id.as_str();
    let organization = call.caller.organization.as_str();
    let answer = reader.check(subject, SECRET_READ, id);
    let allowed = matches!(answer, Ok(reason) if reason.decision() == Decision::Allow);
    let mut transaction = app.pool.begin(organization).await.map_err(read_refusal)?;
    let kept = sealed(&mut transaction, (organization, id)).await.map_err(read_refusal)?;
    let may_not = || forbidden(SECRET_READ, Some((SECRET, id)));
    let Some((sealed, version)) = kept else {
        return Err(if allowed { Problem::ITEM_NOT_FOUND.into() } else { may_not() });
    };
    let value = match allowed {
        true => Some(vault.value((organization, id), &sealed).map_err(|error| unopened(&call, &error))?),
        false => None,
    };
    let why = answer.map_or_else(|error| error.as_str(), Reason::as_str);
    let after = json!({"version": version, "reason": why, "session": reader.session}).to_string();
    let event = audit::Event {
        actor: call.caller.actor.name(),
        operation: if allowed { "secret.read" } else { "secret.denied" },
        target: &format!("{SECRET}:{id}"),
        before: None,
        after: Some(&after),
        request_id: call.caller.request_id.as_deref(),
    };
    audit::record(&mut transaction, organization, &event).await.map_err(read_refusal)?;
    transaction.commit().await.map_err(|error| read_refusal(error.into()))?;
    let value = value.ok_or_else(may_not)?;
    let mut response = respond(StatusCode::OK, json!({"value": value, "version": version}).to_string());
    let headers = response.headers_mut();
    headers.insert(POSTERN_REVISION, HeaderValue::from(reader.state.revision()));
    headers.insert(POSTERN_CONSISTENCY_TOKEN, reader.state.consistency_token.clone());
    Ok(response)
}

fn unopened(call: &Call, error: &SealError) -> Refusal {
    let (organization, secret) = (&call.caller.organization, &call.id);
    tracing::error!(%error, organization, secret, "a value cannot be read");
    match error {
        SealError::UnknownKey(_) => Problem::VAULT_KEY_MISSING.into(),
        SealError::Damaged(_) | SealError::NotSealed => Problem::INTERNAL.into(),
    }
}
